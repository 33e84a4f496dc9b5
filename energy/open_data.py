"""The sums of communities as open data: what `energy.queries.public` shows to a stranger, and nothing else."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from energy import policies
from energy.queries import public


def rows() -> Iterator[dict[str, Any]]:
    """A step of a community a row: its beginning, kWh used and made; a name that is not shown is left out."""
    for community in policies.visible(None).order_by("slug"):
        version = public.version(community, None)
        if version is None or not public.standing(version, None).curves:
            continue
        curves = public.curves(version, None, "load", "pv")
        step = dt.timedelta(minutes=version.step_minutes)
        for i in range(max((len(values) for values in curves.values()), default=0)):
            told = {f"{name}_kwh": round(values[i], 4) for name, values in curves.items()}
            yield {
                "community": community.slug,
                "time": (version.start + i * step).isoformat(),
                "minutes": version.step_minutes,
                "load_kwh": told.get("load_kwh"),
                "solar_kwh": told.get("pv_kwh"),
                "generated": version.demo,
            }
