"""CSV as a table, and what differs between two: counted by hand and by a second way."""

import csv
import io

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from commons.people.models import User
from designs import sheets
from designs.services import create_design, index_now, write_files

PLAIN = b"name,n,price\nBolt,4,0.10\nNut,4,0.05\nRail,2,7.5\n"


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN, PLAIN.replace(b",", b";"), PLAIN.replace(b",", b"\t"), b"sep=|\n" + PLAIN.replace(b",", b"|"),
        b"\xef\xbb\xbf" + PLAIN, PLAIN.decode().encode("utf-16"), PLAIN.replace(b"\n", b"\r\n"),
    ],
)  # fmt: skip
def test_whatever_parts_the_cells(raw: bytes) -> None:
    found = sheets.read(raw)
    assert found is not None
    assert found.header == ("name", "n", "price")
    assert found.rows == (("Bolt", "4", "0.10"), ("Nut", "4", "0.05"), ("Rail", "2", "7.5"))
    assert found.numeric == (False, True, True)


def test_what_is_no_table() -> None:
    for raw in (b"", b"one\ntwo\n", b"a\0b,c\n", b"a," + b"x" * 200_000 + b"\n", b"\n\n"):
        assert sheets.read(raw) is None
    bare = sheets.read(b"1,2\n3,4\n")
    assert bare is not None and (bare.header, len(bare.rows)) == ((), 2)


def test_a_long_table_says_how_much_more_there_is() -> None:
    found = sheets.read(b"a,b\n" + b"".join(b"row%d,x\n" % n for n in range(2345)))
    assert found is not None
    assert (len(found.shown), found.more, found.cut) == (500, 1845, False)
    wide = sheets.read(b"\n".join([b",".join([b"x"] * 300)] * 1000))
    assert wide is not None
    assert wide.columns == 100 and len(wide.shown) == 150
    endless = sheets.read(b"a,b\n" + b"row,x\n" * 400_000)
    assert endless is not None and endless.cut and endless.rows[-1] == ("row", "x")


def _compare(before: bytes, after: bytes) -> sheets.SheetDiff | None:
    old, new = sheets.read(before), sheets.read(after)
    assert old is not None and new is not None
    return sheets.compare(old, new)


def test_rows_that_came_went_and_changed() -> None:
    after = b"name,price,n,note\nBolt,0.10,6,\nRail,7.5,2,long\nFoot,1,4,\n"
    found = _compare(PLAIN, after)
    assert found is not None
    assert found.columns == (("name", "same"), ("price", "same"), ("n", "same"), ("note", "added"))
    told = {(row.kind, row.cells[0].after): [c.before + ">" + c.after for c in row.cells if c.changed]
            for row in found.rows}  # fmt: skip
    assert told[("changed", "Bolt")] == ["4>6"]
    assert told[("removed", "Nut")] == []
    assert told[("added", "Foot")] == []
    assert found.same == 1


def test_columns_that_moved_alone_are_no_difference() -> None:
    found = _compare(PLAIN, b"price,name,n\n0.10,Bolt,4\n0.05,Nut,4\n7.5,Rail,2\n")
    assert found is not None and found.rows == () and found.same == 3
    assert _compare(PLAIN, b"x,y\n1,2\n3,4\n") is None


CELL = st.text("abc1", max_size=2)
TABLE = st.lists(st.tuples(st.sampled_from("pqrs"), CELL, CELL), max_size=12)


@settings(max_examples=60, deadline=None)
@given(TABLE, TABLE)
def test_rows_add_up(before: list[tuple[str, str, str]], after: list[tuple[str, str, str]]) -> None:
    """Every row of either table is counted once; and the changed ones are not the same."""

    def raw(rows: list[tuple[str, str, str]]) -> bytes:
        out = io.StringIO()
        csv.writer(out).writerows([("name", "x", "y"), *rows])
        return out.getvalue().encode()

    old, new = sheets.read(raw(before)), sheets.read(raw(after))
    assert old is not None and new is not None
    if not old.header or not new.header:
        return
    found = sheets.compare(old, new)
    assert found is not None
    kinds = [row.kind for row in found.rows]
    assert found.same + kinds.count("changed") + kinds.count("removed") == len(before)
    assert found.same + kinds.count("changed") + kinds.count("added") == len(after)
    assert all(any(c.changed for c in row.cells) for row in found.rows if row.kind == "changed")
    assert bool(found.rows) or before == after


@pytest.mark.django_db(transaction=True)
def test_pages_show_the_table_and_its_rows_that_differ(client: Client, maker: User) -> None:
    design = create_design(owner=maker.handle, name="Weights", licence="MIT", by=maker)
    write_files(design=design, files={"weights.csv": PLAIN}, message="One", author=maker, by=maker)
    page = client.get("/designs/aila/weights/files/weights.csv").content.decode()
    assert (
        '<th scope="col" class="num">price</th>' in page
        and "<td>Rail</td>" in page
        and '<td class="num">7.5</td>' in page
        and "3 rows" in page
    )
    changed = PLAIN.replace(b"Nut,4", b"Nut,<b>9</b>")
    write_files(design=design, files={"weights.csv": changed}, message="Two", author=maker, by=maker)
    index_now(design=design, by=maker)
    page = client.get("/designs/aila/weights/compare/?path=weights.csv").content.decode()
    assert '<span class="del">4</span>' in page and "&lt;b&gt;9&lt;/b&gt;" in page and "2 rows are the same" in page
    assert "As lines of text" in page
