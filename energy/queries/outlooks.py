"""Reads of what will be spare of the local sun. Pages and other rooms ask here; nothing is reckoned anew."""

import datetime as dt
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from commons.places.models import Place
from commons.shelf import Shelf, Stamp
from energy import series
from energy.engine import spare
from energy.engine.spare import Share
from energy.models import Community, Outlook, PlannedLoad
from energy.queries.communities import of_place

#: What a day of an outlook comes from, the best first.
BASES = ("forecast", "lately", "season", "carried")
SERIES = ["low", "middle", "high", "planned"]
#: So many loads' shares are kept with an outlook.
MOST_LOADS = 64


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
    state: tuple[int, str]
    """The row and its stamp: what else is reckoned of an outlook may be kept by it."""
    _shares: dict[float, list[Share]] = field(default_factory=dict, repr=False)

    @property
    def end(self) -> dt.datetime:
        """The end of the last step."""
        return self.start + len(self.middle) * self.step

    def shares(self, kw: float) -> Sequence[Share]:
        """Of each step the share of a load of so much that would be covered; reckoned once for each load."""
        found = self._shares.get(kw)
        if found is None:
            if len(self._shares) >= MOST_LOADS:
                self._shares.clear()
            rows = zip(self.low, self.middle, self.high, strict=True)
            found = self._shares[kw] = [spare.share(low, middle, high, kw) for low, middle, high in rows]
        return found

    def basis_at(self, moment: dt.datetime) -> str:
        """What the day of that moment comes from; nothing outside of the outlook."""
        return self.basis.get(moment.astimezone(self.zone).date().isoformat(), "")

    def between(self, start: dt.datetime, end: dt.datetime) -> tuple[int, int]:
        """The number of the first step that meets a time, and of the first after it."""
        first = max((start - self.start) // self.step, 0)
        return first, max(min(-((self.start - end) // self.step), len(self.middle)), first)

    def cells(self, start: dt.datetime, end: dt.datetime) -> "list[tuple[dt.datetime, int]]":
        """The steps that meet a time: start and number of each."""
        first, last = self.between(start, end)
        return [(self.start + nth * self.step, nth) for nth in range(first, last)]


# By the row and its stamp.
_known: Shelf[Ahead] = Shelf(40)


def outlook_of(community: Community) -> Ahead | None:
    """The newest outlook of a community; one query."""
    return _read(_rows().filter(community=community).first())


def outlook_of_place(place: Place) -> Ahead | None:
    """The newest outlook of the community that stands for a place; one query."""
    row = _rows().filter(community__in=of_place(place).filter(public=True, versions__isnull=False).values("pk"))
    own = sorted(row, key=lambda one: (one.community.place_id != place.pk, one.community.slug))
    return _read(own[0]) if own else None


def _rows() -> QuerySet[Outlook]:
    """Outlooks without their series, which are unpacked once for each state of the row."""
    return Outlook.objects.select_related("community").defer(*SERIES).annotate(stamp=Stamp(Outlook))


def _read(row: Outlook | None) -> Ahead | None:
    if row is None:
        return None
    try:
        known = _known.get((row.pk, row.stamp), lambda: _unpacked(row.pk))  # type: ignore[attr-defined]  # annotated
    except Outlook.DoesNotExist:  # taken away meanwhile
        return None
    return replace(known, community=row.community)


def _unpacked(number: int) -> Ahead:
    row = Outlook.objects.select_related("community").annotate(stamp=Stamp(Outlook)).get(pk=number)
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
        (row.pk, row.stamp),
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
