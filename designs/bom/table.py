"""Parts lists in CSV: any delimiter, any usual encoding, headings in several languages."""

import csv
import io
from collections import Counter
from collections.abc import Sequence

from django.utils.translation import gettext as _

from designs.bom import numbers
from designs.bom.cells import Reading, line_of
from designs.bom.lines import Bom, Finding, Line
from designs.bom.words import TOTALS, heading, plain

MAX_BYTES = 2_000_000
MAX_ROWS = 5_000
MAX_COLUMNS = 200
DELIMITERS = ",;\t|"
#: Rows that may stand above the heading: a title, a date, who made it.
ABOVE = 15


def read_table(raw: bytes, path: str = "", *, site: str = "") -> Bom:
    """The lines of a CSV file; addresses of designs on `site` (a host) are sub-assemblies.

    A file that is no table gives a list without lines that says why. Never raises.
    """
    try:
        text = _text(raw)
        rows, delimiter = _rows(text)
    except (csv.Error, ValueError) as fault:
        return Bom(path, (), (Finding("error", 0, str(fault)),))
    found = _heading(rows)
    if not rows:
        return Bom(path, (), (Finding("error", 0, _("There is nothing in this list.")),))
    fields, units, first = found if found is not None else _by_place(rows)
    body = rows[first:]
    comma = numbers.comma_is_decimal(_amounts(body, fields), semicolons=delimiter == ";")
    reading = Reading(comma, units, site=site)
    if found is None:
        reading.say("hint", 1, _("The first row names no columns; name and quantity were taken by their place."))
    lines = tuple(_lines(body, fields, reading))
    if len(body) > MAX_ROWS:
        reading.say("warning", body[MAX_ROWS][0], _("Only the first %(n)d rows are read.") % {"n": MAX_ROWS})
    return Bom(path, lines, tuple(reading.findings))


def _text(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise ValueError(_("This list has more than %(n)d MB.") % {"n": MAX_BYTES // 1_000_000})
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    if b"\0" in raw:
        raise ValueError(_("This is no table of text: it holds zero bytes."))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _rows(text: str) -> tuple[list[tuple[int, list[str]]], str]:
    """Rows with the line where each begins, and the delimiter. Raises csv.Error."""
    first, _newline, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        text, delimiter = "\n" + rest, first.strip()[4]
    else:
        delimiter = max(DELIMITERS, key=lambda mark: _score(text, mark))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, before = [], 0
    for row in reader:
        cells = [cell.strip() for cell in row[:MAX_COLUMNS]]
        if any(cells):
            rows.append((before + 1, cells))
        before = reader.line_num
        if len(rows) > MAX_ROWS + ABOVE:
            break
    return rows, delimiter


def _score(text: str, mark: str) -> tuple[float, int]:
    """How well a mark divides the first rows: how many agree on the number of cells, then how many cells."""
    head = "\n".join(text.splitlines()[:40])[:40_000]
    try:
        widths = [len(row) for row in csv.reader(io.StringIO(head), delimiter=mark) if any(c.strip() for c in row)]
    except csv.Error:
        return 0.0, 0
    if not widths:
        return 0.0, 0
    width, agree = max(Counter(widths).items(), key=lambda item: (item[1], item[0]))
    return (agree / len(widths) if width > 1 else 0.0), width


Columns = tuple[dict[int, str], dict[str, str], int]


def _heading(rows: Sequence[tuple[int, list[str]]]) -> Columns | None:
    """(field by column, unit by field, first row of the body) of the row that names the columns."""
    best: Columns | None = None
    for number, (_row, cells) in enumerate(rows[:ABOVE]):
        fields: dict[int, str] = {}
        units: dict[str, str] = {}
        for column, cell in enumerate(cells):
            field, unit = heading(cell)
            if field and field not in fields.values():
                fields[column] = field
                if unit:
                    units[field] = unit
        named = {"name", "supplier_ref", "designators", "design"} & set(fields.values())
        good = named and (len(fields) > 1 or len(cells) == 1)
        if good and (best is None or len(fields) > len(best[0])):
            best = fields, units, number + 1
    return best


def _by_place(rows: Sequence[tuple[int, list[str]]]) -> Columns:
    """Without a heading: the first column with words is the name, the first with only numbers the quantity."""
    width = max(len(cells) for _row, cells in rows)
    columns = [[cells[c] for _row, cells in rows if c < len(cells) and cells[c]] for c in range(width)]
    counts = [bool(column) and all(cell.replace(".", "").isdigit() for cell in column) for column in columns]
    name = next((c for c in range(width) if columns[c] and not counts[c]), 0)
    fields = {name: "name"}
    if True in counts:
        fields[counts.index(True)] = "quantity"
    return fields, {}, 0


def _amounts(body: Sequence[tuple[int, list[str]]], fields: dict[int, str]) -> list[str]:
    wanted = {c for c, field in fields.items() if field in {"quantity", "mass_g", "mass_total", "cost", "cost_total"}}
    return [cells[c] for _row, cells in body[:MAX_ROWS] for c in wanted if c < len(cells)]


def _lines(body: Sequence[tuple[int, list[str]]], fields: dict[int, str], reading: Reading) -> list[Line]:
    lines = []
    for row, cells in body[:MAX_ROWS]:
        named = {fields[c]: cell for c, cell in enumerate(cells) if c in fields and cell}
        if not named:
            continue
        words = plain(named.get("name", ""))
        if words in TOTALS or (not named.get("name") and plain(cells[0]) in TOTALS):
            continue
        line = line_of(named, row, reading)
        if line is not None:
            lines.append(line)
    return lines
