"""Reads of forecasts: of a day, with the card that judges them and what came true."""

import datetime as dt
from array import array
from dataclasses import dataclass

from django.db.models import QuerySet

from energy import policies, series
from energy.models import Community, CommunityVersion, Forecast, ForecastCard, MeterDay, MeterPoint

LEAST_PAST = dt.timedelta(days=168)
LATELY = dt.timedelta(days=3)
PROVED = [proof for proof in MeterPoint.Proof.values if proof != MeterPoint.Proof.CLAIMED]


def versions_that_cover(day: dt.date) -> list[CommunityVersion]:
    """The newest version of each community, where its data hold the day or end the day before."""
    newest = CommunityVersion.objects.order_by("community", "-number").distinct("community").select_related("community")
    return [v for v in newest if v.first_day < day <= v.last_day + dt.timedelta(days=1)]


def communities_measured(day: dt.date) -> list[Community]:
    """Communities whose meters measured for half a year, and until lately."""
    rows = MeterDay.objects.filter(current=True, meter__proof__in=PROVED)
    old = rows.filter(day__lte=day - LEAST_PAST).values("meter__participant__community")
    new = rows.filter(day__gte=day - LATELY, day__lt=day).values("meter__participant__community")
    return list(Community.objects.filter(pk__in=old).filter(pk__in=new).select_related("place").order_by("pk"))


def card(
    community: Community, version: CommunityVersion | None, name: str, not_before: dt.datetime | None = None
) -> ForecastCard | None:
    """The newest card of a series: of a version, or of what was measured."""
    found = ForecastCard.objects.filter(community=community, version=version, series=name)
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
    return _told(Forecast.objects.filter(card__version=version, day=day))


def told_of_meters(community: Community, day: dt.date, viewer: policies.Viewer) -> dict[str, Told]:
    """What was said of a day from what the meters measured, for who may see such sums (`policies.may_see_sum`)."""
    rows = Forecast.objects.filter(community=community, card__version=None, day=day)
    return {
        name: one
        for name, one in _told(rows).items()
        if policies.may_see_sum(viewer, community, one.card.participants, one.card.largest_share)
    }


def _told(rows: "QuerySet[Forecast]") -> dict[str, Told]:
    found = rows.select_related("card", "card__version")
    return {
        one.series: Told(one, series.unpack(one.middle), series.unpack(one.low), series.unpack(one.high))
        for one in found
    }
