"""Rows as CSV and as lines of JSON, written one by one."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, BinaryIO

import orjson

#: A cell that begins like this would be a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: How many rows are read to learn a table's columns.
LOOK_AHEAD = 200

Rows = Callable[[], Iterable[Mapping[str, Any]]]


def safe(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(cell, dict | list | tuple):
        return orjson.dumps(cell, default=str).decode()
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return "'" + cell
    return "" if cell is None else cell


def write_csv(out: BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table with its head."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe(cell) for cell in row])
    text.detach()


def as_csv(rows: Rows) -> Callable[[BinaryIO], None]:
    """What writes rows as CSV; the columns are those of the first of them."""

    def write(out: BinaryIO) -> None:
        found: Iterator[Mapping[str, Any]] = iter(rows())
        first = list(islice(found, LOOK_AHEAD))
        columns = list(dict.fromkeys(name for row in first for name in row))
        write_csv(out, columns, ([row.get(name) for name in columns] for row in chain(first, found)))

    return write


def as_lines(rows: Rows) -> Callable[[BinaryIO], None]:
    """What writes rows as lines of JSON."""

    def write(out: BinaryIO) -> None:
        for row in rows():
            out.write(orjson.dumps(dict(row), default=str, option=orjson.OPT_APPEND_NEWLINE))

    return write
