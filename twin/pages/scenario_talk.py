"""Comments on a scenario, with what each is about."""

import re
from typing import Any

from commons.people.models import User
from twin import policies
from twin.models import Scenario
from twin.queries import scenario_pages


def threads(of: Scenario, viewer: Any) -> list[dict[str, Any]]:
    """What was said, first things first; `figure` is the key of the figure that it is about."""
    return [
        {
            "comment": row,
            "may_unsay": isinstance(viewer, User) and policies.may_unsay(viewer, row),
            "place": f"{row.lat:.4f}, {row.lon:.4f}" if row.lat is not None and row.lon is not None else "",
        }
        for row in scenario_pages.comments(of)[:200]
    ]


def place(text: str) -> tuple[float | None, float | None]:
    """Longitude and latitude as they were typed; what is no pair of numbers is a place that there is not."""
    if not text.strip():
        return None, None
    try:
        lon, lat = (float(part) for part in re.split(r"[,;\s]+", text.strip()) if part)
    except ValueError:
        return float("nan"), float("nan")
    return lon, lat
