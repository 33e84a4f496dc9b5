"""Forecasts: each night for the day that begins, judged anew every four weeks."""

import datetime as dt
import hashlib
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from celery import shared_task
from celery.schedules import crontab
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from energy import queries
from energy.errors import CommunityNotFound, from_engine
from energy.models import Community, CommunityVersion, ForecastCard
from energy.services import forecasts
from energy.services.forecasts import Made

ENGINE = "forecast 2"
TEST_DAYS = 183
if TYPE_CHECKING:
    from energy.services.past import Past

BEAT = {
    "energy.forecasts": {
        "task": "energy.forecasts",
        "schedule": crontab(hour="*", minute=7),
        "options": {"expires": 1800},
    },
}


@kind(forecasts.KIND, queue="simulations", engine_version=ENGINE)
def forecast(job: Job, inputs: Inputs) -> Outcome:
    """Judge the forecasts of a version, or of what was measured, where that was not done lately, and say what the day
    will bring.
    """
    from energy.services import past as history  # noqa: PLC0415 numpy is loaded by workers alone

    community, version = _of(inputs)
    day = dt.date.fromisoformat(str(inputs["day"]))
    past = history.of_version(version, day) if version else history.of_meters(community, day)
    if past is None:
        raise CommunityNotFound("Nobody's meters measured for half a year, so nothing can be forecast.")
    made = [_made(job, at, name, past, community, version) for at, name in enumerate(past.days)]

    def effect() -> None:
        for one in made:
            forecasts.keep(community=community, version=version, day=day, made=one, engine=ENGINE)
        transaction.on_commit(lambda: _ring(community.pk), robust=True)

    answer = {one.name: {"served": one.told.served, "kwh": float(one.told.middle_kwh.sum())} for one in made}
    return Outcome(result={"community": community.slug, "day": day.isoformat(), **answer}, effect=effect)


def _of(inputs: Inputs) -> tuple[Community, CommunityVersion | None]:
    if inputs.get("version"):
        version = (
            CommunityVersion.objects.select_related("community__place__parent").filter(pk=inputs["version"]).first()
        )
        if version is not None:
            return version.community, version
    elif inputs.get("community"):
        community = Community.objects.select_related("place__parent").filter(pk=inputs["community"]).first()
        if community is not None:
            return community, None
    raise CommunityNotFound("The community was taken away before its forecast began.")


def _made(  # noqa: PLR0917 a series of a past
    job: Job, at: int, name: str, past: "Past", community: Community, version: CommunityVersion | None
) -> Made:
    from energy.engine import forecast as engine  # noqa: PLC0415 numpy is loaded by workers alone
    from energy.engine.refusals import EngineRefusal  # noqa: PLC0415 as above
    from energy.queries.measured import zone  # noqa: PLC0415 as above
    from energy.services import past as history  # noqa: PLC0415 as above

    job.progress(at / 2, said(_("learning from the past")))
    days, first = past.days[name], past.first_day
    clock = ZoneInfo(version.timezone) if version else zone(community)
    sky = history.told(community, past, clock) if name == ForecastCard.Series.SOLAR else None
    told, weather = sky or (None, "")
    card = queries.forecast_card(community, version, name, timezone.now() - forecasts.JUDGED_AGAIN)
    if card and (card.engine_version, card.weather) != (ENGINE, weather):
        card = None
    if card and (card.participants, card.largest_share == 1) != (past.participants, past.largest_share == 1):
        card = None  # a card says of whom it is, and whether others may read it
    try:
        score = None
        if card is None:
            score = engine.backtest(days, first.weekday(), test_days=TEST_DAYS, seed=job.seed, told=told)
        job.progress(at / 2 + 0.4, said(_("saying what the day will bring")))
        walked = engine.walk(days, first.weekday(), first=len(days) - engine.BAND_DAYS, seed=job.seed, told=told)
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None
    judged = card or score
    only = judged.best_naive if judged and judged.guarded else ""
    return Made(
        name,
        card,
        score,
        first,
        len(days),
        engine.serve(walked, len(days), only=only),
        past.step_minutes,
        past.participants,
        past.largest_share,
        weather,
        hashlib.sha256(days.tobytes()).hexdigest(),
    )


def _ring(community: int) -> None:
    """What will be spare is worked out anew; when the bell does not ring, the hourly round does it."""
    from energy.tasks.outlooks import outlook  # noqa: PLC0415 the tasks of a room know each other late

    outlook.apply_async((community,), queue="simulations", retry=False)


@shared_task(name="energy.forecasts")
def issue() -> int:
    """Ring for the forecasts that are due; how many were rung for."""
    return len(forecasts.start_due(today=timezone.now().date()))
