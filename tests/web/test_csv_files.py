"""Tables that leave the city run nothing in anybody's spreadsheet, and keep their numbers."""

import ast
import csv
import datetime as dt
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given, settings
from hypothesis import strategies as st

from commons import csv_files

ROOT = Path(__file__).resolve().parents[2]
BLANKS = " \x0b\x0c\u00a0\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u3000\ufeff"
FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def is_number(cell: str) -> bool:
    """Whether a program takes the cell for a plain number."""
    try:
        return bool(float(cell) or True) and cell.isascii() and "_" not in cell and cell[-1:] not in "yfnt "
    except ValueError:
        return False


def is_formula(cell: str) -> bool:
    """Whether some program takes the cell for a formula: a number stays one, also where commas follow it."""
    return cell.lstrip(BLANKS).startswith(FORMULAS) and not is_number(cell.partition(",")[0])


@pytest.mark.parametrize(
    "cell",
    ["=cmd|' /C calc'!A0", "+A1", "-A1+B2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\u202e=1",
     "|x", "%x", "＝1", "=", "-", "--5", "-inf", "+1_0", "-٣", "x;=1+1", 'x;"=1+1"', "x\n=1+1", "x\t@A1", "x; +A1"],
)  # fmt: skip
def test_what_would_run_becomes_words(cell: str) -> None:
    written = csv_files.harmless(cell)
    assert written != cell
    assert written.replace("'", "") == cell.replace("'", "")
    assert is_formula(cell) is False or written.startswith("'")


@pytest.mark.parametrize(
    "cell", ["-4.5", "+3", "-1e-9", ".5", "-0", "12", "screw M3", "R1, R2", "a - b", "1/2", "", "Ä=b", "mail@home"]
)
def test_numbers_and_words_stay(cell: str) -> None:
    assert csv_files.harmless(cell) == cell


def test_other_values_are_written_as_they_are() -> None:
    rows = [[None, True, -3, -2.5, Decimal("-0.10"), dt.date(2026, 3, 1), {"a": "=1"}, ["=1"], gettext_lazy("=1")]]
    told = csv_files.text(["=a", *"bcdefghi"], rows)
    assert told == (
        "'=a,b,c,d,e,f,g,h,i\r\n,True,-3,-2.5,-0.10,2026-03-01,\"{\"\"a\"\":\"\"=1\"\"}\",\"[\"\"=1\"\"]\",'=1\r\n"
    )


cells = st.text(st.sampled_from("=+-@＝;,\t\r\n\"' \u00a0\u202ea1"), max_size=8)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=3))
@settings(max_examples=600, deadline=None)
def test_no_program_finds_a_formula_wherever_it_parts_the_columns(rows: list[list[str]]) -> None:
    told = csv_files.text(["a", "b", "c"], rows)
    for mark in ",;\t":
        for row in csv.reader(io.StringIO(told, newline=""), delimiter=mark):
            assert not [cell for cell in row if is_formula(cell)], (mark, row)


@given(st.lists(st.lists(st.text(), min_size=1, max_size=3), max_size=4))
@settings(max_examples=200, deadline=None)
def test_nothing_but_apostrophes_is_added(rows: list[list[str]]) -> None:
    rows = [["x", *row] for row in rows]
    again = list(csv.reader(io.StringIO(csv_files.text(["a"], rows), newline="")))[1:]
    assert [[cell.replace("'", "") for cell in row] for row in again] == [
        [cell.replace("'", "") for cell in row] for row in rows
    ]


def test_an_answer_is_sent_while_its_rows_are_read() -> None:
    read: list[int] = []

    def rows() -> Iterator[list[Any]]:
        for number in range(5000):
            read.append(number)
            yield [number, "ä" * 20]

    answer = csv_files.answer("much", ["n", "word"], rows())
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="much.csv"'
    pieces = iter(answer.streaming_content)  # type: ignore[call-overload]
    next(pieces)
    assert 0 < len(read) < 2500
    assert sum(piece.count(b"\r\n") for piece in pieces) + 1 < 5001
    held = io.BytesIO()
    csv_files.write(held, ["n"], [["\ud800"]])
    assert held.getvalue() == b"n\r\n?\r\n"


def test_nobody_else_writes_csv() -> None:
    """`csv.writer` and `csv.DictWriter` stand in one file of the city; what reads is free to read."""
    found = []
    for room in ("platform", "designs", "labs", "energy", "twin"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "node_modules" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_bytes())):
                name = getattr(node, "attr", "") or getattr(node, "name", "")
                if name in {"writer", "DictWriter", "to_csv"} and not isinstance(node, ast.FunctionDef):
                    found.append(str(path.relative_to(ROOT)))
    assert found == ["platform/commons/csv_files.py"]
