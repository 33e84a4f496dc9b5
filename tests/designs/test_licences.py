"""Reading, spelling and openness of licences against `license-expression`, and the spellings found in the wild."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from license_expression import get_spdx_licensing

from designs import licences
from designs.errors import BadLicence
from designs.licences import expression, table

SPDX = get_spdx_licensing()
IDS = sorted(key for key, symbol in SPDX.known_symbols.items() if not symbol.is_exception)
KEYS = ["MIT", "CERN-OHL-S-2.0", "GPL-3.0-or-later", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "LicenseRef-own"]
OPEN_KEYS = {"MIT", "CERN-OHL-S-2.0", "GPL-3.0-or-later"}
expressions = st.recursive(
    st.sampled_from(KEYS),
    lambda inner: st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map(lambda t: f"({''.join(t)})"),
    max_leaves=8,
)


@given(expressions)
def test_openness_agrees_with_the_spdx_parser(text: str) -> None:
    """`license-expression` parses it, Python's own `eval` of its boolean form decides."""
    parsed = str(SPDX.parse(text))
    for key in KEYS:
        parsed = parsed.replace(key, str(key in OPEN_KEYS))
    assert licences.is_open(text) is eval(parsed.replace("AND", "and").replace("OR", "or"))  # noqa: S307


@given(expressions)
def test_a_tree_written_out_is_the_same_tree(text: str) -> None:
    """Written and read again by another parser it means the same, and precedence of AND over OR is kept."""
    written = str(expression.parse(text))
    assert SPDX.parse(written).simplify() == SPDX.parse(text).simplify()


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("MIT OR CC-BY-NC-4.0 AND MIT", True),
        ("CC-BY-NC-4.0 OR MIT AND CC-BY-ND-4.0", False),
        ("", False),
        ("MIT AND", False),
        ("(MIT", False),
        ("MIT)", False),
        ("MIT WITH", False),
        ("(" * 5000 + "MIT" + ")" * 5000, False),
        ("NOASSERTION", False),
        ("mit", True),
        ("GPL-3.0", True),
        ("GPL-3.0+", True),
        # On none of the three lists, however free they sound.
        ("WTFPL", False),
        ("ODbL-1.0", False),
        ("ODC-By-1.0", False),
        ("PDDL-1.0", False),
        ("LicenseRef-Open", False),
        # On the list of Free Cultural Works, but not with sections that nobody may change.
        ("GFDL-1.3-or-later", True),
        ("GFDL-1.3-invariants-only", False),
        ("LAL-1.3", True),
    ],
)
def test_openness_of_odd_expressions(text: str, is_open: bool) -> None:
    assert licences.is_open(text) is is_open


@pytest.mark.parametrize("name", ["OSI", "OSHWA", "FCW"])
def test_the_lists_name_licences_that_spdx_knows(name: str) -> None:
    exceptions = {"SHL-2.0", "SHL-2.1"}  # SPDX has them as exceptions to Apache-2.0
    assert table.LISTS[name] - exceptions <= set(IDS)
    assert {key for key in table.LISTS[name] if key != str(SPDX.parse(key))} == set(), "today's ids, not old ones"


def test_nothing_that_forbids_selling_or_changing_is_open() -> None:
    closed = [key for key in IDS if re.search(r"-N[CD](-|$)|Noncommercial", key)]
    assert len(closed) >= 30
    assert not [key for key in closed if licences.is_open(key)]


def test_the_picker_groups_by_openness() -> None:
    groups = {group.slug: group for group in licences.groups()}
    assert list(groups) == ["open", "non-commercial", "not open"]
    for slug, group in groups.items():
        for choice in group.choices:
            assert licences.read(choice.licence) == choice.licence
            assert choice.rights.is_open is (slug == "open") is licences.is_open(choice.licence)
            assert choice.rights.group == slug, choice.licence


@given(st.sampled_from(IDS))
def test_every_spdx_id_reads_in_any_case(key: str) -> None:
    assert licences.read(key.lower()) == str(SPDX.parse(key)) == licences.normalise(key.upper())


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("LicenseRef-own OR mit", "LicenseRef-own OR MIT"),
        ("MIT and (gpl-3.0+)", "MIT AND GPL-3.0-or-later"),
        ("shl-2.1", "Apache-2.0 WITH SHL-2.1"),
    ],
)
def test_expressions_are_spelled_as_spdx_does(text: str, licence: str) -> None:
    assert licences.read(text) == licence


