"""Prices of lists in the steps of a time: nothing is filled in, a step without a price has none."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Min, Sum

from energy import series
from energy.models import Community, PriceDay, PriceList

if TYPE_CHECKING:
    from energy.queries.measured import Measured

DAY_MIN = 1440


@dataclass(frozen=True, slots=True)
class Listed:
    """Prices of each list by step, in whole millionths of the currency a kWh, None where there is none; and which
    revision of which day they are of.
    """

    micro: dict[int, list[int | None]]
    revisions: dict[tuple[int, dt.date], int]


def read(
    lists: Iterable[int], measured: "Measured", as_of: "Mapping[tuple[int, dt.date], int] | None" = None
) -> Listed:
    """The prices of some lists in the steps of what was measured. A step longer than the list's is the mean of its
    parts if all of them have a price; a shorter one has the price of the time that it lies in.
    """
    wanted = sorted(lists)
    end = measured.start + dt.timedelta(minutes=measured.step_minutes * measured.steps)
    rows = PriceDay.objects.filter(prices__in=wanted, day__gte=measured.start.date(), day__lte=end.date())
    days = {
        (row.prices_id, row.day): row
        for row in rows
        if (row.current if as_of is None else as_of.get((row.prices_id, row.day)) == row.revision)
    }
    opened = {key: (row.step_minutes, list(series.unpack(row.packed))) for key, row in days.items()}
    micro: dict[int, list[int | None]] = {}
    for one in wanted:
        micro[one] = [
            _price(opened, one, measured.start + dt.timedelta(minutes=measured.step_minutes * i), measured.step_minutes)
            for i in range(measured.steps)
        ]
    return Listed(micro, {key: row.revision for key, row in days.items()})


def _price(
    opened: Mapping[tuple[int, dt.date], tuple[int, list[float]]], one: int, at: dt.datetime, step_minutes: int
) -> int | None:
    found = opened.get((one, at.date()))
    if found is None:
        return None
    step, values = found
    minute = at.hour * 60 + at.minute
    parts = values[minute // step : max(minute // step + 1, (minute + step_minutes) // step)]
    if not parts or any(math.isnan(value) for value in parts):
        return None
    return round(sum(parts) / len(parts) * 1_000_000)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A list, the days that it has, and how many of their steps lack a price."""

    prices: PriceList
    first_day: dt.date | None
    last_day: dt.date | None
    days: int
    missing: int

    @property
    def days_lacking(self) -> int:
        """Days between the first and the last that are not there at all."""
        if self.first_day is None or self.last_day is None:
            return 0
        return (self.last_day - self.first_day).days + 1 - self.days


def coverage(community: Community) -> list[Coverage]:
    """The price lists of a community."""
    sums = {
        row["prices"]: row
        for row in PriceDay.objects.filter(prices__community=community, current=True)
        .order_by()
        .values("prices")
        .annotate(first=Min("day"), last=Max("day"), days=Count("pk"), lacking=Sum("missing"))
    }
    found = []
    for prices in community.price_lists.all():
        row = sums.get(prices.pk)
        found.append(
            Coverage(prices, row["first"], row["last"], row["days"], row["lacking"])
            if row
            else Coverage(prices, None, None, 0, 0)
        )
    return found
