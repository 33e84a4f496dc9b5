"""Manifests of strangers are read, written and checked; what is wrong with one is said with its line."""

import dataclasses
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designs import okh
from designs.okh import FileRef, Manifest, Part, Person, Reference, Software, Unreadable
from designs.okh.check import Checked, check, licence_for
from designs.okh.documents import MAX_BYTES, read_toml, read_yaml
from designs.okh.manifest import SPELLINGS
from designs.okh.read import BLANK

SHARED = Path(os.environ.get("LIVINGCITY_SHARED", "/nowhere")) / "data"
LOSH = sorted((SHARED / "okh" / "losh").glob("*")) if SHARED.is_dir() else []
WILD = [
    ("ZACplus/okh-ZACplus.yml", "ZACplus", "CC-BY-SA 4.0", "CC-BY-SA-4.0"),
    ("lightM/okh.yml", "LightM", "MIT", "MIT"),
    ("nimble/okh.toml", "nimble", "CERN-OHL-S-2.0", "CERN-OHL-S-2.0"),
    ("OSH-CMM-LogicBoard/okh.toml", "osh-cmm-logicboard", "CERN-OHL-S-2.0", "CERN-OHL-S-2.0"),
    ("yaemk-split-kb/okh.toml", "YAEMK - Yet Another Ergonomic Mechanical Keyboard", "GPL-3.0-only", "GPL-3.0-only"),
]
GOOD = """okhv = "OKH-LOSHv1.0"
name = "Lamp"
repo = "https://example.org/lamp"
version = "1.2.0"
license = "CERN-OHL-S-2.0"
licensor = "Aino <aino@example.org>"
function = "Gives light."
bom = "bom.csv"
image = "lamp.png"
source = "lamp.scad"
manufacturing-instructions = "build.md"
"""


@pytest.mark.shared
@pytest.mark.parametrize("path", LOSH or [None], ids=lambda path: path.name[:30] if path else "none")
def test_each_of_the_139_manifests_is_read_and_written_again(path: Path | None) -> None:
    if path is None:
        pytest.skip("LIVINGCITY_SHARED is not set")
    reading = okh.read(path.read_bytes())
    manifest = reading.manifest
    assert reading.syntax == "toml"
    # All of them hold these, by a look at the texts themselves.
    for words in (manifest.name, manifest.repo, manifest.version, manifest.licence, manifest.function):
        assert words
    assert manifest.licensors
    assert not manifest.extra
    assert okh.read(okh.write_toml(manifest).encode(), "okh.toml").manifest == manifest
    other = okh.read(okh.write_yaml(manifest).encode(), "okh.yml").manifest
    assert dataclasses.replace(other, spec=manifest.spec) == manifest


@pytest.mark.shared
def test_there_are_139() -> None:
    if not LOSH:
        pytest.skip("LIVINGCITY_SHARED is not set")
    assert len(LOSH) == 139


@pytest.mark.shared
def test_licences_of_the_139_are_told_as_spdx_where_they_name_one() -> None:
    if not LOSH:
        pytest.skip("LIVINGCITY_SHARED is not set")
    told = {}
    for path in LOSH:
        written = okh.read(path.read_bytes()).manifest.licence
        told[written] = licence_for(written)
    assert told["LicenseRef-CC BY-SA-4.0"] == "CC-BY-SA-4.0"
    assert told["LicenseRef-CC-BY-SA-3.0"] == "CC-BY-SA-3.0"
    assert told["LicenseRef-CERN OHL v1.2"] == "CERN-OHL-1.2"
    # "CERN" alone names an institute, not a licence.
    assert {written for written, meant in told.items() if not meant} == {"LicenseRef-CERN", "PANAKA-OHL-1.0"}


@pytest.mark.shared
@pytest.mark.parametrize(("path", "name", "written", "meant"), WILD, ids=[row[0] for row in WILD])
def test_manifests_of_real_repositories(path: str, name: str, written: str, meant: str) -> None:
    file = SHARED / "designs" / path
    if not file.is_file():
        pytest.skip("LIVINGCITY_SHARED is not set")
    manifest = okh.read(file.read_bytes(), file.name).manifest
    assert (manifest.name, manifest.licence, licence_for(manifest.licence)) == (name, written, meant)


