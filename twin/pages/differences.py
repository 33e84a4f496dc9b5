"""What differs on the map between today and a scenario: layers of the map, and the same as tables for everybody.

The columns are those of `twin.engine.scenario.Comparison`: of each building and street the difference under the name of
the figure, and today's value under `<name>_before`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import floor, log10
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twin import scenario_files
from twin.errors import NoAnswerYet
from twin.models import ScenarioResult
from twin.pages.answers import in_unit
from twin.queries import scenario_pages

Columns = Mapping[str, Sequence[Any]]
LAYERS = ("buildings", "streets")
MOST_ROWS = 10
MOST_NAMED = 2000
"""Of each figure the places whose names are looked up, those that differ most: pieces of one street are one row."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A column that the map shows: which way is better, from which difference on it is noticed."""

    name: str
    source: str
    label: str | Promise
    unit: str
    better: str
    noticed: float


SHOWN = (
    Shown("flow", "streets", gettext_lazy("Cars on the streets"), "1/h", "down", 5.0),
    Shown("speed", "streets", gettext_lazy("Speed on the streets"), "km/h", "none", 1.0),
    Shown("cost", "buildings", gettext_lazy("Bill for power"), "EUR/year", "down", 1.0),
    Shown("made_kwh", "buildings", gettext_lazy("Solar power made"), "kWh/year", "up", 1.0),
    Shown("walk_min", "buildings", gettext_lazy("To everyday services on foot"), "min", "down", 0.05),
    Shown("outage_day", "buildings", gettext_lazy("Lit a day into a power cut"), "%", "up", 1.0),
    Shown("heat", "buildings", gettext_lazy("Level of heat"), "", "down", 0.5),
)


def columns_of(result: ScenarioResult) -> dict[str, Columns]:
    """The columns of an answer by layer; none where they are no longer kept."""
    if not result.detail_sha256:
        return {}
    try:
        found: dict[str, Columns] = scenario_files.read(result.detail_sha256)
    except NoAnswerYet:
        return {}
    return found


def shown(result: ScenarioResult) -> dict[str, Any]:
    """What the page says of places: layers of the map, and tables."""
    columns = columns_of(result)
    if not columns:
        return {"layers": [], "tables": []}
    names = {layer: scenario_pages.names_by_key(result, layer, _told(layer, columns[layer])) for layer in columns}
    return {"layers": layers(columns), "tables": tables(columns, names)}


def _told(layer: str, columns: Columns) -> list[str]:
    """The keys that tables may name: of a large district a part of those that differ."""
    found: dict[str, None] = {}
    for each in SHOWN:
        if each.source == layer and _moved(each, columns):
            rows = zip(columns[each.name], map(str, columns["key"]), strict=True)
            moved = ((abs(value), key) for value, key in rows if value is not None and abs(value) >= each.noticed)
            found |= dict.fromkeys(key for _by, key in nlargest(MOST_NAMED, moved))
    return list(found)


def layers(columns: Mapping[str, Columns]) -> list[dict[str, Any]]:
    """What the map may be coloured by (lc-scenario): columns in which anything differs by more than is noticed."""
    return [_layer(each, columns[each.source]) for each in SHOWN if _moved(each, columns.get(each.source) or {})]


def _moved(each: Shown, columns: Columns) -> bool:
    return any(value is not None and abs(value) >= each.noticed for value in columns.get(each.name) or ())


def _layer(each: Shown, columns: Columns) -> dict[str, Any]:
    sizes = sorted(abs(value) for value in columns[each.name] if value)
    most = sizes[min(int(len(sizes) * 0.95), len(sizes) - 1)]
    return {
        "key": each.name,
        "label": str(each.label),
        "source": each.source,
        "difference": each.name,
        "today": f"{each.name}_before",
        "unit": _said_unit(each.unit),
        "better": each.better,
        "most": max(_round(most), each.noticed),
        "steps": _steps(columns.get(f"{each.name}_before") or ()),
    }


def _said_unit(unit: str) -> str:
    return {"1/h": _("cars an hour"), "EUR/year": _("€ a year"), "kWh/year": _("kWh a year"), "min": _("min")}.get(
        unit, unit
    )


def _round(value: float) -> float:
    """To one figure: 1, 2, 5 and tens of them, up."""
    scale = 10 ** floor(log10(value)) if value > 0 else 1.0
    return next(step * scale for step in (1, 2, 5, 10) if value <= step * scale * (1 + 1e-9))


def _steps(values: Sequence[Any]) -> list[float]:
    """Four edges at even parts of today's values, rounded, each once."""
    known = sorted(float(value) for value in values if value)
    if not known:
        return []
    edges = (known[int(len(known) * part)] for part in (0.25, 0.5, 0.75, 0.9))
    return sorted({_round(edge) for edge in edges})


def tables(columns: Mapping[str, Columns], names: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """For each layer the places that differ most, the worse ones first; `names` by layer and key.

    Pieces of a street of one name are one row, the piece that differs most.
    """
    return [
        _table(each, columns[each.source], names.get(each.source) or {})
        for each in SHOWN
        if _moved(each, columns.get(each.source) or {})
    ]


def _table(each: Shown, columns: Columns, names: Mapping[str, str]) -> dict[str, Any]:
    keys, before = columns["key"], columns.get(f"{each.name}_before") or [None] * len(columns["key"])
    best: dict[str, tuple[str, float, float | None]] = {}
    moved = 0
    for key, difference, today in zip(keys, columns[each.name], before, strict=True):
        if difference is None or abs(difference) < each.noticed:
            continue
        moved += 1
        name = names.get(str(key)) or ""
        kept = best.get(name or str(key))
        if kept is None or abs(difference) > abs(kept[1]):
            best[name or str(key)] = (str(key), float(difference), today)
    worse = 1 if each.better == "down" else -1
    order = sorted(best.values(), key=lambda row: (-abs(row[1]), row[0]))[:MOST_ROWS]
    if each.better != "none":
        order.sort(key=lambda row: (row[1] * worse < 0, -abs(row[1]), row[0]))
    what = _("Street") if each.source == "streets" else _("Building")
    words = _("%(moved)s of %(all)s differ; these most.") % {"moved": moved, "all": len(keys)}
    return {
        "slug": each.name,
        "source": each.source,
        "title": str(each.label),
        "what": what,
        "words": words,
        "rows": [_row(each, row, names.get(row[0]) or "") for row in order],
    }


def _row(each: Shown, row: tuple[str, float, float | None], name: str) -> dict[str, Any]:
    key, difference, today = row
    better = each.better != "none" and (difference > 0) == (each.better == "up")
    return {
        "key": key,
        "name": name or _("without a name"),
        "today": in_unit(today, each.unit),
        "scenario": in_unit(None if today is None else today + difference, each.unit),
        "difference": in_unit(difference, each.unit, signed=True),
        "verdict": "moved" if each.better == "none" else "better" if better else "worse",
    }
