"""Parts lists in all the ways in which people write them; sums worked out by hand."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designs import bom, okh
from designs.bom import Found, Line, Node, compare, numbers, read_front_matter, read_table, roll_up, table, write_csv
from designs.bom.cells import design_in

GERMAN = (
    "Stückliste Lampe;;;\n\nBauteil;Anzahl;Einzelpreis (€);Gewicht [kg]\n"
    "Schraube M3×10;12;0,12;0,001\nRohr;1,5 m;1.234,50;\nSumme;;1853,19;\n"
)
ENGLISH = 'Part,Qty,Unit Price,Mass (g),Link\nBolt,4,$0.10,2.5,https://shop.example/bolt\nMotor,1,"$1,234.50",300,\n'
FINNISH = "Nimi\tMäärä\tYksikköhinta EUR\nRuuvi\t3\t0,50\n"


def test_german_with_decimal_commas() -> None:
    found = read_table(GERMAN.encode("cp1252"), "bom.csv")
    assert [(line.name, line.quantity, line.unit, line.cost, line.currency, line.mass_g) for line in found.lines] == [
        ("Schraube M3×10", 12.0, "", Decimal("0.12"), "EUR", 1.0),
        ("Rohr", 1.5, "m", Decimal("1234.50"), "EUR", None),
    ]
    assert [line.row for line in found.lines] == [4, 5]
    totals = roll_up(found.lines, lambda _address, _version: "").totals
    assert totals.costs == {"EUR": Decimal("12") * Decimal("0.12") + Decimal("1.5") * Decimal("1234.50")}
    assert (totals.mass_g, totals.mass_unknown) == (12.0, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_english_in_every_encoding(encoding: str, ends: str) -> None:
    lines = read_table(ENGLISH.replace("\n", ends).encode(encoding)).lines
    assert [(line.name, line.cost, line.currency, line.mass_g) for line in lines] == [
        ("Bolt", Decimal("0.10"), "USD", 2.5),
        ("Motor", Decimal("1234.50"), "USD", 300.0),
    ]
    assert lines[0].source_url == "https://shop.example/bolt"


def test_finnish_with_tabs() -> None:
    (line,) = read_table(FINNISH.encode()).lines
    assert (line.name, line.quantity, line.cost, line.currency) == ("Ruuvi", 3.0, Decimal("0.50"), "EUR")


@pytest.mark.parametrize(
    ("cell", "comma", "expected"),
    [
        ("1,234.5", False, "1234.5"),
        ("1.234,5", False, "1234.5"),
        ("1 234,5", True, "1234.5"),
        ("1'234.50", False, "1234.50"),
        ("12,5", False, "12.5"),
        ("1,234", False, "1234"),
        ("1,234", True, "1.234"),
        ("1.234", True, "1234"),
        ("0.125", True, "0.125"),
        ("1,234,567", False, "1234567"),
        ("-3", False, "-3"),
        (".5", False, ".5"),
        ("2e3", False, "2e3"),
    ],
)
def test_numbers_as_people_write_them(cell: str, comma: bool, expected: str) -> None:
    assert numbers.number(cell, comma=comma)[0] == Decimal(expected)


def test_kicad_lists_count_their_designators() -> None:
    (line,) = read_table(b'"Reference","Value","Footprint"\n"R1,R2, R3","10k","0805"\n').lines
    assert (line.name, line.quantity) == ("10k", 3.0)


def test_a_total_of_a_line_becomes_the_price_of_one() -> None:
    (line,) = read_table(b"part,quantity,total price EUR\nwheel,4,10\n").lines
    assert line.cost == Decimal("2.5")


def test_what_cannot_be_read_is_said_with_its_line() -> None:
    found = read_table(b"part,qty,mass,cost\nrope,some,heavy,cheap\n,3,,\nbolt,-1,5,\n")
    said = {(finding.row, finding.level) for finding in found.findings}
    assert said == {(2, "warning"), (3, "warning"), (4, "warning")}
    assert [(line.name, line.quantity, line.mass_g) for line in found.lines] == [
        ("rope", None, None),
        ("bolt", None, None),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aino/lamp", ("aino/lamp", "")),
        ("Aino/Lamp@v1.2", ("aino/lamp", "v1.2")),
        ("/designs/aino/lamp/", ("aino/lamp", "")),
        ("https://city.example/designs/aino/lamp/?ref=abc", ("aino/lamp", "abc")),
        ("https://city.example/fi/designs/aino/lamp/", ("aino/lamp", "")),
        ("https://other.example/designs/aino/lamp/", ("", "")),
        ("https://city.example/labs/aino/lamp/", ("", "")),
        ("a/b/c", ("", "")),
        ("M3x10", ("", "")),
        ("http://[", ("", "")),
    ],
)
def test_addresses_of_designs(text: str, expected: tuple[str, str]) -> None:
    assert design_in(text, site="city.example") == expected


def test_parts_in_the_head_of_a_readme() -> None:
    text = (
        "---\ntitle: Lamp\nbom:\n  - name: Rod\n    qty: 2\n    cost EUR: 1.5\n  - 4x M3 screw\n"
        "  - design: aino/base@v1\n---\n# Lamp\n"
    )
    found = read_front_matter(text, "README.md")
    assert found is not None
    assert [(line.name, line.quantity, line.cost, line.design, line.row) for line in found.lines] == [
        ("Rod", 2.0, Decimal("1.5"), "", 4),
        ("M3 screw", 4.0, None, "", 7),
        ("aino/base", 1.0, None, "aino/base", 8),
    ]
    assert found.lines[0].currency == "EUR"
    assert read_front_matter("# no head\n") is None
    bad = read_front_matter("---\nbom: &a\n  - *a\n---\n")
    assert bad is not None and bad.findings[0].row == 2


def test_parts_of_an_okh_manifest() -> None:
    text = b'name = "L"\n[[part]]\nname = "p"\nexport = "/p.stl"\nmass-kg = 0.2\n[[part]]\nname = "q"\nquantity = 3\n'
    found = bom.from_manifest(okh.read(text, "okh.toml").manifest)
    assert found is not None
    assert [(line.name, line.quantity, line.mass_g, line.path) for line in found.lines] == [
        ("p", 1.0, 200.0, "p.stl"),
        ("q", 3.0, None, ""),
    ]


DESIGNS = {
    "a/base": Found(
        "base", (Line("plate", 2, mass_g=10, cost=Decimal(3), currency="EUR"), Line("gear", 1, design="a/gear"))
    ),
    "a/gear": Found("gear", (Line("tooth", 20, mass_g=0.5, cost=Decimal("0.1"), currency="EUR"), Line("grease", None))),
    "a/loop": Found("loop", (Line("again", 1, design="a/pool"),)),
    "a/pool": Found("pool", (Line("loop", 2, mass_g=1, design="a/loop"),)),
}


def find(address: str, _version: str) -> Found | str:
    return DESIGNS.get(address, f"no {address}")


def test_sub_assemblies_add_up() -> None:
    lines = (Line("base", 3, design="a/base"), Line("lid", 1, cost=Decimal("2.5"), currency="USD"))
    rolled = roll_up(lines, find)
    # one base: 2×10 g + 20×0.5 g = 30 g, 2×3 + 20×0.1 = 8 EUR, 2 + 20 parts
    assert rolled.totals.mass_g == 90
    assert rolled.totals.costs == {"EUR": Decimal(24), "USD": Decimal("2.5")}
    assert rolled.totals.parts == 3 * 22 + 1
    assert (rolled.totals.mass_unknown, rolled.totals.cost_unknown) == (2, 1)
    base = rolled.nodes[0]
    assert [child.line.name for child in base.children] == ["plate", "gear"]


def test_what_a_line_states_wins_over_the_sum_below() -> None:
    rolled = roll_up((Line("base", 2, mass_g=100, design="a/base"),), find)
    assert (rolled.totals.mass_g, rolled.totals.mass_unknown) == (200, 0)
    assert rolled.totals.costs == {"EUR": Decimal(16)}


def test_a_list_that_holds_itself_ends() -> None:
    rolled = roll_up((Line("loop", 1, design="a/loop"),), find)
    assert any("holds itself" in problem for problem in rolled.problems)
    own = roll_up((Line("me", 1, design="a/base"),), find, key="base")
    assert own.nodes[0].problem and own.totals.parts == 1


def test_what_is_not_there_is_said() -> None:
    rolled = roll_up((Line("ghost", 2, design="a/ghost"),), find)
    assert rolled.problems == ("no a/ghost",)
    assert rolled.totals.mass_unknown == 1


def test_lists_that_double_at_every_level_are_added_once_each() -> None:
    asked: list[str] = []

    def doubled(address: str, _version: str) -> Found | str:
        asked.append(address)
        number = int(address.removeprefix("d/"))
        last = (Line("end", 1, mass_g=1), Line("end", 1, mass_g=1))
        return Found(number, last if number == 7 else tuple(Line("two", 1, design=f"d/{number + 1}") for _ in range(2)))

    rolled = roll_up((Line("top", 1, design="d/1"),), doubled)
    assert rolled.totals.mass_g == 2**7
    assert asked == [f"d/{n}" for n in range(1, 8)]


def test_too_deep_is_said() -> None:
    def endless(address: str, _version: str) -> Found | str:
        number = int(address.removeprefix("d/"))
        return Found(number, (Line("on", 1, design=f"d/{number + 1}"),))

    rolled = roll_up((Line("top", 1, design="d/1"),), endless)
    assert any("too deep" in problem for problem in rolled.problems)


def test_changes_are_told_by_line() -> None:
    before = [Line("Bolt", 4, cost=Decimal(1)), Line("Nut", 4), Line("Rod", 1, supplier_ref="R-1"), Line("Bolt", 4)]
    after = [Line("bolt", 6, cost=Decimal(1)), Line("Long rod", 1, supplier_ref="R-1"), Line("Bolt", 4), Line("Cap", 2)]
    found = [(c.kind, c.before and c.before.name, c.after and c.after.name, c.fields) for c in compare(before, after)]
    assert found == [
        ("changed", "Bolt", "bolt", ("name", "quantity")),
        ("changed", "Rod", "Long rod", ("name",)),
        ("added", None, "Cap", ()),
        ("removed", "Nut", None, ()),
    ]


names = st.sampled_from(["bolt", "nut", "rod", "cap"])
some_lines = st.lists(st.builds(Line, names, st.sampled_from([1.0, 2.0, None])), max_size=7)


@given(some_lines, some_lines)
@settings(max_examples=150, deadline=None)
def test_a_comparison_accounts_for_every_line(before: list[Line], after: list[Line]) -> None:
    changes = compare(before, after)
    count = {kind: sum(change.kind == kind for change in changes) for kind in ("added", "removed", "changed")}
    assert len(before) - count["removed"] + count["added"] == len(after)
    assert compare(before, before) == []
    assert {id(c.after) for c in changes if c.after} <= {id(line) for line in after}


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+A1", "-A1", "@SUM(A1)", "\t=1", "  =1", "|x", "＝1"])
def test_a_cell_is_never_a_formula(cell: str) -> None:
    import csv
    import io

    table = list(csv.reader(io.StringIO(write_csv([Line(cell, note=cell)]))))
    assert all(not text.lstrip().startswith(("=", "+", "-", "@", "|", "＝")) for text in table[1])


good = st.text(st.characters(min_codepoint=48, max_codepoint=122, categories=["L"]), min_size=1, max_size=9)


@given(
    st.lists(
        st.builds(
            Line,
            good.map(lambda word: f"part {word}"),
            st.integers(0, 999).map(float),
            mass_g=st.none() | st.integers(0, 9999).map(float),
            cost=st.none() | st.integers(0, 10**6).map(lambda cents: Decimal(cents) / 100),
            currency=st.just("EUR"),
            note=st.just("") | good,
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=100, deadline=None)
def test_our_own_tables_are_read_again(lines: list[Line]) -> None:
    again = read_table(write_csv(lines).encode()).lines
    told = [(line.name, line.quantity, line.mass_g, line.cost, line.note) for line in again]
    assert told == [(line.name, line.quantity, line.mass_g, line.cost, line.note) for line in lines]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 10,
        b'"' * 5_000,
        b"(" * 140_000 + b",qty\n",
        b",".join([b"a"] * 30_000),
        b"part,qty\n" + b"x,1\n" * 9_000,
        b"\xff\xfe=\0",
        b"x" * 2_000_001,
        b"part,qty\n" + b"9" * 200_000 + b"," + b"9" * 100_000,
        b"sep=;\npart;qty\na;1\n",
    ],
    ids=["empty", "zeros", "quotes", "brackets", "wide", "long", "utf16", "large", "digits", "sep"],
)
def test_hostile_tables_give_lines_or_reasons(raw: bytes) -> None:
    found = read_table(raw, "bom.csv")
    assert found.lines or found.findings
    assert len(found.lines) <= table.MAX_ROWS


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    read_table(raw)


def test_nodes_tell_their_quantity() -> None:
    rolled = roll_up((Line("rope", 2.5, "m", cost=Decimal(2), currency="EUR"),), find)
    node: Node = rolled.nodes[0]
    assert node.totals.costs == {"EUR": Decimal("5.0")}


def test_lengths_and_areas_are_no_single_parts() -> None:
    lines = (Line("Bolt", 4, unit="pcs"), Line("Rubber", 40, unit="cm²"), Line("Tube", 2, unit="m"), Line("Nut", 4))
    assert roll_up(lines, lambda _address, _version: "").totals.parts == 8
