"""Reads of what was modelled: a participant's year, and who of a version was measured and who was not."""

import datetime as dt
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils import timezone

from energy import series
from energy.models import Community, CommunityVersion, ModelledYear, Participant, WeatherFeed
from energy.queries import measured
from energy.queries.mine import Compared, against_curves

BACK = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a modelled year, kWh."""

    first: dt.date
    used: float
    made: float


@dataclass(frozen=True, slots=True)
class Modelled:
    """A modelled year, its months, and what the meters said of the same hours."""

    year: ModelledYear
    months: Sequence[Month]
    compared: Sequence[Compared]

    @property
    def used_kwh(self) -> float:
        """All use, the car's with it."""
        return self.year.load_kwh + self.year.car_kwh

    @property
    def from_grid_kwh(self) -> float:
        """What would be bought."""
        return self.used_kwh - self.year.own_kwh

    @property
    def own_share(self) -> float | None:
        """The share of the sun that is used at once."""
        return self.year.own_kwh / self.year.pv_kwh if self.year.pv_kwh > 0 else None


def modelled(participant: Participant) -> Modelled | None:
    """The modelled year of a participant, beside the last 90 days of its meters."""
    year = ModelledYear.objects.filter(participant=participant).first()
    if year is None:
        return None
    load, made = series.unpack(year.load), series.unpack(year.pv)
    return Modelled(year, _months(year, load, made), _compared(participant, year, load, made))


def _months(year: ModelledYear, load: "array[float]", made: "array[float]") -> list[Month]:
    zone, step = ZoneInfo(year.timezone), dt.timedelta(minutes=year.step_minutes)
    sums: dict[dt.date, list[float]] = {}
    for i, (used, sun) in enumerate(zip(load, made, strict=True)):
        row = sums.setdefault((year.start + i * step).astimezone(zone).date().replace(day=1), [0.0, 0.0])
        row[0] += used
        row[1] += sun
    return [Month(first, *row) for first, row in sorted(sums.items())]


def _compared(
    participant: Participant, year: ModelledYear, load: "array[float]", made: "array[float]"
) -> list[Compared]:
    today = timezone.now().astimezone(measured.zone(participant.community)).date()
    start = max(today - BACK, participant.joined_on)
    if start >= today:
        return []
    shape = CommunityVersion(start=year.start, step_minutes=year.step_minutes, steps=year.steps, timezone=year.timezone)
    return against_curves(participant, load, made, shape, start, today)


@dataclass(frozen=True, slots=True)
class Made:
    """Of the newest data: how many members were measured, and the names of those who were modelled."""

    version: CommunityVersion
    measured: int
    modelled: Sequence[str]


def made_of(community: Community) -> Made | None:
    """Who of the newest data was measured; None where the data are not of meters."""
    version = community.versions.order_by("-number").first()
    if version is None:
        return None
    rows = list(version.members.order_by("position").values_list("name", "modelled"))
    return Made(version, sum(not guess for _name, guess in rows), [name for name, guess in rows if guess])


def feed_of(community: Community) -> WeatherFeed | None:
    """Where its weather is had."""
    return WeatherFeed.objects.filter(place=community.place).first() if community.place_id else None
