"""What speaks against a booking, as refusals: the rules themselves stand in `labs.queries.rules`."""

import datetime as dt

from commons.people.models import User
from labs.engine.hours import Span
from labs.models import Booking, Machine
from labs.queries import rules
from labs.queries.rules import GRACE, local

__all__ = ["GRACE", "check_booking", "local"]


def check_booking(*, machine: Machine, user: User, span: Span, now: dt.datetime, moved: Booking | None = None) -> None:
    """Refuse by the first rule that speaks against it; `moved` is the booking that gets this time instead of its own.

    Whether the time is taken is not asked here: the insert itself finds out. Raises BadTime, OutOfService,
    NotQualified, TooMany.
    """
    for refusal in rules.why_not(machine=machine, user=user, span=span, now=now, moved=moved):
        raise refusal.raised()
