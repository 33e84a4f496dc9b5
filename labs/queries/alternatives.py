"""What somebody can use instead of a machine that has failed."""

import datetime as dt
from collections.abc import Iterable

from commons.people.models import User
from labs.engine.hours import Span
from labs.models import Lab, Machine
from labs.queries import badges, bookings, catalogue, rulebook, rules

MOST_ASKED = 12


def instead(machine: Machine, user: User, span: Span, *, now: dt.datetime, most: int = 3) -> list[Machine]:
    """Machines of the same class that this person could book for this time: of the lab first, then near by.

    Asked of each: in order, big enough where both volumes are known, free with its buffers, and no rule of its lab
    speaks against it.
    """
    found: list[Machine] = []
    for other in _like(machine)[:MOST_ASKED]:
        if len(found) == most:
            break
        if not badges.missing(machine=other, user=user, at=span.start) and could_have(other, user, span, now):
            found.append(other)
    return found


def could_have(machine: Machine, user: User, span: Span, now: dt.datetime) -> bool:
    """Whether a booking of this time would be taken, as things stand."""
    known = rulebook.read(machine.lab, user)
    held = known.buffers(machine)
    if bookings.taken(machine, span.start - held.before, span.end + held.after):
        return False
    return not rules.why_not(machine=machine, user=user, span=span, now=now, known=known)


def _like(machine: Machine) -> list[Machine]:
    rows = catalogue.machines().filter(cls=machine.cls, process=machine.process, state=Machine.State.OK)
    rows = rows.exclude(pk=machine.pk)
    here = [other for other in rows.filter(lab=machine.lab_id) if _holds(other, machine)]
    return here + [other for other in _near(machine.lab, rows.exclude(lab=machine.lab_id)) if _holds(other, machine)]


def _near(lab: Lab, rows: Iterable[Machine]) -> list[Machine]:
    """Those of labs in the same place or city; demo labs stand in for demo labs alone."""
    if lab.place is None:
        return []
    city = lab.place.parent_id or lab.place_id
    return [
        other
        for other in rows
        if other.lab.demo == lab.demo
        and other.lab.place is not None
        and city in {other.lab.place_id, other.lab.place.parent_id}
    ]


def _holds(other: Machine, machine: Machine) -> bool:
    """Whether what fits into the one fits into the other; unknown sizes are no reason against it."""
    if other.volume_mm is None or machine.volume_mm is None:
        return True
    pairs = zip(other.volume_mm, machine.volume_mm, strict=True)
    return all(theirs is None or ours is None or theirs >= ours for theirs, ours in pairs)
