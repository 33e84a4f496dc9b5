"""What the pages of coverage show, put together."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from commons.places.models import Place
from commons.sockets import Evidence
from twin import queries
from twin.coverage.cells import Cell, breadth, cells, collected, depth
from twin.coverage.levels import HIGHEST, standing
from twin.coverage.supply import next_step
from twin.coverage.systems import LEVELS, RULES_VERSION, SYSTEMS
from twin.models import CoverageDay, District


def coverage_page(found: District) -> dict[str, Any]:
    """The 16 systems by 5 levels of a district, what is missing, and how it went day by day."""
    if found.place is None:
        return {"rows": []}
    now = timezone.now()
    made = cells(collected(found.place), now)
    days = queries.coverage_days(found.place.pk)
    return {
        "rows": [_row(cell, found, now) for cell in made],
        "levels": list(enumerate(LEVELS))[1:],
        "breadth": breadth(made),
        "of": len(SYSTEMS),
        "depth": depth(made),
        "steps_done": sum(cell.level for cell in made),
        "steps_all": len(SYSTEMS) * HIGHEST,
        "stale": [cell.system.title for cell in made if cell.decayed],
        "days": days,
        "chart": coverage_chart(days, found.place) if len(days) > 1 else None,
        "rules": RULES_VERSION,
    }


def _row(cell: Cell, found: District, now: dt.datetime) -> dict[str, Any]:
    """A system with its five squares, its evidence, and what its next level wants."""
    claims = [(piece, standing(piece, now)) for piece, _level in cell.evidence]
    why = next((stood.why for piece, stood in claims if piece.level > cell.level and stood.why), "")
    return {
        "cell": cell,
        "squares": [_square(level, cell, claims) for level in range(1, HIGHEST + 1)],
        "evidence": [
            {"piece": piece, "level": stood.level, "why": stood.why, "claimed": piece.level} for piece, stood in claims
        ],
        "step": next_step(cell, why, found),
    }


def _square(level: int, cell: Cell, claims: list[tuple[Evidence, Any]]) -> dict[str, Any]:
    """One square: `on` evidence of this very level, `under` passed by a higher one, `off` claimed but not counting."""
    here = [piece for piece, stood in claims if stood.level == level]
    if here:
        state, sign = "on", "✓"
    elif level <= cell.level:
        state, sign = "under", "·"
    elif any(piece.level >= level for piece, _stood in claims):
        state, sign = "off", "!"
    else:
        state, sign = "none", ""
    words = {
        "on": _("shown by evidence"),
        "under": _("passed over: a higher level is shown"),
        "off": _("evidence that does not count now"),
        "none": _("nothing"),
    }
    return {"level": level, "title": LEVELS[level], "state": state, "sign": sign, "words": words[state]}


def coverage_chart(days: list[CoverageDay], place: Place) -> dict[str, Any]:
    """Systems modelled and levels reached, in per cent, by day (lc-chart)."""
    moments = [int(dt.datetime.combine(row.day, dt.time(12), tzinfo=dt.UTC).timestamp()) for row in days]
    return {
        "x": moments,
        "series": [
            {
                "label": _("systems modelled"),
                "unit": "%",
                "color": "act",
                "kind": "line",
                "values": [round(100 * row.breadth / len(SYSTEMS), 1) for row in days],
            },
            {
                "label": _("depth"),
                "unit": "%",
                "color": "load",
                "kind": "line",
                "dashed": True,
                "values": [round(100 * row.depth, 1) for row in days],
            },
        ],
        "height": 230,
        "step": 86_400,
    }


def compare_page() -> dict[str, Any]:
    """Every district with a place: its level of each system beside the others'."""
    now = timezone.now()
    columns: list[dict[str, Any]] = []
    for found in queries.districts().exclude(place=None):
        assert found.place is not None  # noqa: S101 excluded
        made = cells(collected(found.place), now)
        columns.append({"district": found, "cells": made, "breadth": breadth(made), "depth": depth(made)})
    columns.sort(key=lambda column: (-column["depth"], column["district"].name))
    rows = [
        {"system": system, "cells": [column["cells"][at] for column in columns]} for at, system in enumerate(SYSTEMS)
    ]
    return {"columns": columns, "rows": rows, "of": len(SYSTEMS)}
