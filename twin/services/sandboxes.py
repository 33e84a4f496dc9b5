"""Writes of sandboxes: branch a copy of the live district, keep what it said, hold it against what came."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import BadInput
from commons.people.models import User
from commons.runs import services as runs
from commons.runs.services import canonical_json
from commons.said import said
from twin import queries
from twin.errors import NothingForeseen, TooManyRuns
from twin.models import District, Sandbox

KIND = "twin.sandbox"
HOURS = (48, 720)
DAILY = 10
MOST_KWH = 100_000.0
MOST_SHARE = 10.0


@transaction.atomic
def branch(
    *,
    district: District,
    by: User,
    title: str,
    hours: int = 48,
    battery_kwh: float = 0.0,
    solar_share: float = 0.0,
    seed: int = 1,
) -> Sandbox:
    """Branch a copy of the district as it stands this midnight and queue its run. Raises BadInput, NothingForeseen,
    TooManyRuns.
    """
    if district.place is None:
        raise NothingForeseen(_("The district models no place, so nobody’s hours are known in it."))
    if hours not in HOURS:
        raise BadInput(_("A sandbox runs 48 hours or 30 days (720 hours)."), field="hours")
    if not 0 <= battery_kwh <= MOST_KWH or not 0 <= solar_share <= MOST_SHARE:
        raise BadInput(_("Add storage from 0 to 100,000 kWh, and solar from 0 to 10 times what there is."))
    lately = Sandbox.objects.filter(owner=by, created_at__gte=timezone.now() - dt.timedelta(days=1))
    if lately.count() >= DAILY:
        raise TooManyRuns(_("You may branch up to %(n)d sandboxes in a day. Come back tomorrow.") % {"n": DAILY})
    zone = ZoneInfo(district.place.timezone)
    day = timezone.now().astimezone(zone).date()
    made = Sandbox.objects.create(
        district=district,
        version=queries.current(district),
        owner=by,
        title=title.strip()[:120] or _("Sandbox"),
        day=day,
        start=dt.datetime.combine(day, dt.time(), tzinfo=zone).astimezone(dt.UTC),
        hours=hours,
        battery_kwh=battery_kwh,
        solar_share=solar_share,
        seed=seed,
    )
    made.run = runs.start(
        kind=KIND,
        inputs={"sandbox": str(made.pk), "district": district.slug, "day": day.isoformat()},
        title=said(gettext_lazy("Sandbox of %(name)s"), name=district.name),
        subject=f"twin.district:{district.slug}",
        owner=by,
        public=True,
        seed=seed,
        demo=district.demo,
    )
    made.save(update_fields=["run"])
    return made


@transaction.atomic
def keep_answer(*, sandbox: Sandbox, frozen: Mapping[str, Any], answer: Mapping[str, Any], engine: str) -> None:
    """Keep what a copy was made of and what it said; once."""
    Sandbox.objects.filter(pk=sandbox.pk, answer__isnull=True).update(
        frozen=dict(frozen),
        frozen_sha256=hashlib.sha256(canonical_json(frozen)).hexdigest(),
        answer=dict(answer),
        engine_version=engine,
    )


@transaction.atomic
def keep_sandbox_score(*, sandbox: Sandbox, score: Mapping[str, Any], over: bool) -> None:
    """Write down how far a copy was off so far; for good once all of its days are known."""
    Sandbox.objects.filter(pk=sandbox.pk, scored_at=None).update(
        score=dict(score), scored_at=timezone.now() if over else None
    )


@transaction.atomic
def remove(*, sandbox: Sandbox) -> None:
    """Take a sandbox away."""
    sandbox.delete()
