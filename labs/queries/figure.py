"""The share of production from open designs: the third figure on the front door, worked out from the rows."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.places.models import Place
from commons.sockets import Figure
from designs.licences import is_open
from labs.models import Job
from labs.queries.catalogue import of_place

PERIOD = dt.timedelta(days=90)
VERSION = "1"


@dataclass
class Hours:
    """Machine hours of finished jobs by what is known of their file."""

    proven_open: float = 0.0
    proven_closed: float = 0.0
    probable: float = 0.0
    declared: float = 0.0
    unknown: float = 0.0

    @property
    def total(self) -> float:
        """All machine hours."""
        return self.proven_open + self.proven_closed + self.probable + self.declared + self.unknown

    @property
    def known(self) -> float:
        """Machine hours whose file is known."""
        return self.proven_open + self.proven_closed + self.probable


def groups(place: Place, start: dt.datetime, end: dt.datetime) -> list[Mapping[str, Any]]:
    """Finished jobs of a place in the period, summed by lab, provenance, visibility and licence."""
    length = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    rows: Iterable[Mapping[str, Any]] = (
        Job.objects.filter(
            of_place(place, "machine__lab__"),
            outcome=Job.Outcome.FINISHED,
            finished_at__gt=start,
            finished_at__lte=end,
        )
        .values(
            "machine__lab__name",
            "machine__lab__slug",
            "provenance",
            "design__visibility",
            "design__licence",
            "demo",
        )
        .annotate(jobs=Count("pk"), length=Sum(length))
        .order_by("machine__lab__name", "provenance", "design__licence")
    )
    return list(rows)


def add_up(rows: Iterable[Mapping[str, Any]]) -> Hours:
    """Sort the groups' machine hours by what is known."""
    hours = Hours()
    for row in rows:
        amount = row["length"].total_seconds() / 3600 if row["length"] else 0.0
        if row["provenance"] == Job.Provenance.PROVEN:
            public = row["design__visibility"] == "public" and is_open(row["design__licence"] or "")
            name = "proven_open" if public else "proven_closed"
        else:
            name = row["provenance"]
        setattr(hours, name, getattr(hours, name) + amount)
    return hours


def open_production(place: Place) -> Figure:
    """The lower bound by machine hours, with upper bound and coverage (contract, Settled)."""
    end = timezone.now()
    start = end - PERIOD
    rows = groups(place, start, end)
    hours = add_up(rows)
    if hours.total <= 0:
        sentence = _("No machine in %(place)s has finished a job in the last 90 days.") % {"place": place.name}
        return Figure(None, None, None, _("machine hours"), start, end, None, sentence)
    value = hours.proven_open / hours.total
    upper = 1.0 - hours.proven_closed / hours.total
    sentence = _("Of 100 machine hours in %(place)s, %(low)d to %(high)d went into designs that anyone may make.") % {
        "place": place.name,
        "low": round(100 * value),
        "high": round(100 * upper),
    }
    return Figure(
        value=value,
        numerator=hours.proven_open,
        denominator=hours.total,
        unit=_("machine hours"),
        start=start,
        end=end,
        completeness=hours.known / hours.total,
        sentence=sentence,
        evidence=[_evidence(row) for row in rows],
        upper=upper,
        demo=any(row["demo"] for row in rows),
        notes=(
            _("Open: the job's file is, byte for byte, a file of a public design with an open licence."),
            _("Files that nobody knows count as closed here and as open in the upper bound."),
        ),
    )


def _evidence(row: Mapping[str, Any]) -> dict[str, Any]:
    """A group of jobs as a row of the figure's table; a private design's licence is not told."""
    proven = row["provenance"] == Job.Provenance.PROVEN
    public = row["design__visibility"] == "public"
    licence = (row["design__licence"] if public else _("not public")) if row["design__visibility"] else ""
    return {
        "lab": row["machine__lab__name"],
        "provenance": row["provenance"],
        "licence": licence,
        "open": bool(proven and public and is_open(row["design__licence"] or "")),
        "jobs": row["jobs"],
        "machine_hours": round(row["length"].total_seconds() / 3600, 3) if row["length"] else 0.0,
        "demo": row["demo"],
    }
