"""Reads of what is foreseen of a district, of how it turned out, and of its sandboxes."""

import datetime as dt
import uuid
from dataclasses import dataclass
from statistics import fmean

from django.utils.translation import gettext as _

from twin.errors import SandboxNotFound
from twin.models import Ahead, CoverageDay, District, Sandbox

LATELY = 30


@dataclass(frozen=True, slots=True)
class Record:
    """How the forecasts of a series did that were made and are over: means over `count` of them."""

    count: int
    mae: float
    naive_mae: float
    covered: float

    @property
    def skill(self) -> float:
        """By how much they beat the simple guess, 0..1."""
        return 1 - self.mae / self.naive_mae if self.naive_mae > 0 else 0.0


def newest_ahead(district: District) -> list[Ahead]:
    """The newest forecast of each series."""
    rows = Ahead.objects.filter(district=district).order_by("series", "-day").distinct("series")
    order = Ahead.Series.values
    return sorted(rows, key=lambda row: order.index(row.series))


def ahead_of(district: District, day: dt.date) -> list[Ahead]:
    """What was foreseen at the midnight that began a day."""
    order = Ahead.Series.values
    return sorted(Ahead.objects.filter(district=district, day=day), key=lambda row: order.index(row.series))


def record(district: District, series: str) -> Record | None:
    """How the last thirty scored forecasts of a series did; None where none is over."""
    rows = Ahead.objects.filter(district=district, series=series).exclude(scored_at=None).order_by("-day")
    scores = [score for score in rows.values_list("score", flat=True)[:LATELY] if score]
    if not scores:
        return None
    mean = {name: fmean(score[name] for score in scores) for name in ("mae", "naive_mae", "covered")}
    return Record(len(scores), **mean)


def scored(district: District, limit: int = 30) -> list[Ahead]:
    """Forecasts that are over, the newest first."""
    return list(Ahead.objects.filter(district=district).exclude(scored_at=None).order_by("-day", "series")[:limit])


def coverage_days(place_id: int, days: int = 366) -> list[CoverageDay]:
    """What was modelled of a place, day by day, the oldest first."""
    return list(reversed(CoverageDay.objects.filter(place=place_id).order_by("-day")[:days]))


def sandboxes(district: District, limit: int = 30) -> list[Sandbox]:
    """The sandboxes of a district, the newest first, without what is heavy."""
    rows = Sandbox.objects.filter(district=district).select_related("owner", "version", "run")
    return list(rows.defer("frozen", "answer").order_by("-created_at")[:limit])


def sandbox(district: District, pk: uuid.UUID) -> Sandbox:
    """A sandbox of a district. Raises SandboxNotFound."""
    found = Sandbox.objects.filter(district=district, pk=pk).select_related("owner", "version", "run").first()
    if found is None:
        raise SandboxNotFound(_("There is no such sandbox in this district."))
    return found
