"""What is foreseen to be spare in the coming days, for the page that looks ahead."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from energy import charts, queries
from energy.models import Community
from energy.queries.outlooks import Ahead

#: What a day of an outlook comes from.
BASES = {
    "forecast": gettext_lazy("the forecast of the day"),
    "lately": gettext_lazy("the same hours of the last four weeks"),
    "season": gettext_lazy("the same weeks of the data's year"),
    "carried": gettext_lazy("the newest forecast, carried on"),
}


def shown(community: Community) -> dict[str, Any] | None:
    """The outlook as the page shows it; None where there is none. It is made of what everybody may see."""
    ahead = queries.outlook_of(community)
    if ahead is None:
        return None
    plans = queries.planned_of(community)
    return {
        "made_at": ahead.made_at,
        "zone": ahead.zone.key,
        "chart": charts.outlook_chart(ahead),
        "days": _days(ahead),
        "plans": [
            {"name": p.row.name, "url": p.row.url, "kwh": p.on(ahead.start, ahead.end), "bookings": p.row.bookings}
            for p in plans
        ],
    }


def _days(ahead: Ahead) -> list[dict[str, Any]]:
    hours, found = ahead.step / dt.timedelta(hours=1), dict[dt.date, dict[str, Any]]()
    for at, nth in ahead.cells(ahead.start, ahead.end):
        date = at.astimezone(ahead.zone).date()
        row = found.setdefault(
            date,
            {"date": date, "low": 0.0, "middle": 0.0, "high": 0.0, "planned": 0.0,
             "basis": BASES.get(ahead.basis_at(at), _("not known"))},
        )  # fmt: skip
        for name in ("low", "middle", "high", "planned"):
            row[name] += max(getattr(ahead, name)[nth], 0.0) * hours
    return list(found.values())
