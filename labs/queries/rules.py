"""What a lab's rules say of a machine, and everything that speaks against a booking: one place for all of it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from commons.errors import CityError
from commons.people.models import User
from labs.engine.hours import Span
from labs.errors import BadTime, NotQualified, OutOfService, TooMany
from labs.models import Booking, Machine
from labs.queries import badges, bookings

GRACE = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits that hold for one machine and one person; None or 0 where the lab sets none."""

    shortest_min: int = 5
    longest_h: float = 24
    lead_min: int = 0
    horizon_days: int = 90
    buffer_before_min: int = 0
    buffer_after_min: int = 0
    needs_approval: bool = False
    check_in_within_min: int = 0
    cancel_until_min: int = 0
    per_day_h: float | None = None
    per_week_h: float | None = None
    open_bookings: int | None = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that speaks against a booking: what it says, and what would help. `data` goes into the API's answer."""

    rule: str
    code: str
    sentence: str
    remedy: str
    error: type[CityError]
    data: Mapping[str, Any] = field(default_factory=dict)

    def raised(self) -> CityError:
        """The refusal as the error that a service raises."""
        return self.error(f"{self.sentence} {self.remedy}".strip(), **self.data)


def for_machine(machine: Machine, user: User | None = None) -> Rules:
    """What holds on this machine, for this person if one is named; the machine's lab should be at hand."""
    return Rules(
        longest_h=machine.longest_h,
        buffer_before_min=machine.buffer_before_min,
        buffer_after_min=machine.buffer_after_min,
        open_bookings=machine.lab.open_bookings_max,
    )


def local(moment: dt.datetime, machine: Machine) -> str:
    """A time in the lab's own zone, in words."""
    there = moment.astimezone(machine.lab.zone)
    return f"{formats.date_format(there, _('l j F'))} {formats.time_format(there, 'H:i')}"


def why_not(
    *, machine: Machine, user: User, span: Span, now: dt.datetime, moved: Booking | None = None
) -> list[Refusal]:
    """All that speaks against this booking, the weightiest first; `moved` is the booking that gets this time.

    Whether the time is taken is not asked here: the insert itself finds out.
    """
    rules, found = for_machine(machine, user), list[Refusal]()
    if moved is None or moved.start > now or span.start != moved.start:
        found += _time(machine, rules, span, now)
    if moved is None and machine.state == Machine.State.REPAIR:
        sentence = _("%(machine)s is in repair. %(note)s") % {"machine": machine.name, "note": machine.state_note}
        found.append(_refusal("repair", OutOfService, sentence))
    found += _person(machine, user, span.end)
    if moved is None:
        found += _cap(machine, rules, user, now)
    return found


def _refusal(rule: str, error: type[CityError], sentence: str, remedy: str = "", **data: Any) -> Refusal:
    return Refusal(rule, error.code, sentence.strip(), remedy, error, data)


def _time(machine: Machine, rules: Rules, span: Span, now: dt.datetime) -> list[Refusal]:
    length, found = span.end - span.start, list[Refusal]()
    if length < dt.timedelta(minutes=rules.shortest_min):
        found.append(_refusal("shortest", BadTime, _("A booking ends at least five minutes after it starts.")))
    if span.start < now - GRACE:
        sentence = _("%(start)s is past.") % {"start": local(span.start, machine)}
        found.append(_refusal("past", BadTime, sentence, _("Choose a time to come.")))
    if length > dt.timedelta(hours=rules.longest_h):
        words = {"machine": machine.name, "hours": f"{rules.longest_h:g}"}
        sentence = _("%(machine)s can be booked for at most %(hours)s h at a time.") % words
        found.append(_refusal("longest", BadTime, sentence, _("Choose less.")))
    if span.start > now + dt.timedelta(days=rules.horizon_days):
        sentence = _("Bookings open %(days)s days ahead.") % {"days": rules.horizon_days}
        found.append(_refusal("horizon", BadTime, sentence, _("Choose a nearer time.")))
    if length > dt.timedelta() and not bookings.is_open(machine, span):
        words = {"lab": machine.lab.name, "machine": machine.name}
        sentence = _("%(lab)s is closed for a part of that time, and %(machine)s does not work alone.") % words
        found.append(_refusal("hours", BadTime, sentence, _("Choose a time within the opening hours.")))
    return found


def _person(machine: Machine, user: User, until: dt.datetime) -> list[Refusal]:
    missing = badges.missing(machine=machine, user=user, at=until)
    if not missing:
        return []
    words = {"machine": machine.name, "names": ", ".join(badge.name for badge in missing)}
    return [
        _refusal(
            "badge",
            NotQualified,
            _("%(machine)s asks for the badge “%(names)s”.") % words,
            _("A trainer of %(lab)s can give it to you.") % {"lab": machine.lab.name},
            badge=missing[0].slug,
            missing=[{"slug": badge.slug, "name": badge.name} for badge in missing],
        )
    ]


def _cap(machine: Machine, rules: Rules, user: User, now: dt.datetime) -> list[Refusal]:
    most = rules.open_bookings
    open_ones = Booking.objects.filter(user=user, machine__lab=machine.lab_id, end__gt=now, status__in=Booking.OPEN)
    held = open_ones.count()
    if most is None or held < most:
        return []
    words = {"held": held, "lab": machine.lab.name, "most": most}
    sentence = _("You have %(held)s bookings to come in %(lab)s, and it allows %(most)s.") % words
    return [_refusal("open", TooMany, sentence, _("Cancel one first."))]