@pytest.mark.shared
def test_the_manifest_that_is_known_to_be_wrong_is_found_wrong_at_its_lines() -> None:
    file = SHARED / "designs" / "OSH-CMM-LogicBoard" / "okh.toml"
    if not file.is_file():
        pytest.skip("LIVINGCITY_SHARED is not set")
    found = check(file.read_bytes(), "okh.toml").findings
    lines = file.read_text().splitlines()
    wrong = {lines[f.line - 1].split("=")[0].strip() for f in found if "quotation" in f.sentence}
    assert wrong == {"width", "depth", "height"}
    manifest = okh.read(file.read_bytes(), "okh.toml").manifest
    assert manifest.size == ("mm", "cube(size = [180,90,30])")


def test_version_1_10_stays_1_10_and_a_date_stays_what_it_was() -> None:
    manifest = okh.read(b"title: A\nversion: 1.10\ndate-created: 2019-11-16\n", "okh.yml").manifest
    assert (manifest.version, manifest.date_created) == ("1.10", "2019-11-16")


def test_the_many_spellings_of_a_key() -> None:
    for key in ("documentation-language", "documentation_language", "documentationLanguage", "Documentation-Language"):
        assert okh.read(f'{key} = "en"'.encode(), "a.toml").manifest.languages == ("en",)
    for key in ("organization", "organisation"):
        assert okh.read(f'{key} = "Fab Lab"'.encode(), "a.toml").manifest.organisations == ("Fab Lab",)


def test_licences_of_v1_by_what_they_are_for() -> None:
    text = b"title: A\nlicense:\n  hardware: CERN-OHL-S-2.0\n  documentation: CC-BY-4.0\n  software: MIT\n"
    manifest = okh.read(text, "okh.yml").manifest
    found = (manifest.licence, manifest.licence_documentation, manifest.licence_software)
    assert found == ("CERN-OHL-S-2.0", "CC-BY-4.0", "MIT")


def finding(checked: Checked, key: str) -> tuple[str, int, str]:
    found = next(finding for finding in checked.findings if finding.key == key)
    return found.level, found.line, found.suggestion


def test_a_good_manifest_has_nothing_to_mend() -> None:
    assert check(GOOD.encode(), "okh.toml").findings == ()


