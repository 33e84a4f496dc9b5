"""What stands in a calendar feed: for whom, and with which names."""

import datetime as dt
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from commons.mine.sockets import Dated, dates
from commons.people.models import User
from commons.places.queries import zone_of
from labs import ical, policies
from labs.errors.feeds import UnknownFeed
from labs.models import Booking, FeedKey, Lab, Machine

log = logging.getLogger(__name__)

KEPT = dt.timedelta(days=30)
MOST = 5000
S = Booking.Status
#: What a calendar calls each state.
STATUS = {
    S.OFFERED: "TENTATIVE",
    S.REQUESTED: "TENTATIVE",
    S.BOOKED: "CONFIRMED",
    S.RUNNING: "CONFIRMED",
    S.DONE: "CONFIRMED",
    S.CANCELLED: "CANCELLED",
    S.DECLINED: "CANCELLED",
    S.MISSED: "CANCELLED",
}
GONE = (S.CANCELLED, S.DECLINED, S.MISSED)


def digest(secret: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_key(secret: str, *, kind: str, machine: int | None = None, lab: str | None = None) -> FeedKey:
    """The key, if it opens this very feed and its person is active. Raises UnknownFeed."""
    rows = FeedKey.objects.select_related("user", "machine__lab__place", "lab__place")
    found = rows.filter(digest=digest(secret), kind=kind, user__is_active=True).first() if secret else None
    wrong = found is None or (machine is not None and found.machine_id != machine)
    if found is None or wrong or (lab is not None and (found.lab is None or found.lab.slug != lab)):
        raise UnknownFeed(_("There is no such calendar; make a new address for it on the page of your bookings."))
    return found


def of_person(user: User) -> list[FeedKey]:
    """The feeds that a person has made."""
    rows = FeedKey.objects.filter(user=user).select_related("machine__lab", "lab")
    return list(rows.order_by("kind", "pk"))


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as text, and when it last changed."""

    body: str
    changed: dt.datetime


def feed(key: FeedKey, *, now: dt.datetime) -> Feed:
    """The bookings that this key's person may see: from 30 days back on; what was cancelled stays in for 30 days."""
    rows = Booking.objects.filter(end__gt=now - KEPT).exclude(Q(status__in=GONE) & Q(updated_at__lt=now - KEPT))
    if key.kind == FeedKey.Kind.PERSON:
        rows, name = rows.filter(user=key.user, kind=Booking.Kind.USE), _("My bookings and dates")
    elif key.machine is not None:
        rows, name = rows.filter(machine=key.machine), f"{key.machine.name}, {key.machine.lab.name}"
    else:
        assert key.lab is not None  # noqa: S101 a constraint sees to it
        rows, name = rows.filter(machine__lab=key.lab), key.lab.name
    found = list(rows.select_related("machine__lab__place", "user").order_by("start", "pk")[:MOST])
    others = _others(key, now) if key.kind == FeedKey.Kind.PERSON else []
    with translation.override(settings.LANGUAGE_CODE):
        summary = _summaries(key)
        zones = {b.machine.lab_id: b.machine.lab.zone for b in {b.machine.lab_id: b for b in found}.values()}
        events = [_event(b, summary(b), zones[b.machine.lab_id], mine=b.user_id == key.user_id) for b in found]
        events += [_dated(one, key.user) for one in others]
    changed = max([key.created_at, *(b.updated_at for b in found), *(one.changed for one in others)])
    return Feed(ical.calendar(name, events), changed)


def _others(key: FeedKey, now: dt.datetime) -> list[Dated]:
    """What other rooms put into a person's calendar: votes that close, sessions. One that fails costs its own."""
    found: list[Dated] = []
    for plug in dates:
        try:
            found += plug.of(key.user, now - KEPT)
        except Exception:
            log.exception("the dates of %s for a calendar failed", plug.slug)
    return found[:MOST]


def _dated(one: Dated, person: User) -> ical.Event:
    """A date of another room, by the clock of the person's home."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "livingcity"
    zone = zone_of(person.home) if person.home else dt.UTC
    return ical.Event(
        uid=f"{one.uid}@{host}",
        start=one.start,
        end=one.end,
        zone=zone if isinstance(zone, ZoneInfo) else ZoneInfo("UTC"),
        status="CANCELLED" if one.gone else "CONFIRMED",
        summary=one.title,
        sequence=1 if one.gone else 0,
        created=one.changed,
        changed=one.changed,
        description=one.text,
        url=f"{settings.PUBLIC_URL}{one.url}",
        busy=one.busy,
    )


def _summaries(key: FeedKey) -> Callable[[Booking], str]:
    """How this feed names a booking: people's names are for the lab's own people."""
    if key.kind == FeedKey.Kind.PERSON:
        return lambda b: f"{b.machine.name}, {b.machine.lab.name}{_state(b)}"
    lab = _lab(key)
    fellow = policies.is_fellow(key.user, lab)

    def named(b: Booking) -> str:
        if b.kind != Booking.Kind.USE:
            words = f"{b.get_kind_display()}: {b.reason}" if b.reason else b.get_kind_display()
        elif b.user_id == key.user_id:
            words = _("yours")
        else:
            words = str(b.user) if fellow else _("taken")
        return f"{b.machine.name}: {words}{_state(b)}"

    return named


def _lab(key: FeedKey) -> Lab:
    lab = key.machine.lab if isinstance(key.machine, Machine) else key.lab
    assert lab is not None  # noqa: S101 a constraint sees to it
    return lab


def _state(booking: Booking) -> str:
    waits = booking.status in {S.REQUESTED, S.OFFERED}
    return f" ({booking.get_status_display()})" if waits else ""


def _event(booking: Booking, summary: str, zone: ZoneInfo, *, mine: bool) -> ical.Event:
    lab = booking.machine.lab
    host = urlsplit(settings.PUBLIC_URL).hostname or "livingcity"
    path = reverse("rooms:booking", args=[booking.pk])
    return ical.Event(
        uid=f"{booking.pk}@{host}",
        start=booking.start,
        end=booking.end,
        zone=zone,
        status=STATUS[S(booking.status)],
        summary=summary,
        sequence=booking.sequence,
        created=booking.created_at,
        changed=booking.updated_at,
        location=", ".join(part for part in (lab.name, lab.address) if part),
        description=booking.note if mine else "",
        url=f"{settings.PUBLIC_URL}{path}" if mine else "",
        geo=(lab.lat, lab.lon) if lab.lat is not None and lab.lon is not None else None,
    )
