"""Reads of forecasts: of a day, with the card that judges them and what came true."""

import datetime as dt
from array import array
from dataclasses import dataclass

from energy import series
from energy.models import CommunityVersion, Forecast, ForecastCard


def versions_that_cover(day: dt.date) -> list[CommunityVersion]:
    """The newest version of each community, where its data hold the day or end the day before."""
    newest = CommunityVersion.objects.order_by("community", "-number").distinct("community").select_related("community")
    return [v for v in newest if v.first_day < day <= v.last_day + dt.timedelta(days=1)]


def card(version: CommunityVersion, name: str, not_before: dt.datetime | None = None) -> ForecastCard | None:
    """The newest card of a version's series."""
    found = version.forecast_cards.filter(series=name)
    if not_before is not None:
        found = found.filter(created_at__gte=not_before)
    return found.order_by("-created_at").first()


@dataclass(frozen=True, slots=True)
class Told:
    """A day's forecast of one series, kWh a step of the local clock, and the card of its kind."""

    forecast: Forecast
    middle_kwh: "array[float]"
    low_kwh: "array[float]"
    high_kwh: "array[float]"

    @property
    def card(self) -> ForecastCard:
        """How good such forecasts are."""
        return self.forecast.card

    @property
    def kwh(self) -> float:
        """The day's sum."""
        return sum(self.middle_kwh)


def told(version: CommunityVersion, day: dt.date) -> dict[str, Told]:
    """What was said of a day from the data of a version, by series."""
    found = Forecast.objects.filter(card__version=version, day=day).select_related("card", "card__version")
    return {
        one.series: Told(one, series.unpack(one.middle), series.unpack(one.low), series.unpack(one.high))
        for one in found
    }