@pytest.mark.parametrize(
    ("before", "after", "key", "expected"),
    [
        ("function =", "fuction =", "fuction", ("warning", 7, "function")),
        ("manufacturing-instructions", "manufactoring-instructions", "manufactoring-instructions",
         ("warning", 11, "manufacturing-instructions")),
        ('license = "CERN-OHL-S-2.0"', 'license = "CC BY-SA 4.0"', "license", ("warning", 5, "CC-BY-SA-4.0")),
        ('"https://example.org/lamp"', '"example.org/lamp"', "repo", ("error", 3, "https://example.org/lamp")),
        ('version = "1.2.0"\n', "", "version", ("error", 0, "")),
        ('name = "Lamp"', 'name = {a = 1}', "name", ("error", 2, "words in quotation marks")),
        ('name = "Lamp"', 'name = "Lamp"\nmass = "heavy"', "mass", ("error", 3, "a number that is not below 0")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_and_remedy(
    before: str, after: str, key: str, expected: tuple[str, int, str]
) -> None:
    assert before in GOOD
    assert finding(check(GOOD.replace(before, after).encode(), "okh.toml"), key) == expected


def test_lines_hold_behind_texts_of_many_lines() -> None:
    text = 'name = """\na = 1\n[x]\n"""\nimage = [\n  "a", # ]\n  "b",\n]\nlicence = "MTI"\n\n[[part]]\nname = "p"\n'
    text += "mas = 3\n"
    document = read_toml(text)
    assert document.place(("licence",)) == (9, 1)
    assert document.place(("part", 0, "mas")) == (13, 1)


def test_files_that_are_not_there() -> None:
    checked = check(GOOD.encode(), "okh.toml", has_file=lambda path: path != "build.md")
    assert [finding.line for finding in checked.findings] == [11]
    assert "build.md" in checked.findings[0].sentence


def test_v1_asks_for_one_of_two_links() -> None:
    text = "title: A\ndescription: B\nlicense:\n  hardware: MIT\n"
    assert "project-link" in {finding.key for finding in check(text.encode(), "okh.yml").findings}
    good = f"{text}documentation-home: https://example.org\n"
    assert check(good.encode(), "okh.yml").is_good


BOMB = "a: &a [x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
)
HOSTILE = {
    "bomb.yml": BOMB.encode(),
    "merge.yml": b"a: &x {b: 1}\nc:\n  <<: *x\n",
    "tag.yml": b"!!python/object/apply:os.system ['true']",
    "inner-tag.yml": b"title: !!python/name:os.system x\n",
    "deep.yml": b"a: " + b"[" * 10_000,
    "deep-blocks.yml": b"".join(b" " * n + b"- \n" for n in range(400)),
    "twice.yml": b"title: a\ntitle: b\n",
    "list.yml": b"- a\n- b\n",
    "control.yml": b"title: \x07\n",
    "deep.toml": b"a = " + b"[" * 10_000,
    "dotted.toml": b".".join([b"a"] * 5_000) + b" = 1",
    "inline.toml": b"a = " + b"{b = " * 300 + b"1" + b"}" * 300,
    "open.toml": b'a = """' + b'\\"""' * 40_000,
    "twice.toml": b"a = 1\na = 2\n",
    "number.toml": b"a = " + b"9" * 10_000,
    "zeros": b"\0" * 100,
    "large.toml": b"#" * (MAX_BYTES + 1),
    "utf16.toml": b"\xff\xfea\x00=\x00",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_manifests_are_refused_in_words_and_at_once(name: str) -> None:
    before = time.process_time()
    checked = check(HOSTILE[name], name)
    spent_s = time.process_time() - before
    assert checked.manifest is None
    assert checked.findings[0].level == "error"
    assert checked.findings[0].sentence
    # No bound on the clock: these grow with the square of the text, or without end, when they are read carelessly.
    assert spent_s < 30


@given(st.binary(max_size=400), st.sampled_from(["a.toml", "a.yml", ""]))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_checked_without_an_error(raw: bytes, name: str) -> None:
    check(raw, name)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(sorted(SPELLINGS)),
)
@settings(max_examples=200, deadline=None)
def test_any_value_under_any_key_is_understood_or_found(value: object, key: str) -> None:
    import json

    try:
        document = read_yaml(json.dumps({key: value}))
    except Unreadable:
        return
    from designs.okh.read import understand

    understand(document, "yaml")


word = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co", "Zl", "Zp", "Cf"]), min_size=1, max_size=12)
words = word.map(str.strip).filter(lambda text: text and text.lower() not in BLANK)
email = st.from_regex(r"[a-z]{1,5}@[a-z]{1,5}\.org", fullmatch=True)
persons = st.builds(Person, words, st.just("") | email, st.just("") | words)
files = st.builds(FileRef, words, st.just("") | words)
several = st.lists(words, max_size=3).map(tuple)
mass = st.none() | st.floats(0, 1e6)
parts = st.builds(
    Part, name=words, image=st.just("") | words, quantity=mass, mass_g=mass, material=st.just("") | words,
    tsdc=several, source=several, export=several,
)  # fmt: skip
manifests = st.builds(
    Manifest, name=words, repo=words, version=words, licence=words, function=words, keywords=several, images=several,
    licensors=st.lists(persons, max_size=3).map(tuple), contributors=st.lists(persons, max_size=3).map(tuple),
    made=st.none() | st.booleans(), mass_g=mass, bom=st.just("") | words,
    instructions=st.lists(files, max_size=3).map(tuple), sources=st.lists(files, max_size=3).map(tuple),
    parts=st.lists(parts, max_size=3).map(tuple),
    derivative_of=st.lists(st.builds(Reference, words, words, words), max_size=2).map(tuple),
    software=st.lists(st.builds(Software, words, words, words), max_size=2).map(tuple),
)  # fmt: skip


@given(manifests)
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_again(manifest: Manifest) -> None:
    assert okh.read(okh.write_toml(manifest).encode(), "okh.toml").manifest == manifest
    again = okh.read(okh.write_yaml(manifest).encode(), "okh.yml").manifest
    assert dataclasses.replace(again, spec=manifest.spec) == manifest


def test_what_we_write_another_program_reads_too() -> None:
    tomli = pytest.importorskip("tomllib")
    yaml = pytest.importorskip("yaml")
    manifest = Manifest(name='Ä "b"\\\n', function="\u2028\x7f", parts=(Part(name="p", mass_g=1.5),))
    assert tomli.loads(okh.write_toml(manifest))["part"] == [{"name": "p", "mass-g": 1.5}]
    assert yaml.safe_load(okh.write_yaml(manifest))["description"] == "\u2028\x7f"
