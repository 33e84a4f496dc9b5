"""Forecasts: each night for the day that begins, judged anew every four weeks."""

import datetime as dt
from zoneinfo import ZoneInfo

from celery import shared_task
from celery.schedules import crontab
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from energy import queries
from energy.errors import CommunityNotFound, from_engine
from energy.models import CommunityVersion, ForecastCard
from energy.services import forecasts
from energy.services.forecasts import Made

ENGINE = "forecast 1"
TEST_DAYS = 183
BEAT = {
    "energy.forecasts": {
        "task": "energy.forecasts",
        "schedule": crontab(hour="*", minute=7),
        "options": {"expires": 1800},
    },
}


@kind(forecasts.KIND, queue="simulations", engine_version=ENGINE)
def forecast(job: Job, inputs: Inputs) -> Outcome:
    """Judge the forecasts of a version where that was not done lately, and say what the day will bring."""
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine import forecast as engine  # noqa: PLC0415 as above
    from energy.engine.refusals import EngineRefusal  # noqa: PLC0415 as above

    version = CommunityVersion.objects.select_related("community").filter(pk=inputs["version"]).first()
    if version is None:
        raise CommunityNotFound("The community was taken away before its forecast began.")
    day = dt.date.fromisoformat(str(inputs["day"]))
    curves = queries.of_version(version, *ForecastCard.Series.values)
    curves = {name: curve for name, curve in curves.items() if any(curve)}
    made = []
    for at, (name, curve) in enumerate(curves.items()):
        job.progress(at / 2, said(_("learning from the past")))
        values, zone = np.array(curve), ZoneInfo(version.timezone)
        first, days = engine.by_local_day(values, version.start, version.step_minutes, zone)
        past = days[: max((day - first).days, 0)]
        card = queries.forecast_card(version, name, timezone.now() - forecasts.JUDGED_AGAIN)
        try:
            score = None if card else engine.backtest(past, first.weekday(), test_days=TEST_DAYS, seed=job.seed)
            job.progress(at / 2 + 0.4, said(_("saying what the day will bring")))
            walked = engine.walk(past, first.weekday(), first=len(past) - engine.BAND_DAYS, seed=job.seed)
        except EngineRefusal as refusal:
            raise from_engine(refusal) from None
        made.append(Made(name, card, score, first, len(past), engine.serve(walked, len(past))))

    def effect() -> None:
        for one in made:
            forecasts.keep(version=version, day=day, made=one, engine=ENGINE)

    answer = {one.name: {"served": one.told.served, "kwh": float(one.told.middle_kwh.sum())} for one in made}
    return Outcome(result={"community": version.community.slug, "day": day.isoformat(), **answer}, effect=effect)


@shared_task(name="energy.forecasts")
def issue() -> int:
    """Ring for the forecasts that are due; how many were rung for."""
    return len(forecasts.start_due(today=timezone.now().date()))
