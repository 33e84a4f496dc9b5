"""The next 48 hours: made each night for the day that begins, scored when they are over. And coverage, day by day."""

import datetime as dt
from typing import Any

from celery import shared_task
from celery.schedules import crontab
from django.utils import timezone
from django.utils.translation import gettext_lazy

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from twin import queries
from twin.engine import AHEAD_VERSION
from twin.errors import NothingForeseen
from twin.models import Ahead, Sandbox
from twin.services import ahead as services
from twin.services import coverage
from twin.services.sandboxes import keep_sandbox_score
from twin.tasks import sandboxes

BEAT: dict[str, dict[str, Any]] = {
    "twin.ahead": {"task": "twin.ahead", "schedule": crontab(hour="*", minute=21), "options": {"expires": 1800}},
    "twin.coverage": {"task": "twin.coverage", "schedule": crontab(hour="*", minute=33), "options": {"expires": 1800}},
}


@kind(services.KIND, queue="simulations", engine_version=AHEAD_VERSION)
def foresee(job: Job, inputs: Inputs) -> Outcome:
    """Score what is over, then foresee each series of which enough is known."""
    import numpy as np  # noqa: PLC0415 a worker's

    from twin import past as history  # noqa: PLC0415 as above
    from twin.engine import ahead as engine  # noqa: PLC0415 as above

    district = queries.district(inputs["district"])
    day = dt.date.fromisoformat(str(inputs["day"]))
    if district.place is None:
        raise NothingForeseen(str(gettext_lazy("The district models no place, so nobody's hours are known in it.")))
    zone = history.clock(district.place)
    made: list[tuple[str, history.Past, engine.Foreseen]] = []
    scored: list[tuple[Ahead, Any, dict[str, float]]] = []
    boxes: dict[Any, tuple[Sandbox, dict[str, Any]]] = {}
    said_of: dict[str, Any] = {}
    for at, series in enumerate(Ahead.Series.values):
        job.progress(at / 3, said(gettext_lazy("looking back and ahead")))
        known = history.past(district.place, series, day)
        if known is None:
            said_of[series] = "unknown"
            continue
        for old in services.unscored(district, series, day):
            came = known.of(old.day, 2)
            lines = {name: np.array(getattr(old, name), dtype=float) for name in ("middle", "low", "high", "naive")}
            score = engine.score(came, **lines)
            waited = day - old.day >= services.WAIT
            if score and (score["hours"] >= services.ENOUGH_HOURS or waited):
                scored.append((old, came, score))
        for box, part in sandboxes.scores(district, series, known, day):
            boxes.setdefault(box.pk, (box, {}))[1][series] = part
        try:
            off = history.holidays(known, district.place)
            found = engine.foresee(
                known.days, known.first_day.weekday(), holidays=off, booked=known.booked, told=known.told
            )
        except engine.TooFewDays:
            said_of[series] = "too few days"
            continue
        made.append((series, known, found))
        said_of[series] = {"served": found.served, "sum": round(float(found.middle.sum()), 2)}

    def effect() -> None:
        for series, known, found in made:
            services.keep_ahead(
                district=district,
                series=series,
                day=day,
                start=history.midnight(day, zone),
                past=known,
                found=found,
                engine=AHEAD_VERSION,
            )
        for old, came, score in scored:
            services.keep_score(forecast=old, came=came, score=score)
        for box, parts in boxes.values():
            over = day >= box.day + dt.timedelta(hours=box.hours)
            keep_sandbox_score(sandbox=box, score=parts, over=over)

    return Outcome({"district": district.slug, "day": day.isoformat(), "scored": len(scored), **said_of}, effect)


@shared_task(name="twin.ahead")
def foresee_due() -> int:
    """Ring for the districts whose day has begun; how many were rung for."""
    return len(services.start_due(now=timezone.now()))


@shared_task(name="twin.coverage")
def count_coverage() -> int:
    """Write down each place's coverage of today; how many were new or had changed."""
    return coverage.write_due(now=timezone.now())
