"""How much of a machine's use the local sun would cover, asked of the room of energy if it is there.

`hours` reads what was (the neighbourhood's data), `outlook` what is foreseen, with its range. Both tell the share of a
load of `kw`; a lab as a whole is asked about with 1 kW, a machine with what it draws.
"""

import datetime as dt
from typing import TYPE_CHECKING

from django.apps import apps

from commons.places.models import Place
from commons.shelf import Shelf, once
from labs.engine.times import Sun
from labs.models import Machine
from labs.queries import drawing

if TYPE_CHECKING:
    from energy.queries import Ahead

STEP = dt.timedelta(hours=1)
USUAL_KW = 1.0


def hours(place: Place | None, start: dt.datetime, end: dt.datetime) -> list[Sun]:
    """Hour by hour the share of local surplus; empty when no community of the place is known."""
    if place is None or not apps.is_installed("energy") or start >= end:
        return []
    from energy.queries import surplus  # noqa: PLC0415 the room may be left out

    first = start.replace(minute=0, second=0, microsecond=0)
    return [Sun(at, at + STEP, share) for at, _kw, share in surplus(place, first, end, STEP)]


def outlook(place: Place | None, start: dt.datetime, end: dt.datetime, kw: float = USUAL_KW) -> list[Sun]:
    """Step by step the foreseen share of local surplus with its range; before and after what is foreseen, the data of
    the same hours of their year, without one.
    """
    if place is None or not apps.is_installed("energy") or start >= end:
        return []
    from energy.queries import outlook_of_place  # noqa: PLC0415 the room may be left out

    ahead = once(("outlook", place.pk), lambda: outlook_of_place(place))
    if ahead is None or ahead.end <= start or ahead.start >= end:
        return hours(place, start, end)
    kw = round(kw, 3)
    whole = _foreseen.get((ahead.state, kw), lambda: _told(ahead, kw), len)
    first, last = ahead.between(start, end)
    known = whole[first:last]
    before = hours(place, start, ahead.start) if start < ahead.start else []
    after = hours(place, ahead.end, end) if end > ahead.end else []
    return [*before, *known, *after]


# By the outlook's state and the load.
_foreseen: Shelf[list[Sun]] = Shelf(40_000)


def _told(ahead: "Ahead", kw: float) -> list[Sun]:
    """The whole of an outlook for a load."""
    basis: dict[dt.date, str] = {}
    told = []
    for (at, _nth), share in zip(ahead.cells(ahead.start, ahead.end), ahead.shares(kw), strict=True):
        day = at.astimezone(ahead.zone).date()
        if day not in basis:
            basis[day] = ahead.basis_at(at)
        told.append(Sun(at, at + ahead.step, share.expected, share.low, share.high, basis[day]))
    return told


def draw_of(machine: Machine, length: dt.timedelta = STEP) -> float:
    """The mean power of a booking of that length on the machine, kW."""
    return drawing.kw_of(machine, length)
