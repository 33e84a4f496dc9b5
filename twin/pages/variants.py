"""Up to six scenarios of one district beside today: the same figures in one table, the best value of each marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from twin.pages.answers import GROUPS, Comparison, in_unit, known, label, verdict

MOST = 6
LEVEL = 1e-6
"""Values nearer than this share of each other are level."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario's value of a figure, in words; `best` when no other column does better."""

    value: str
    difference: str
    verdict: str
    best: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One figure over all columns; `today` is the first of them."""

    key: str
    label: str
    better: str
    today: Cell
    cells: tuple[Cell, ...]


def table(variants: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Rows by group, in the order of the first scenario that has them. A figure that one lacks is an en dash there."""
    found: dict[str, list[dict[str, Any] | None]] = {}
    for at, variant in enumerate(variants):
        for row in variant["figures"]:
            found.setdefault(str(row["key"]), [None] * len(variants))[at] = row
    rows: dict[str, list[Row]] = {}
    for key, columns in found.items():
        first = next(row for row in columns if row is not None)
        rows.setdefault(str(first.get("group") or ""), []).append(_row(key, first, columns))
    order = [slug for slug in GROUPS if slug in rows] + [slug for slug in rows if slug not in GROUPS]
    return [{"slug": slug, "title": GROUPS.get(slug, slug), "rows": rows[slug]} for slug in order]


def _row(key: str, first: dict[str, Any], columns: Sequence[dict[str, Any] | None]) -> Row:
    unit, better = str(first.get("unit") or ""), str(first.get("better") or "none")
    values = [known(first, "baseline"), *(known(row, "scenario") if row else None for row in columns)]
    best = _best(values, better)
    cells = tuple(
        Cell(
            value=in_unit(row.get("scenario") if row else None, unit),
            difference=in_unit(row.get("difference") if row else None, unit, signed=True),
            verdict=verdict(row) if row else "unclear",
            best=best[at + 1],
        )
        for at, row in enumerate(columns)
    )
    today = Cell(in_unit(values[0], unit), "", "same", best[0])
    return Row(key, label(first), better, today, cells)


def _best(values: Sequence[float | None], better: str) -> list[bool]:
    """Which values nobody beats; none where neither way is better, or all are level."""
    there = [value for value in values if value is not None]
    if better not in {"up", "down"} or len(there) < 2:
        return [False] * len(values)
    top = max(there) if better == "up" else min(there)
    room = LEVEL * max(abs(value) for value in there)
    if max(there) - min(there) <= room:
        return [False] * len(values)
    return [value is not None and abs(value - top) <= room for value in values]


def unlike(variants: Sequence[Comparison]) -> list[str]:
    """Why columns may not be held against each other, in sentences; nothing where they may."""
    said = []
    if len({variant.get("city_version") for variant in variants}) > 1:
        said.append(_("They were reckoned on different versions of the district, so a part of the difference is its."))
    if len({variant.get("depth") for variant in variants}) > 1:
        said.append(_("They were reckoned at different depths: bands of one are no bands of the other."))
    engines = {tuple(sorted((e["name"], e["version"]) for e in variant["engines"])) for variant in variants}
    if len(engines) > 1:
        said.append(_("They were reckoned by different engines or versions of them."))
    return said
