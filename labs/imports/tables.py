"""Bytes of a table into rows with their line numbers: encoding and delimiter are found and named. Pure and bounded."""

import csv
import io
from dataclasses import dataclass

from labs.imports.rows import Reading, Where

MAX_BYTES, MAX_ROWS, LONGEST_CELL = 10_000_000, 50_000, 2000
ENCODINGS = ("utf-8", "cp1252")
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """The line where it begins (counted from 1) and its cells by the name of their column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table and how it was read."""

    file: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def where(self, row: Row, column: str = "") -> Where:
        """A cell of it."""
        return Where(self.file, row.line, column)


def decode(body: bytes) -> tuple[str, str]:
    """The text and the name of its encoding; UTF-16 by its mark, else UTF-8, else Windows-1252."""
    if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return body.decode("utf-16", errors="replace"), "UTF-16"
    for name in ENCODINGS:
        try:
            return body.decode("utf-8-sig" if name == "utf-8" else name), "UTF-8" if name == "utf-8" else "Windows-1252"
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1"), "ISO 8859-1"


def read(file: str, body: bytes, into: Reading) -> Table | None:
    """The table of a file, or None when it is none; what is wrong goes `into` the reading."""
    if len(body) > MAX_BYTES:
        into.say(Where(file), "too-large", most=MAX_BYTES // 1_000_000)
        return None
    text, encoding = decode(body)
    if "\0" in text:
        into.say(Where(file), "not-a-table")
        return None
    delimiter = _delimiter(text)
    try:
        table = _rows(file, text, delimiter, encoding, into)
    except csv.Error:
        into.say(Where(file), "not-a-table")
        return None
    if table is None:
        into.say(Where(file), "empty")
    return table


def _delimiter(text: str) -> str:
    """The one that the heading has most of; a comma where it has none."""
    heading = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=heading.count)


def _rows(file: str, text: str, delimiter: str, encoding: str, into: Reading) -> Table | None:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    heading: list[str] | None = None
    rows: list[Row] = []
    end = 0
    for cells in reader:
        line, end = end + 1, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if heading is None:
            heading = [" ".join(cell.lower().replace("_", " ").split()) for cell in cells]
            continue
        where = Where(file, line)
        if len(rows) >= MAX_ROWS:
            into.say(where, "too-many-rows", most=MAX_ROWS)
            break
        if len(cells) > len(heading) and any(cell.strip() for cell in cells[len(heading) :]):
            into.say(where, "too-many-cells", has=len(cells), of=len(heading))
            into.count("unread")
            continue
        if any(len(cell) > LONGEST_CELL for cell in cells):
            into.say(where, "cell-too-long", most=LONGEST_CELL)
            into.count("unread")
            continue
        padded = [*cells, *[""] * (len(heading) - len(cells))]
        pairs = zip(heading, (" ".join(cell.split()) for cell in padded), strict=False)
        rows.append(Row(line, {name: cell for name, cell in pairs if name}))
    return Table(file, encoding, delimiter, tuple(heading), tuple(rows)) if heading is not None else None
