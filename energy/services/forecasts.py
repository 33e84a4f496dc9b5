"""Writes of forecasts: ask for one, keep what the engine said."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from energy import queries, series
from energy.models import Community, CommunityVersion, Forecast, ForecastCard

if TYPE_CHECKING:
    from energy.engine import forecast as engine

KIND = "energy.forecast"
JUDGED_AGAIN = dt.timedelta(days=28)


def start_forecast(
    *,
    version: CommunityVersion | None = None,
    community: Community | None = None,
    day: dt.date,
    owner: User | None = None,
    demo: bool = False,
) -> Run:
    """Ring for the forecasts of a day: use and solar. Of a version's data, or of what a community's meters measured."""
    of = version.community if version else community
    assert of is not None, "a version or a community"  # noqa: S101 for the types
    return runs.start(
        kind=KIND,
        inputs={
            "version": version.pk if version else None,
            "community": of.pk,
            "content_sha256": version.content_sha256 if version else "",
            "day": day.isoformat(),
        },
        title=said(gettext_lazy("Forecast of %(community)s"), community=of.name),
        subject=f"energy.community:{of.slug}",
        owner=owner,
        demo=demo,
    )


def start_due(*, today: dt.date) -> list[Run]:
    """Ring for every community that has no forecast of the day yet: whose data cover it, or whose meters measured."""
    versions = queries.versions_that_cover(today)
    by_data = [v for v in versions if not Forecast.objects.filter(community=v.community_id, day=today).exists()]
    there = {v.community_id for v in versions}
    by_meters = [
        c
        for c in queries.communities_measured(today)
        if c.pk not in there and not Forecast.objects.filter(community=c, day=today).exists()
    ]
    return [start_forecast(version=v, day=today, demo=v.demo) for v in by_data] + [
        start_forecast(community=c, day=today, demo=c.demo) for c in by_meters
    ]


@dataclass(frozen=True)
class Made:
    """What a run made of a series: the card there was, or else a new score; and the day. `learned` is in days."""

    name: str
    card: ForecastCard | None
    score: "engine.Score | None"
    first_day: dt.date
    learned: int
    told: "engine.Day"
    step_minutes: int = 60
    participants: int = 0
    largest_share: float = 0.0
    weather: str = ""
    data_sha256: str = ""


def keep(
    *, community: Community, version: CommunityVersion | None, day: dt.date, made: Made, engine: str
) -> Forecast | None:
    """Keep a forecast and, if it was judged anew, its card; inside the transaction that ends the run."""
    card = made.card or _card(community, version, made, engine)
    return keep_forecast(card=card, day=day, said_of_it=made.told) if card else None


def _card(community: Community, version: CommunityVersion | None, made: Made, engine: str) -> ForecastCard | None:
    from energy.engine.forecast import worst_span  # noqa: PLC0415 numpy is loaded by workers alone

    score = made.score
    if score is None:
        return None
    tested = [made.first_day + dt.timedelta(days=int(day)) for day in (score.days[0], score.days[-1])]
    return ForecastCard.objects.create(
        community=community,
        version=version,
        participants=made.participants,
        largest_share=made.largest_share,
        step_minutes=made.step_minutes,
        series=made.name,
        engine_version=engine,
        data_sha256=version.content_sha256 if version else made.data_sha256,
        first_day=tested[0],
        last_day=tested[1],
        learned_days=made.learned,
        model_mae=score.model_mae,
        served_mae=score.served_mae,
        naive=score.naive_mae,
        best_naive=score.best_naive,
        skill=score.skill,
        covered=score.covered,
        half_width_kwh=score.half_width_kwh,
        worst_span=worst_span(score),
        guarded=score.guarded,
        model_skill=score.model_skill,
        model_worst=score.model_worst,
        weather=made.weather,
        served=score.served,
    )


def keep_forecast(*, card: ForecastCard, day: dt.date, said_of_it: "engine.Day") -> Forecast:
    """Keep the forecast of a day; a second one of the same day takes the place of the first."""
    kept, _made = Forecast.objects.update_or_create(
        community=card.community,
        series=card.series,
        day=day,
        defaults={
            "card": card,
            "step_minutes": card.step_minutes,
            "served": said_of_it.served,
            "middle": series.pack(said_of_it.middle_kwh),
            "low": series.pack(said_of_it.low_kwh),
            "high": series.pack(said_of_it.high_kwh),
        },
    )
    return kept
