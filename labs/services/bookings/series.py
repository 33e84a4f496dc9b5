"""Book again and again: each occurrence is a booking of its own, under all the rules."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import CityError
from commons.people.models import User
from labs.engine import recurrence
from labs.engine.hours import Span
from labs.errors.bookings import BadRepeat, BadTogether
from labs.models import Booking, BookingSeries, Machine
from labs.queries import rulebook
from labs.services.bookings import rows, telling
from labs.services.bookings.create import check_together, write
from labs.services.bookings.move import clash, series_clash

if TYPE_CHECKING:
    from designs.models import Design


@dataclass(frozen=True, slots=True)
class Repeated:
    """What became of a series: the bookings, soonest first, and the times that were left out because they clash."""

    series: BookingSeries
    bookings: list[Booking]
    skipped: list[Mapping[str, Any]]


@transaction.atomic
def create_series(
    *,
    machines: Sequence[Machine],
    user: User,
    start: dt.datetime,
    end: dt.datetime,
    rrule: str,
    left_out: Collection[dt.datetime] = (),
    skip: bool = False,
    design: "Design | None" = None,
    booked_by: User | None = None,
    note: str = "",
    now: dt.datetime | None = None,
) -> Repeated:
    """Book these machines at all times of a rule (RFC 5545), by the clock of the lab.

    Times that cannot be had are listed by a SeriesClash, or with `skip` left out. A rule without an end goes as far as
    bookings are open. Raises BadRepeat and BadTogether too, and SeriesClash when no time at all can be had.
    """
    now = now or timezone.now()
    check_together(machines)
    if len({machine.lab_id for machine in machines}) > 1:
        raise BadTogether(
            _("These machines stand in different labs; book the series of each lab in a step of its own.")
        )
    first = Span(start, end)
    rows.lock_person(user)
    held = rows.lock_machines(machines)
    known = rulebook.read_all((m.lab for m in held), user)
    days = min(known[m.lab_id].holds(m).horizon_days for m in held)
    spans = _spans(held, first, rrule, left_out, days=days, now=now)
    series = BookingSeries.objects.create(
        lab=held[0].lab,
        user=user,
        rrule=rrule.strip().upper().removeprefix("RRULE:")[:200],
        left_out=sorted(left_out),
        first=start,
        length_min=max(int((end - start).total_seconds() // 60), 0),
    )
    facts: dict[str, Any] = {"design": design, "booked_by": booked_by, "note": note}
    made, clashes = list[Booking](), list[Mapping[str, Any]]()
    for span in spans:
        try:
            with transaction.atomic():
                made += write(held, user, span, now=now, series=series, together=len(held) > 1, known=known, **facts)
        except CityError as refusal:
            clashes.append(clash(held[0], span, refusal))
    if clashes and not (skip and made):
        raise series_clash([dict(c) for c in clashes], len(spans) - len(clashes))
    _tell(made, user, booked_by)
    return Repeated(series, made, clashes)


def _tell(made: Sequence[Booking], user: User, booked_by: User | None) -> None:
    if made[0].status == Booking.Status.REQUESTED:
        telling.requested(made, actor=booked_by or user)
    elif booked_by is not None and booked_by != user:
        telling.booked_for_you(made, actor=booked_by)


def _spans(
    machines: Sequence[Machine],
    first: Span,
    rrule: str,
    left_out: Collection[dt.datetime],
    *,
    days: int,
    now: dt.datetime,
) -> list[Span]:
    try:
        bounded = {"COUNT", "UNTIL"} & recurrence.read(rrule).keys()
        last = now + dt.timedelta(days=4 * 366 if bounded else days)
        found = recurrence.spans(first, rrule, zone=machines[0].lab.zone, last=last, left_out=left_out)
    except recurrence.BadRule as wrong:
        if wrong.part == "DTSTART":
            raise BadRepeat(_("The first time does not follow its own rule; begin on a day that does.")) from None
        sentence = _("“%(part)s” cannot be read; write a rule as FREQ=WEEKLY;COUNT=8, by days, weeks or months.")
        raise BadRepeat(sentence % {"part": wrong.part}) from None
    if not found:
        raise BadRepeat(_("Every time of this rule is left out, so nothing is booked."))
    if len(found) > recurrence.MOST:
        raise BadRepeat(_("A series has at most %(most)s times; end it sooner.") % {"most": recurrence.MOST})
    return found
