"""Reads of what will be spare of the local sun. Pages and other rooms ask here; nothing is reckoned anew."""

import datetime as dt
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from commons.places.models import Place
from energy import series
from energy.engine import spare
from energy.engine.spare import Share
from energy.models import Community, Outlook, PlannedLoad
from energy.queries.communities import of_place

#: What a day of an outlook comes from, the best first.
BASES = ("forecast", "lately", "season", "carried")


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is spare in the coming steps, kW: low, middle and high, and what of the use is planned."""

    community: Community
    start: dt.datetime
    step: dt.timedelta
    low: "array[float]"
    middle: "array[float]"
    high: "array[float]"
    planned: "array[float]"
    basis: Mapping[str, str]
    zone: ZoneInfo
    made_at: dt.datetime
    number: int
    _shares: dict[float, list[Share]] = field(default_factory=dict, repr=False)

    @property
    def end(self) -> dt.datetime:
        """The end of the last step."""
        return self.start + len(self.middle) * self.step

    def shares(self, kw: float) -> Sequence[Share]:
        """Of each step the share of a load of so much that would be covered; reckoned once for each load."""
        if kw not in self._shares:
            rows = zip(self.low, self.middle, self.high, strict=True)
            self._shares[kw] = [spare.share(low, middle, high, kw) for low, middle, high in rows]
        return self._shares[kw]

    def basis_at(self, moment: dt.datetime) -> str:
        """What the day of that moment comes from; nothing outside of the outlook."""
        return self.basis.get(moment.astimezone(self.zone).date().isoformat(), "")

    def cells(self, start: dt.datetime, end: dt.datetime) -> "list[tuple[dt.datetime, int]]":
        """The steps that meet a time: start and number of each."""
        first = max((start - self.start) // self.step, 0)
        last = min(-((self.start - end) // self.step), len(self.middle))
        return [(self.start + nth * self.step, nth) for nth in range(first, last)]


def outlook_of(community: Community) -> Ahead | None:
    """The newest outlook of a community; one query."""
    return _read(Outlook.objects.select_related("community").filter(community=community).first())


def outlook_of_place(place: Place) -> Ahead | None:
    """The newest outlook of the community that stands for a place; one query."""
    row = Outlook.objects.select_related("community").filter(
        community__in=of_place(place).filter(public=True, versions__isnull=False).values("pk")
    )
    own = sorted(row, key=lambda one: (one.community.place_id != place.pk, one.community.slug))
    return _read(own[0]) if own else None


def _read(row: Outlook | None) -> Ahead | None:
    if row is None:
        return None
    return Ahead(
        row.community,
        row.start,
        dt.timedelta(minutes=row.step_minutes),
        series.unpack(row.low),
        series.unpack(row.middle),
        series.unpack(row.high),
        series.unpack(row.planned),
        dict(row.basis["days"]),
        ZoneInfo(row.basis["zone"]),
        row.made_at,
        row.number,
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """What one source has planned: when it begins, kWh a step, and its row."""

    row: PlannedLoad
    kwh: "array[float]"

    def on(self, start: dt.datetime, end: dt.datetime) -> float:
        """kWh of the steps that begin in a time."""
        step = dt.timedelta(minutes=self.row.step_minutes)
        return sum(v for nth, v in enumerate(self.kwh) if start <= self.row.start + nth * step < end)


def planned_of(community: Community) -> list[Planned]:
    """What has been planned in a community by others, by name."""
    return [Planned(row, series.unpack(row.kwh)) for row in community.planned_loads.all()]
