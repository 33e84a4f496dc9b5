"""What speaks against a booking, as refusals: the rules themselves stand in `labs.queries.rules`."""

import datetime as dt
from collections.abc import Sequence

from commons.people.models import User
from labs.engine.hours import Span
from labs.errors import BadTime
from labs.errors.rules import OverQuota
from labs.models import Booking, Machine
from labs.queries import rules
from labs.queries.rulebook import Rulebook
from labs.queries.rules import GRACE, local

__all__ = ["GRACE", "check_booking", "local"]


def check_booking(
    *,
    machine: Machine,
    user: User,
    span: Span,
    now: dt.datetime,
    moved: Booking | None = None,
    beside: Sequence[Machine] = (),
    known: Rulebook | None = None,
) -> None:
    """Refuse by the first rule that speaks against it; `moved` is the booking that gets this time instead of its own,
    `beside` are the machines that are booked for the same time in the same step, `known` the lab's rules where this
    step has read them already.

    Whether the time is taken is not asked here: the insert itself finds out. A refusal of the time tells in
    `next_allowed` when it would be allowed. Raises BadTime, OutOfService, NotQualified, TooMany, OverQuota, Paused,
    MembersOnly.
    """
    found = rules.why_not(machine=machine, user=user, span=span, now=now, moved=moved, beside=beside, known=known)
    if not found:
        return
    first = found[0]
    if not issubclass(first.error, BadTime | OverQuota):
        raise first.raised()
    allowed = rules.allowed_time(machine=machine, user=user, span=span, now=now, moved=moved, known=known)
    told = {"start": allowed.start.isoformat(), "end": allowed.end.isoformat()} if allowed else None
    raise first.raised(next_allowed=told)
