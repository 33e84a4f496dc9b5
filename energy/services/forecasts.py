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
from energy.models import CommunityVersion, Forecast, ForecastCard

if TYPE_CHECKING:
    from energy.engine import forecast as engine

KIND = "energy.forecast"
JUDGED_AGAIN = dt.timedelta(days=28)


def start_forecast(*, version: CommunityVersion, day: dt.date, owner: User | None = None, demo: bool = False) -> Run:
    """Ring for the forecasts of a day: use and solar."""
    return runs.start(
        kind=KIND,
        inputs={"version": version.pk, "content_sha256": version.content_sha256, "day": day.isoformat()},
        title=said(gettext_lazy("Forecast of %(community)s"), community=version.community.name),
        subject=f"energy.community:{version.community.slug}",
        owner=owner,
        demo=demo,
    )


def start_due(*, today: dt.date) -> list[Run]:
    """Ring for every community whose data cover the day and that has no forecast of it yet."""
    return [
        start_forecast(version=version, day=today, demo=version.demo)
        for version in queries.versions_that_cover(today)
        if not Forecast.objects.filter(community=version.community_id, day=today).exists()
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


def keep(*, version: CommunityVersion, day: dt.date, made: Made, engine: str) -> Forecast | None:
    """Keep a forecast and, if it was judged anew, its card; inside the transaction that ends the run."""
    card = made.card or _card(version, made, engine)
    return keep_forecast(card=card, day=day, said_of_it=made.told) if card else None


def _card(version: CommunityVersion, made: Made, engine: str) -> ForecastCard | None:
    from energy.engine.forecast import worst_span  # noqa: PLC0415 numpy is loaded by workers alone

    score = made.score
    if score is None:
        return None
    tested = [made.first_day + dt.timedelta(days=int(day)) for day in (score.days[0], score.days[-1])]
    return ForecastCard.objects.create(
        version=version,
        series=made.name,
        engine_version=engine,
        data_sha256=version.content_sha256,
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
        served=score.served,
    )


def keep_forecast(*, card: ForecastCard, day: dt.date, said_of_it: "engine.Day") -> Forecast:
    """Keep the forecast of a day; a second one of the same day takes the place of the first."""
    version = card.version
    kept, _made = Forecast.objects.update_or_create(
        community=version.community,
        series=card.series,
        day=day,
        defaults={
            "card": card,
            "step_minutes": version.step_minutes,
            "served": said_of_it.served,
            "middle": series.pack(said_of_it.middle_kwh),
            "low": series.pack(said_of_it.low_kwh),
            "high": series.pack(said_of_it.high_kwh),
        },
    )
    return kept
