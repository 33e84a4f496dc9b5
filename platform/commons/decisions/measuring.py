"""What an option would mean, reckoned by its room while it is talked over; and what it did, measured once it holds."""

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons import sockets
from commons.decisions import queries
from commons.decisions.models import Enactment, Motion, Option
from commons.errors import CityError
from commons.places.models import Place

log = logging.getLogger(__name__)
State = Motion.State
AGAIN_AFTER = dt.timedelta(hours=20)
LONGEST = dt.timedelta(days=400)
AT_ONCE = 40


def reckon_all() -> int:
    """Reckon what options of motions to come would mean, each once; how many were."""
    rows = Option.objects.filter(motion__state__in=(State.TALK, State.OPEN), reckoned__isnull=True).exclude(
        value__isnull=True
    )
    return sum(reckon(option) for option in rows.select_related("motion__body").order_by("pk")[:AT_ONCE])


def reckon(option: Option) -> bool:
    """Ask the option's room and keep its answer, which then stands; asked again while there is none."""
    motion = option.motion
    plug = queries.effect(motion)
    if plug is None or plug.reckon is None or option.value is None:
        return False
    try:
        with transaction.atomic():
            found = plug.reckon(motion.body.key, option.value)
    except CityError as refusal:
        log.info("option %s of decision %s is not reckoned: %s", option.position, motion.pk, refusal.sentence)
        found = None
    if found is None:
        return False
    return bool(Option.objects.filter(pk=option.pk, reckoned__isnull=True).update(reckoned=dict(found)))


def promised(option: Option) -> dict[str, Any] | None:
    """The figures that stood on the ballot, for the whole body."""
    return (option.reckoned or {}).get("figures")


def forget_people(motion: Motion) -> None:
    """What was reckoned for single persons is of no use after the vote, so it goes."""
    for option in motion.options.exclude(reckoned__isnull=True):
        if option.reckoned and "people" in option.reckoned:
            kept = {name: value for name, value in option.reckoned.items() if name != "people"}
            Option.objects.filter(pk=option.pk).update(reckoned=kept)


def measure_all(now: dt.datetime | None = None) -> int:
    """Measure what holds, each about once a day for a year and a month; how many were."""
    now = now or timezone.now()
    due = Enactment.objects.filter(effective_at__lt=now, effective_at__gt=now - LONGEST).filter(
        Q(measured_at=None) | Q(measured_at__lt=now - AGAIN_AFTER)
    )
    rows = due.select_related("motion__body").order_by("measured_at", "pk")[:AT_ONCE]
    return sum(measure(enactment, now) for enactment in rows)


def measure(enactment: Enactment, now: dt.datetime | None = None) -> bool:
    """Ask the room what its value did since it holds, until the next one holds; whether that is known."""
    now = now or timezone.now()
    motion = enactment.motion
    plug = queries.effect(motion)
    if plug is None or plug.measure is None:
        return False
    until = min(now, _ended(motion, enactment) or now)
    found: Mapping[str, Any] | None = None
    try:
        with transaction.atomic():
            found = plug.measure(motion.body.key, enactment.before, enactment.after, enactment.effective_at, until)
    except CityError as refusal:
        log.info("decision %s is not measured: %s", motion.pk, refusal.sentence)
    told = dict(found) | {"until": until.isoformat()} if found else enactment.measured
    Enactment.objects.filter(pk=enactment.pk).update(measured=told, measured_at=now)
    return found is not None


def _ended(motion: Motion, enactment: Enactment) -> dt.datetime | None:
    """When another value came to hold."""
    rows = queries.history(motion.effect, motion.body.scope).filter(valid_from__gt=enactment.effective_at)
    return rows.order_by("valid_from").values_list("valid_from", flat=True).first()


def evidence(place: Place) -> Iterable[sockets.Evidence]:
    """Closed loops of a place: a decision changed a value by itself, and what that did was measured afterwards."""
    rows = Enactment.objects.exclude(measured__isnull=True).select_related("motion__body").order_by("-measured_at")
    for row in rows:
        told = row.measured or {}
        system, who = told.get("system"), queries.decider(row.motion.body, None)
        if not system or who is None or who.place is None or who.place.pk != place.pk:
            continue
        yield sockets.Evidence(
            system=system,
            level=5,
            what=_("%(body)s decided “%(title)s”; its effect was measured") % {"body": who.name, "title": row.motion},
            count=1,
            source=_("decisions and their measured effect"),
            as_of=row.measured_at,
            url=(url := reverse("rooms:decision", args=[row.motion_id])),
            proof={
                "decision": url,
                "expected": row.promised or {},
                "measured": (row.measured or {}).get("figures", {}),
            },
        )
