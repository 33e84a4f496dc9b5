"""Rows as CSV and as lines of JSON, written one by one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, BinaryIO

import orjson

from commons import csv_files

#: How many rows are read to learn a table's columns.
LOOK_AHEAD = 200

Rows = Callable[[], Iterable[Mapping[str, Any]]]


def as_csv(rows: Rows) -> Callable[[BinaryIO], None]:
    """What writes rows as CSV; the columns are those of the first of them."""

    def write(out: BinaryIO) -> None:
        found: Iterator[Mapping[str, Any]] = iter(rows())
        first = list(islice(found, LOOK_AHEAD))
        columns = list(dict.fromkeys(name for row in first for name in row))
        csv_files.write(out, columns, ([row.get(name) for name in columns] for row in chain(first, found)))

    return write


def as_lines(rows: Rows) -> Callable[[BinaryIO], None]:
    """What writes rows as lines of JSON."""

    def write(out: BinaryIO) -> None:
        for row in rows():
            out.write(orjson.dumps(dict(row), default=str, option=orjson.OPT_APPEND_NEWLINE))

    return write
