"""Writes of what is foreseen: ask for the next 48 hours of a district, keep them as made, score them later."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from twin import queries
from twin.models import Ahead, District

if TYPE_CHECKING:
    from twin.engine.ahead import Foreseen
    from twin.past import Past

KIND = "twin.ahead"
ENOUGH_HOURS = 40
WAIT = dt.timedelta(days=9)
"""A forecast of which less than 40 hours are known is scored by those once it is so old."""


def start_ahead(*, district: District, day: dt.date, owner: User | None = None, demo: bool = False) -> Run:
    """Ring for the 48 hours that begin at the midnight of `day`."""
    return runs.start(
        kind=KIND,
        inputs={"district": district.slug, "day": day.isoformat()},
        title=said(gettext_lazy("The next 48 hours of %(name)s"), name=district.name),
        subject=f"twin.district:{district.slug}",
        owner=owner,
        public=True,
        demo=demo or district.demo,
    )


def start_due(*, now: dt.datetime) -> list[Run]:
    """Ring for every district with a place for whose local day nobody has asked yet."""
    rung = []
    for district in queries.districts().exclude(place=None):
        assert district.place is not None  # noqa: S101 excluded
        day = now.astimezone(ZoneInfo(district.place.timezone)).date()
        asked = Run.objects.filter(kind=KIND, inputs__district=district.slug, inputs__day=day.isoformat())
        if not asked.exists():
            rung.append(start_ahead(district=district, day=day))
    return rung


@transaction.atomic
def keep_ahead(
    *, district: District, series: str, day: dt.date, start: dt.datetime, past: "Past", found: "Foreseen", engine: str
) -> Ahead:
    """Keep what was foreseen; what stands already for that day is never written over."""
    judged = found.judged
    kept, _made = Ahead.objects.get_or_create(
        district=district,
        series=series,
        day=day,
        defaults={
            "start": start,
            "engine_version": engine,
            "data_sha256": past.sha256,
            "source": past.source,
            "served": found.served,
            "best_naive": judged.best_naive,
            "middle": numbers(found.middle),
            "low": numbers(found.low),
            "high": numbers(found.high),
            "naive": numbers(found.naive),
            "backtest": {
                "days": judged.days,
                "first_day": (past.first_day + dt.timedelta(days=judged.first)).isoformat(),
                "last_day": (past.first_day + dt.timedelta(days=judged.last)).isoformat(),
                "mae": judged.mae,
                "model_mae": judged.model_mae if math.isfinite(judged.model_mae) else None,
                "naive_mae": judged.naive_mae,
                "skill": judged.skill,
                "covered": judged.covered,
            },
        },
    )
    return kept


@transaction.atomic
def keep_score(*, forecast: Ahead, came: Iterable[float], score: Mapping[str, Any]) -> bool:
    """Write down what came and how far off a forecast was; once. False where that was done already."""
    return bool(
        Ahead.objects.filter(pk=forecast.pk, scored_at=None).update(
            came=numbers(came), score=dict(score), scored_at=timezone.now()
        )
    )


def unscored(district: District, series: str, today: dt.date) -> list[Ahead]:
    """Forecasts whose two days are over and that nobody has scored, the oldest first."""
    over = today - dt.timedelta(days=2)
    return list(Ahead.objects.filter(district=district, series=series, scored_at=None, day__lte=over).order_by("day"))


def numbers(values: Iterable[float]) -> list[float | None]:
    """As JSON has them: what is not known is null."""
    return [None if math.isnan(value) else round(float(value), 4) for value in values]
