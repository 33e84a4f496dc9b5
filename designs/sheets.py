"""Tables of text (CSV) as people read them: rows and columns, and what differs between two. Pure and bounded."""

import csv
import difflib
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

MAX_BYTES = 2_000_000
#: What a page shows: rows, and cells in all, of which very wide tables have many.
MAX_ROWS, MAX_CELLS, MAX_COLUMNS, LONGEST = 500, 15_000, 100, 300
#: Two tables of more rows are compared as text alone: pairing rows takes the square of their number.
MAX_COMPARED, MAX_DIFFERENT = 1000, 300
DELIMITERS = ",;\t|"
Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. `header` is empty where the first row names no columns; `rows` are all that were read, each of as many
    cells as there are columns; `cut` says that the file goes on where reading stopped."""

    header: Cells
    rows: tuple[Cells, ...]
    cut: bool = False

    @property
    def columns(self) -> int:
        """How many columns there are, at most MAX_COLUMNS."""
        return len(self.header or self.rows[0])

    @property
    def shown(self) -> tuple[Cells, ...]:
        """The rows that a page shows."""
        return self.rows[: max(20, min(MAX_ROWS, MAX_CELLS // max(1, self.columns)))]

    @property
    def heads(self) -> list[tuple[str, bool]]:
        """The names of the columns, each with whether it holds numbers; none where the first row names none."""
        return list(zip(self.header, self.numeric, strict=True)) if self.header else []

    @property
    def told(self) -> list[list[tuple[str, bool]]]:
        """The cells of the rows that a page shows, each with whether its column holds numbers."""
        kinds = self.numeric
        return [list(zip(row, kinds, strict=True)) for row in self.shown]

    @property
    def more(self) -> int:
        """Rows that were read and are not shown."""
        return len(self.rows) - len(self.shown)

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Of each column, whether it holds numbers."""
        return tuple(
            bool(said) and sum(map(_is_number, said)) >= 0.8 * len(said)
            for said in ([cell for cell in column if cell] for column in zip(*self.rows[:MAX_ROWS], strict=True))
        )


def read(raw: bytes) -> Sheet | None:
    """The table that the bytes are, or None for what is none: no text, one column, cells without end.

    Of more than MAX_BYTES the whole lines before that are read.
    """
    cut = len(raw) > MAX_BYTES
    if cut:
        raw = raw[:MAX_BYTES].rpartition(b"\n")[0]
    text = _text(raw)
    if text is None:
        return None
    try:
        delimiter, text = _delimiter(text)
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error:
        return None
    width = min(MAX_COLUMNS, max((len(row) for row in rows[:2000]), default=0))
    if width < 2:
        return None
    cells = [tuple(" ".join(cell.split())[:LONGEST] for cell in row[:width]) for row in rows]
    full = [row + ("",) * (width - len(row)) for row in cells]
    header = full[0] if len(full) > 1 and _names_columns(full[0]) else ()
    return Sheet(header, tuple(full[1:] if header else full), cut)


def _text(raw: bytes) -> str | None:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    if b"\0" in raw:
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _delimiter(text: str) -> tuple[str, str]:
    """What parts the cells, as Excel's first line says or as most rows agree; and the text of the table."""
    first, _newline, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4], rest
    head = "\n".join(text[:40_000].splitlines()[:40])
    return max(DELIMITERS, key=lambda mark: _score(head, mark)), text


def _score(head: str, mark: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(io.StringIO(head), delimiter=mark) if any(row)]
    except csv.Error:
        return 0.0, 0
    if not widths:
        return 0.0, 0
    width, agree = max(Counter(widths).items(), key=lambda item: (item[1], item[0]))
    return (agree / len(widths) if width > 1 else 0.0), width


def _names_columns(row: Cells) -> bool:
    said = [cell for cell in row if cell]
    return 2 * len(said) >= len(row) and not any(map(_is_number, said))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text.replace(",", ".").replace(" ", "").rstrip("%")))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of two tables; equal texts are one that stayed."""

    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether it reads otherwise now."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class RowDiff:
    """A row that differs: `kind` added, removed or changed; its number in the newer table, or the older if it went."""

    kind: str
    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class SheetDiff:
    """Rows that differ. `columns` are (name, kind) with kind same, added or removed; `more` rows are not listed."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[RowDiff, ...]
    same: int
    more: int = 0


