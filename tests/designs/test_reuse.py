"""File-level licences, against the examples and the sentences of the REUSE specification 3.3."""

import pytest

from commons.people.models import User
from designs.licences.files import Annotations, Declared, Rules, annotations, header
from designs.models import Design
from designs.queries.file_licences import licence_at, licences_at
from designs.services import create_design, index_now, write_files

# The example of section "Comment headers", in the comment styles that people use.
EXAMPLE = """# SPDX-FileCopyrightText: 2016, 2018-2019 Jane Doe <jane@example.com>
# SPDX-FileCopyrightText: 2019 Example Organisation
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""
# The example of section "Ignore block".
IGNORED = """# SPDX-FileCopyrightText: 2021 Jane Doe
#
# SPDX-License-Identifier: GPL-3.0-or-later

# REUSE-IgnoreStart
echo "SPDX-FileCopyrightText: $(date +'%Y') John Doe" > file.txt
echo "SPDX-License-Identifier: MIT" > file.txt
# REUSE-IgnoreEnd
"""
# The example of section "REUSE.toml".
TOML = """version = 1

[[annotations]]
path = ["po/*.po", "po/*.pot"]
precedence = "aggregate"
SPDX-FileCopyrightText = "2019 Translation Company"
SPDX-License-Identifier = "GPL-3.0-or-later"
"""


def test_comment_header() -> None:
    found = header(EXAMPLE, source="a.py")
    assert found.licences == ("GPL-3.0-or-later",)
    assert found.copyrights == ("2016, 2018-2019 Jane Doe <jane@example.com>", "2019 Example Organisation")


@pytest.mark.parametrize(
    "line",
    [
        "// SPDX-License-Identifier: MIT OR Apache-2.0",
        "/* SPDX-License-Identifier: MIT OR Apache-2.0 */",
        "<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->",
        "(* SPDX-License-Identifier: MIT OR Apache-2.0 *)",
        "-- SPDX-License-Identifier: MIT OR Apache-2.0\r",
    ],
)
def test_comment_styles(line: str) -> None:
    assert header(f"x\n{line}\ny", source="f").licences == ("MIT OR Apache-2.0",)


def test_ignore_block() -> None:
    found = header(IGNORED, source="a.sh")
    assert (found.licences, found.copyrights) == (("GPL-3.0-or-later",), ("2021 Jane Doe",))


def test_snippet_licence_counts_for_the_file() -> None:
    text = EXAMPLE + "# SPDX-SnippetBegin\n# SPDX-License-Identifier: MIT\n# SPDX-SnippetEnd\n"
    assert header(text, source="a").expression == "GPL-3.0-or-later AND MIT"


def test_several_licences_make_one_expression() -> None:
    assert Declared(("MIT OR 0BSD", "CC0-1.0")).expression == "(MIT OR 0BSD) AND CC0-1.0"


def covers(glob: str, path: str) -> bool:
    escaped = glob.replace("\\", "\\\\")
    return annotations(f'version = 1\n[[annotations]]\npath = "{escaped}"', folder="").covers(path) is not None


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        # "`*` matches everything except forward slashes"
        ("po/*.po", "po/fi.po", True),
        ("po/*.po", "po/old/fi.po", False),
        ("*", "a.txt", True),
        ("*", "src/a.txt", False),
        ("*", ".hidden", True),
        # "`**` and `**/` match everything including forward slashes"
        ("**", "src/deep/a.txt", True),
        ("src/**", "src/deep/a.txt", True),
        ("**/a.txt", "a.txt", True),
        ("**/a.txt", "src/deep/a.txt", True),
        ("src/**", "other/a.txt", False),
        # "In order to escape an asterisk and include it verbatim, prefix it"
        (r"a\*.txt", "a*.txt", True),
        (r"a\*.txt", "ab.txt", False),
        (r"a\\b", r"a\b", True),
        (r"\abc", "abc", True),
        # everything else stands for itself
        ("a[b].txt", "a[b].txt", True),
        ("a?.txt", "ab.txt", False),
    ],
)
def test_globs(glob: str, path: str, matches: bool) -> None:
    assert covers(glob, path) is matches


def toml(folder: str, precedence: str, licence: str, *, path: str = "**") -> Annotations:
    return annotations(
        f'version = 1\n[[annotations]]\npath = "{path}"\nprecedence = "{precedence}"\n'
        f'SPDX-License-Identifier = "{licence}"\nSPDX-FileCopyrightText = "{folder or "top"}"',
        folder=folder,
    )


OWN = Declared(("MIT",), ("Jane",), "src/a.py")


@pytest.mark.parametrize(
    ("tables", "own", "licences"),
    [
        # closest: "associate the Licensing Information inside of the Covered Files, if available"
        ([toml("", "closest", "0BSD")], OWN, ("MIT",)),
        ([toml("", "closest", "0BSD")], Declared(), ("0BSD",)),
        # "the table of the closest REUSE.toml that covers the File"
        ([toml("", "closest", "0BSD"), toml("src", "closest", "ISC")], Declared(), ("ISC",)),
        # aggregate: "always associate"; "subsequently, the closest logic is also applied"
        ([toml("", "aggregate", "0BSD")], OWN, ("MIT", "0BSD")),
        ([toml("", "aggregate", "0BSD"), toml("src", "closest", "ISC")], Declared(), ("ISC", "0BSD")),
        # override: "ignore any other Licensing Information that is closer to the Files"
        ([toml("", "override", "0BSD")], OWN, ("0BSD",)),
        ([toml("", "override", "0BSD"), toml("src", "aggregate", "ISC")], OWN, ("0BSD",)),
        # "the REUSE.toml that is the closest to the root of the Project is authoritative"
        ([toml("", "override", "0BSD"), toml("src", "override", "ISC")], OWN, ("0BSD",)),
        # "If a table in a closer REUSE.toml has the override precedence, then … closest is ignored"
        ([toml("", "closest", "0BSD"), toml("src", "override", "ISC")], OWN, ("ISC",)),
        # a REUSE.toml covers "files that are within its directory or deeper"
        ([toml("docs", "override", "0BSD")], OWN, ("MIT",)),
    ],
)
def test_precedence(tables: list[Annotations], own: Declared, licences: tuple[str, ...]) -> None:
    assert Rules(tuple(tables)).of("src/a.py", own).licences == licences


def test_closest_is_applied_to_copyright_and_licence_apart() -> None:
    found = Rules((toml("", "closest", "0BSD"),)).of("src/a.py", Declared((), ("Jane",), "src/a.py"))
    assert (found.licences, found.copyrights) == (("0BSD",), ("Jane",))


def test_the_last_matching_table_of_a_file_is_used() -> None:
    both = TOML + '\n[[annotations]]\npath = "po/fi.po"\nSPDX-License-Identifier = "MIT"\n'
    rules = Rules((annotations(both, folder=""),))
    assert rules.of("po/fi.po", Declared()).licences == ("MIT",)
    assert rules.of("po/sv.po", Declared()).licences == ("GPL-3.0-or-later",)


@pytest.mark.parametrize("text", ["version = 2", "annotations = 3", "[[annotations", "version = 1\nannotations = 4"])
def test_a_broken_reuse_toml_says_nothing_and_says_why(text: str) -> None:
    found = annotations(text, folder="")
    assert found.fault
    assert found.covers("a") is None


@pytest.fixture
def mixed(maker: User) -> Design:
    """A design whose files have licences of their own."""
    design = create_design(owner=maker.handle, name="Mixed", licence="CERN-OHL-S-2.0", by=maker)
    files = {
        "part.stl": b"\0" * 84,
        "part.stl.license": b"SPDX-FileCopyrightText: 2024 Ada\n\nSPDX-License-Identifier: CC-BY-SA-4.0\n",
        "firmware/main.py": EXAMPLE.encode(),
        "docs/guide.md": b"# Guide\n",
        "docs/REUSE.toml": b'version = 1\n[[annotations]]\npath = "*.md"\nSPDX-License-Identifier = "CC-BY-4.0"\n',
        "plain.txt": b"nothing said",
        "odd.py": b"# SPDX-License-Identifier: My Own Licence\n",
        "LICENSES/CC-BY-4.0.txt": b"Creative Commons",
    }
    write_files(design=design, files=dict(files), message="First", author=maker, by=maker)
    return index_now(design=design, by=maker)


def test_licences_of_a_version(mixed: Design) -> None:
    found = licences_at(mixed, mixed.head)
    said = {path: (file.expression, file.is_own) for path, file in found.files.items()}
    assert said["part.stl"] == ("CC-BY-SA-4.0", True)
    assert said["firmware/main.py"] == ("GPL-3.0-or-later", True)
    assert said["docs/guide.md"] == ("CC-BY-4.0", True)
    assert said["plain.txt"] == ("CERN-OHL-S-2.0", False)
    assert found.files["odd.py"].declared.unreadable == ("My Own Licence",)
    assert found.files["part.stl"].declared.source == "part.stl.license"
    assert found.files["docs/guide.md"].declared.source == "docs/REUSE.toml"
    assert found.texts == ("CC-BY-4.0",)
    assert licence_at(mixed, mixed.head, "docs/guide.md") == found.files["docs/guide.md"]
