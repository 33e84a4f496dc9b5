"""What a rule would have done: the coming bookings that it would have refused when they were made."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from commons.people.models import Membership
from labs.engine import rules as engine
from labs.engine.hours import Span
from labs.engine.rules import Facts, Own, Row
from labs.models import Booking, Lab
from labs.queries import rules
from labs.queries.roles import ROLE_OF

MOST = 2000


@dataclass(frozen=True, slots=True)
class Preview:
    """Of `looked_at` bookings to come, those that the new rule alone would have refused, soonest first."""

    looked_at: int
    refused: Sequence[Booking]
    people: int


def with_rule(lab: Lab, row: Row) -> list[Row]:
    """The lab's rules as they would be."""
    key = (row.name, row.machine, row.cls, row.role)
    return [r for r in rules.rows_of(lab) if (r.name, r.machine, r.cls, r.role) != key] + [row]


def without_rule(lab: Lab, key: int) -> list[Row]:
    """The lab's rules without one."""
    return [r for r in rules.rows_of(lab) if r.key != key]


def preview(lab: Lab, rows: Sequence[Row], *, now: dt.datetime) -> Preview:
    """What these rules would have refused that today's would not; five queries, whatever the number of bookings.

    Each booking is judged at the time when it was made, beside the person's other ones. Opening hours, badges and the
    state of machines are left out: they are the same under both.
    """
    coming = list(
        Booking.objects.filter(
            machine__lab=lab, kind=Booking.Kind.USE, status__in=Booking.OPEN, start__gt=now
        ).select_related("machine", "user")[:MOST]
    )
    coming.sort(key=lambda booking: booking.start)
    own = _own(lab, coming, now)
    held = Membership.objects.filter(organisation=lab.organisation_id).values_list("user", "role")
    roles = {user: ROLE_OF[Membership.Role(role)] for user, role in held}
    today = rules.rows_of(lab)
    refused = []
    for booking in coming:
        booking.machine.lab = lab
        role = "manager" if booking.user.is_staff else roles.get(booking.user_id, "guest")
        facts = _facts(lab, booking, role, own.get(booking.user_id, []))
        if _says(booking, role, rows, facts) - _says(booking, role, today, facts):
            refused.append(booking)
    return Preview(len(coming), refused, len({booking.user_id for booking in refused}))


def _says(booking: Booking, role: str, rows: Sequence[Row], facts: Facts) -> set[str]:
    ruled = rules.resolved(booking.machine, role, rows)
    return {finding.rule for finding in engine.evaluate(ruled, facts)}


def _own(lab: Lab, coming: Sequence[Booking], now: dt.datetime) -> dict[int, list[tuple[Booking, Own]]]:
    people = {booking.user_id for booking in coming}
    rows = Booking.objects.filter(
        machine__lab=lab,
        user__in=people,
        kind=Booking.Kind.USE,
        end__gt=now - rules.BACK,
        status__in=Booking.HOLDING,
    ).select_related("machine")
    found: dict[int, list[tuple[Booking, Own]]] = {}
    for row in rows:
        own = Own(Span(row.start, row.end), row.machine_id, row.machine.cls, row.status in Booking.OPEN)
        found.setdefault(row.user_id, []).append((row, own))
    return found


def _facts(lab: Lab, booking: Booking, role: str, own: Sequence[tuple[Booking, Own]]) -> Facts:
    span = Span(booking.start, booking.end)
    before = [o for other, o in own if other.pk != booking.pk and other.created_at <= booking.created_at]
    return Facts(
        span=span,
        now=min(booking.created_at, booking.start),
        zone=lab.zone,
        machine=booking.machine_id,
        cls=booking.machine.cls,
        role=role,
        opened=[Span(span.start - rules.DAY, span.end + rules.DAY)],
        own=before,
        grace=rules.DAY,
    )
