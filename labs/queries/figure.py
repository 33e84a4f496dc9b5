"""The share of production from open designs: the third figure on the front door, from the sums of the days.

The definition is `labs.engine.openness`, in words on the page /figures/open-production/.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.places.models import Place
from commons.sockets import Figure
from labs.engine import openness
from labs.queries import production

DAYS = 90
VERSION = openness.VERSION


def open_production(place: Place) -> Figure:
    """The lower bound by machine hours, with upper bound and coverage (contract, Settled)."""
    end = timezone.now()
    last = end.astimezone(dt.UTC).date()
    first = last - dt.timedelta(days=DAYS - 1)
    start = dt.datetime.combine(first, dt.time(), dt.UTC)
    by = ("lab__name", "lab__slug", "provenance", "open", "licence", "demo")
    rows = production.sums(production.of_place(place), first, last, *by)
    hours = production.tallies(rows)["machine_hours"]
    if hours.lower is None or hours.upper is None:
        sentence = _("No machine in %(place)s has finished a job in the last 90 days.") % {"place": place.name}
        return Figure(None, None, None, _("machine hours"), start, end, None, sentence)
    sentence = _("Of 100 machine hours in %(place)s, %(low)d to %(high)d went into designs that anyone may make.") % {
        "place": place.name,
        "low": round(100 * hours.lower),
        "high": round(100 * hours.upper),
    }
    return Figure(
        value=hours.lower,
        numerator=hours.by_class["proven_open"],
        denominator=hours.total,
        unit=_("machine hours"),
        start=start,
        end=end,
        completeness=hours.coverage,
        sentence=sentence,
        evidence=[_evidence(row) for row in rows],
        upper=hours.upper,
        demo=any(row["demo"] for row in rows),
        notes=(
            _("Open: the job's file is proven to be one of a public design, whose licence in that version is open."),
            _("Files that nobody knows count as closed here and as open in the upper bound."),
            _("The same by jobs, by material and by kWh, over time and with its test set: /figures/open-production/."),
        ),
    )


def _evidence(row: Mapping[str, Any]) -> dict[str, Any]:
    """A group of jobs as a row of the figure's table; a licence that was not public is not told."""
    known = row["provenance"] != "unknown"
    return {
        "lab": row["lab__name"],
        "provenance": row["provenance"],
        "licence": row["licence"] or (_("not public") if known else ""),
        "open": bool(row["provenance"] == "proven" and row["open"]),
        "jobs": round(row["jobs"], 3) if row["jobs"] % 1 else int(row["jobs"]),
        "machine_hours": round(row["machine_s"] / 3600, 3),
        "demo": row["demo"],
    }


@dataclass(frozen=True, slots=True)
class Line:
    """One unit of the figure as a page shows it; shares 0 to 1, None where nothing is known."""

    unit: str
    tally: openness.Tally


@dataclass(frozen=True, slots=True)
class Month:
    """The figure of a month by machine hours."""

    first: dt.date
    last: dt.date
    tallies: openness.Tallies


def lines(where: Q, first: dt.date, last: dt.date) -> openness.Tallies:
    """The four tallies of a time."""
    return production.tallies(production.sums(where, first, last, "provenance", "open"))


def by_lab(where: Q, first: dt.date, last: dt.date) -> list[tuple[str, str, openness.Tallies]]:
    """The tallies of each lab: name, slug, tallies; the most machine hours first."""
    rows = production.sums(where, first, last, "lab__name", "lab__slug", "provenance", "open")
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["lab__name"], row["lab__slug"]), []).append(row)
    listed = [(name, slug, production.tallies(group)) for (name, slug), group in found.items()]
    return sorted(listed, key=lambda one: (-one[2]["machine_hours"].total, one[0]))


def weeks(last: dt.date, count: int = 13) -> list[tuple[dt.date, dt.date]]:
    """The last weeks from Monday to Sunday, the one that runs last; oldest first."""
    monday = last - dt.timedelta(days=last.weekday())
    return [
        (monday - dt.timedelta(weeks=back), monday - dt.timedelta(weeks=back) + dt.timedelta(days=6))
        for back in range(count - 1, -1, -1)
    ]


def months(last: dt.date, count: int = 12) -> list[tuple[dt.date, dt.date]]:
    """The last months, the one that runs last; oldest first."""
    found, first = [], last.replace(day=1)
    for _nth in range(count):
        following = (first + dt.timedelta(days=32)).replace(day=1)
        found.append((first, following - dt.timedelta(days=1)))
        first = (first - dt.timedelta(days=1)).replace(day=1)
    return found[::-1]


def over_time(where: Q, periods: Iterable[tuple[dt.date, dt.date]]) -> list[Month]:
    """The figure of each period."""
    listed = list(periods)
    return [Month(a, b, tally) for (a, b), tally in zip(listed, production.history(where, listed), strict=True)]
