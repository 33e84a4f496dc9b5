"""Parts lists compared: which parts came, went, or are wanted in another number."""

import csv
import io
from dataclasses import dataclass

NAMES = frozenset({"part", "name", "item", "description", "component"})
COUNTS = frozenset({"quantity", "qty", "count", "amount", "number"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A part whose line differs; `before` or `after` is "" on the side that lacks it. `notes` are other columns that
    changed: (column, before, after)."""

    name: str
    kind: str
    before: str
    after: str
    notes: tuple[tuple[str, str, str], ...] = ()


def differences(before: bytes, after: bytes) -> list[Difference] | None:
    """Lines of two CSV tables by the name of the part, in the order of the newer; None when one is no table."""
    old, new = _lines(before), _lines(after)
    if old is None or new is None:
        return None
    found = [_difference(name, old.get(name), line) for name, line in new.items()]
    found += [_difference(name, line, None) for name, line in old.items() if name not in new]
    return [difference for difference in found if difference is not None]


Cells = dict[str, str]


def _difference(name: str, old: Cells | None, new: Cells | None) -> Difference | None:
    if old == new:
        return None
    if old is None or new is None:
        count = _count(old or new or {})
        return Difference(name, "added" if old is None else "removed", count if new is None else "",
                          count if old is None else "")  # fmt: skip
    notes = tuple(
        (key, old.get(key, ""), new.get(key, ""))
        for key in dict.fromkeys([*old, *new])
        if key not in COUNTS and key not in NAMES and old.get(key, "") != new.get(key, "")
    )
    return Difference(name, "changed", _count(old), _count(new), notes)


def _count(cells: Cells) -> str:
    return next((cells[key] for key in cells if key in COUNTS), "")


def _lines(raw: bytes) -> dict[str, Cells] | None:
    """{name: {column: value}}; a part that stands twice gets a number."""
    try:
        rows = [row for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"))) if any(cell.strip() for cell in row)]
    except (csv.Error, UnicodeDecodeError):
        return None
    if not rows:
        return {}
    heads = [cell.strip().lower() for cell in rows[0]]
    name = next((at for at, head in enumerate(heads) if head in NAMES), 0)
    lines: dict[str, Cells] = {}
    for row in rows[1:]:
        cells = {head: cell.strip() for head, cell in zip(heads, row, strict=False)}
        title = row[name].strip() if name < len(row) else ""
        while title in lines:
            title += " ·"
        lines[title] = cells
    return lines