@pytest.mark.parametrize("text", ["", "CC BY", "MIT OR", "free for all", "LicenseRef-", "LicenseRef-a b", "x" * 900])
def test_what_is_no_licence_is_refused(text: str) -> None:
    with pytest.raises(BadLicence):
        licences.read(text)


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("LicenseRef-CC BY-SA-4.0", "CC-BY-SA-4.0"),
        ("LicenseRef-CC-BY-SA-3.0", "CC-BY-SA-3.0"),
        ("LicenseRef-CERN OHL v1.2", "CERN-OHL-1.2"),
        ("CERN OHL v1.2", "CERN-OHL-1.2"),
        ("CERN-OHL-W v2", "CERN-OHL-W-2.0"),
        ("CERN Open Hardware Licence Version 2 - Permissive", "CERN-OHL-P-2.0"),
        ("CERN-OHL-S", "CERN-OHL-S-2.0"),
        ("GPLv3+", "GPL-3.0-or-later"),
        ("GPL v3 or later", "GPL-3.0-or-later"),
        ("GNU GPL v2", "GPL-2.0-only"),
        ("GNU General Public License v3.0", "GPL-3.0-only"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("AGPLv3", "AGPL-3.0-only"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("cc-by-nc-sa 4.0", "CC-BY-NC-SA-4.0"),
        ("Creative Commons (4.0 International License) Attribution-NonCommercial-ShareAlike", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Attribution-NoDerivatives 4.0 International", "CC-BY-ND-4.0"),
        ("CC0", "CC0-1.0"),
        ("The MIT License", "MIT"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("TAPR OHL", "TAPR-OHL-1.0"),
        ("All rights reserved", "LicenseRef-All-Rights-Reserved"),
        # They do not say which version or which licence they mean.
        ("Creative Commons - Attribution", "LicenseRef-Creative-Commons-Attribution"),
        ("Creative Commons - Attribution - Share Alike", "LicenseRef-Creative-Commons-Attribution-Share-Alike"),
        ("CC-BY-SA", "LicenseRef-CC-BY-SA"),
        ("CC BY-SA 5.0", "LicenseRef-CC-BY-SA-5.0"),
        ("GPL", "LicenseRef-GPL"),
        ("BSD", "LicenseRef-BSD"),
        ("LicenseRef-CERN", "LicenseRef-CERN"),
        ("PANAKA-OHL-1.0", "LicenseRef-PANAKA-OHL-1.0"),
        ("Public Domain", "LicenseRef-Public-Domain"),
        ("", "LicenseRef-Unknown"),
        ("N/A", "LicenseRef-Unknown"),
        ("许可", "LicenseRef-Unknown"),
    ],
)
def test_spellings_found_in_the_wild(text: str, licence: str) -> None:
    assert licences.normalise(text) == licence


@given(st.text(max_size=300))
def test_any_text_becomes_a_licence_that_reads_and_gives_itself(text: str) -> None:
    found = licences.normalise(text)
    assert licences.read(found) == found == licences.normalise(found)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=40))
def test_words_that_name_no_licence_never_become_an_open_one(text: str) -> None:
    """Letters alone hold no version; only names that need none may be found."""
    named = {"CC0-1.0", "MIT", "BSD-3-Clause", "BSD-2-Clause", "Unlicense", "ISC", "Zlib", "TAPR-OHL-1.0"}
    found = licences.normalise(text)
    assert not licences.is_open(found) or found in named or found.lower() == "-".join(text.split())


def test_every_licence_of_the_losh_manifests_reads(shared: Path) -> None:
    """139 manifests, their licences as people wrote them: the ones that name an SPDX licence become it."""
    found = {}
    for path in sorted((shared / "data/okh/losh").glob("*")):
        written = tomllib.loads(path.read_text())["license"]
        found.setdefault(written, []).append(licences.normalise(written))
    assert {key: set(value) for key, value in found.items() if key.startswith("LicenseRef-")} == {
        "LicenseRef-CC BY-SA-4.0": {"CC-BY-SA-4.0"},
        "LicenseRef-CC-BY-SA-4.0": {"CC-BY-SA-4.0"},
        "LicenseRef-CC-BY-SA-3.0": {"CC-BY-SA-3.0"},
        "LicenseRef-CERN OHL v1.2": {"CERN-OHL-1.2"},
        "LicenseRef-CERN": {"LicenseRef-CERN"},
    }
    assert sum(map(len, found.values())) == len(list((shared / "data/okh/losh").glob("*")))
