"""What pages show of the sun: the coming days, plans beside what was measured, a machine's power."""

import datetime as dt
from dataclasses import dataclass

from django.apps import apps
from django.db.models import Sum

from labs.engine.hours import Span
from labs.models import BookingPlan, Lab, Machine
from labs.queries import drawing, sun, sun_words

ONE = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A coming day: its sun in words, kWh to spare, and what is booked in the lab."""

    date: dt.date
    told: str
    spare_kwh: float | None
    planned_kwh: float


def days_ahead(lab: Lab, now: dt.datetime, count: int = 7) -> list[Day]:
    """The coming days from today on; none where nobody knows the sun of the place."""
    if lab.place is None or not apps.is_installed("energy"):
        return []
    from energy import series  # noqa: PLC0415 the room may be left out
    from energy.models import PlannedLoad  # noqa: PLC0415 as above
    from energy.queries import outlook_of_place  # noqa: PLC0415 as above
    from energy.queries.outlooks import Planned  # noqa: PLC0415 as above

    ahead = outlook_of_place(lab.place)
    if ahead is None:
        return []
    row = PlannedLoad.objects.filter(community=ahead.community, source=f"labs:{lab.slug}").first()
    planned = Planned(row, series.unpack(row.kwh)) if row else None
    today = now.astimezone(lab.zone).date()
    hours = ahead.step / dt.timedelta(hours=1)
    first, last = midnight(today, lab), midnight(today + count * ONE, lab)
    suns = sun.outlook(lab.place, first, last)
    found = []
    for nth in range(count):
        span = Span(midnight(today + nth * ONE, lab), midnight(today + (nth + 1) * ONE, lab))
        cells = ahead.cells(*span)
        if not cells:
            break
        spare = sum(max(ahead.middle[n], 0.0) * hours for _at, n in cells)
        told = sun_words.day_words(span, suns, lab.zone)
        found.append(Day(today + nth * ONE, told, spare, planned.on(*span) if planned else 0.0))
    return found


def midnight(day: dt.date, lab: Lab) -> dt.datetime:
    """The moment at which a local day of the lab begins."""
    return dt.datetime.combine(day, dt.time(), tzinfo=lab.zone).astimezone(dt.UTC)


@dataclass(frozen=True, slots=True)
class Plans:
    """Bookings that were planned and measured: how many, kWh of both, and the mean of how far each was off."""

    count: int
    planned: float
    measured: float
    miss: float


def plans(lab: Lab, now: dt.datetime) -> Plans:
    """Plan against measured of the last 30 days."""
    rows = BookingPlan.objects.filter(
        booking__machine__lab=lab, measured_kwh__isnull=False, booking__start__gt=now - 30 * ONE
    )
    pairs = list(rows.values_list("planned_kwh", "measured_kwh"))
    misses = [abs(took - told) / told for told, took in pairs if told > 0 and took is not None]
    sums = rows.aggregate(planned=Sum("planned_kwh"), measured=Sum("measured_kwh"))
    return Plans(
        len(pairs), sums["planned"] or 0.0, sums["measured"] or 0.0, sum(misses) / len(misses) if misses else 0.0
    )


def of_machine(machine: Machine, now: dt.datetime) -> dict[str, float]:
    """What an hour's booking of the machine draws in the mean, and from how many jobs that was learned."""
    profile = drawing.profiles([machine])[machine.pk]
    return {"watts": 1000 * profile.mean_kw(dt.timedelta(hours=1)), "jobs": profile.jobs}