def compare(before: Sheet, after: Sheet) -> SheetDiff | None:
    """What differs between two tables; None where they have no column in common or too many rows.

    Columns are the same by their name, by their place where none are named. Rows are paired by the longest runs of
    equal ones; between those, rows with the same first cell, then those at the same place, are one that changed.
    """
    if max(len(before.rows), len(after.rows)) > MAX_COMPARED or before.cut or after.cut:
        return None
    columns = _columns(before, after)
    if not any(kind == "same" for _name, kind, _old, _new in columns):
        return None
    kept = [(old, new) for _name, kind, old, new in columns if kind == "same"]
    old_rows = [tuple(row[old] for old, _new in kept) for row in before.rows]
    new_rows = [tuple(row[new] for _old, new in kept) for row in after.rows]
    found, same = [], 0
    matcher = difflib.SequenceMatcher(None, old_rows, new_rows, autojunk=False)
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal":
            same += a1 - a0
            continue
        for old, new in _pairs(old_rows, new_rows, range(a0, a1), range(b0, b1)):
            kind = "removed" if new is None else "added" if old is None else "changed"
            number = (new if new is not None else old or 0) + 1
            found.append(RowDiff(kind, number, _cells(columns, before, after, old, new)))
    named = tuple((name, kind) for name, kind, _old, _new in columns)
    return SheetDiff(named, tuple(found[:MAX_DIFFERENT]), same, max(0, len(found) - MAX_DIFFERENT))


def _columns(before: Sheet, after: Sheet) -> list[tuple[str, str, int, int]]:
    """(name, kind, place before, place after), in the order of the newer table; -1 where it has none."""
    if not (before.header and after.header):
        both, most = min(before.columns, after.columns), max(before.columns, after.columns)
        kind = "added" if after.columns > before.columns else "removed"
        return [
            (str(n + 1), "same", n, n) if n < both else
            (str(n + 1), kind, n if kind == "removed" else -1, n if kind == "added" else -1)
            for n in range(most)
        ]  # fmt: skip
    old, new = _numbered(before.header), _numbered(after.header)
    listed = [(name, "same" if key in old else "added", old.get(key, -1), n)
              for (key, n), name in zip(new.items(), after.header, strict=True)]  # fmt: skip
    gone = [(before.header[n], "removed", n, -1) for key, n in old.items() if key not in new]
    return [*listed, *gone]


def _numbered(header: Cells) -> dict[tuple[str, int], int]:
    """The place of each column by its name; one that repeats is told apart by its turn."""
    turns: Counter[str] = Counter()
    found = {}
    for n, name in enumerate(header):
        turns[name] += 1
        found[name, turns[name]] = n
    return found


def _pairs(
    old_rows: Sequence[Cells], new_rows: Sequence[Cells], olds: range, news: range
) -> list[tuple[int | None, int | None]]:
    """Rows of a stretch that differs, each with the one that it became, in the order of the newer table."""
    by_name: dict[str, list[int]] = {}
    for old in olds:
        by_name.setdefault(old_rows[old][0], []).append(old)
    became = {new: by_name[name].pop(0) for new in news if by_name.get(name := new_rows[new][0])}
    taken = set(became.values())
    left = [old for old in olds if old not in taken]
    if len(olds) == len(news):
        became |= dict(zip((new for new in news if new not in became), left, strict=True))
        left = []
    gone = [(old, None) for old in left]
    return [*gone, *((became.get(new), new) for new in news)]


def _cells(
    columns: Sequence[tuple[str, str, int, int]], before: Sheet, after: Sheet, old: int | None, new: int | None
) -> tuple[Cell, ...]:
    """The cells of a row in the order of the columns; a column that one table lacks counts as its empty cell."""
    was = before.rows[old] if old is not None else None
    now = after.rows[new] if new is not None else None
    found = []
    for _name, _kind, a, b in columns:
        left = was[a] if was is not None and a >= 0 else None
        right = now[b] if now is not None and b >= 0 else None
        if was is None or now is None:
            text = (left if now is None else right) or ""
            found.append(Cell(text, text))
        else:
            found.append(Cell(left or "", right or ""))
    return tuple(found)
