"""After each day: how much of a lab's kWh fell on local surplus, beside the times first asked for. And the round that
keeps plans, outlook and flexible bookings together.

Method 1. Jobs that ended on the local day, with the curve of their newest energy figure in quarters. What was spare is
made less used by the neighbourhood's data, the lab's own use in those data left out, since it is what is asked about.
Of the lab's load in a quarter as much is covered as is spare, no more. Then the same curves, each moved to the time
first asked for (a flexible booking's first free time; else what the person first chose where a suggestion was taken
instead; else where it was), against what was spare there. Storage is left out of both.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.apps import apps
from django.db import transaction
from django.utils import timezone

from labs.engine import planning
from labs.engine.hours import Span
from labs.models import Booking, EnergyFigure, FirstAsked, FlexibleBooking, Job, Lab, SunDay
from labs.queries import standing
from labs.services import flexible
from labs.services import planning as plans

METHOD = "1"
#: Days that are worked out anew: readings come late.
LATE_DAYS = 3
STEP = dt.timedelta(minutes=15)
ONE = dt.timedelta(days=1)


def round_(now: dt.datetime | None = None) -> dict[str, int]:
    """Plans to the communities, their outlooks anew where one changed, then the flexible bookings."""
    now = now or timezone.now()
    plans.note_plans(now)
    touched = plans.publish_all(now)
    renewed = 0
    if apps.is_installed("energy"):
        renewed = _renew(touched, now)
    return {"plans": len(touched), "outlooks": renewed, **flexible.sweep(now)}


def _renew(touched: Iterable[int], now: dt.datetime) -> int:
    from energy.models import Community  # noqa: PLC0415 the room may be left out
    from energy.services import outlooks  # noqa: PLC0415 as above

    rows = Community.objects.filter(pk__in=list(touched), public=True)
    return sum(outlooks.make(community=community, now=now) for community in rows)


# --- after a day -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """A measured job: its stretches with their kWh, and by how much it began later than first asked for."""

    parts: Sequence[tuple[Span, float]]
    late: dt.timedelta

    def moved(self) -> "Sequence[tuple[Span, float]]":
        """The same at the time first asked for."""
        return [(Span(span.start - self.late, span.end - self.late), kwh) for span, kwh in self.parts]


def settle_due(now: dt.datetime) -> int:
    """Work out the days that are over of all labs; how many were new or changed."""
    changed = 0
    for lab in Lab.objects.filter(place__isnull=False).select_related("place", "organisation").order_by("pk"):
        today = now.astimezone(lab.zone).date()
        changed += sum(settle_day(lab, today - nth * ONE, now) for nth in range(LATE_DAYS, 0, -1))
    return changed


def settle_day(lab: Lab, day: dt.date, now: dt.datetime | None = None) -> bool:
    """Work out one day of a lab; whether anything new came of it. Days without a measured job leave no row."""
    begins = dt.datetime.combine(day, dt.time(), tzinfo=lab.zone)
    ends = dt.datetime.combine(day + ONE, dt.time(), tzinfo=lab.zone)
    loads = loads_of(lab, begins, ends)
    if not loads:
        return False
    parts = [part for load in loads for part in (*load.parts, *load.moved())]
    low, high = min(span.start for span, _kwh in parts), max(span.end for span, _kwh in parts)
    spare = spare_of(lab, low, high)
    if spare is None:
        return False
    kwh = sum(k for load in loads for _span, k in load.parts)
    sun = min(spare.covered([part for load in loads for part in load.parts]), kwh)
    first = min(spare.covered([part for load in loads for part in load.moved()]), kwh)
    return _keep(lab, day, loads, kwh, sun, first, exact=spare.exact, now=now or timezone.now())


@transaction.atomic
def _keep(  # noqa: PLR0917 one row in its parts
    lab: Lab, day: dt.date, loads: Sequence[Load], kwh: float, sun: float, first: float, *, exact: bool,
    now: dt.datetime,
) -> bool:  # fmt: skip
    Lab.objects.select_for_update(no_key=True).only("pk").get(pk=lab.pk)
    facts = {
        "jobs": len(loads), "moved": sum(bool(load.late) for load in loads), "kwh": round(kwh, 6),
        "sun_kwh": min(round(sun, 6), round(kwh, 6)), "first_sun_kwh": min(round(first, 6), round(kwh, 6)),
        "exact": exact, "method": METHOD,
    }  # fmt: skip
    row = SunDay.objects.filter(lab=lab, day=day).first() or SunDay(lab=lab, day=day, number=0)
    if row.pk and all(getattr(row, name) == value for name, value in facts.items()):
        return False
    for name, value in facts.items():
        setattr(row, name, value)
    row.number, row.made_at = row.number + 1, now
    row.save()
    return True


def loads_of(lab: Lab, begins: dt.datetime, ends: dt.datetime) -> list[Load]:
    """The measured jobs that ended in a time, with the times first asked for."""
    jobs = Job.objects.filter(
        machine__lab=lab, finished_at__gte=begins, finished_at__lt=ends, outcome=Job.Outcome.FINISHED
    )
    rows = plans.newest_figures(jobs).filter(kwh__gt=0).exclude(quality=EnergyFigure.Quality.NONE)
    figures = list(rows.select_related("job__booking").order_by("job__started_at", "pk"))
    asked = first_asked([f.job.booking for f in figures if f.job.booking is not None])
    found = []
    for figure in figures:
        booking = figure.job.booking
        wanted = asked.get(booking.pk) if booking is not None else None
        late = booking.start - wanted if booking is not None and wanted is not None else dt.timedelta()
        found.append(Load(plans.phases_of(figure), late))
    return found


def first_asked(bookings: Sequence[Booking]) -> Mapping[object, dt.datetime]:
    """When each of these was first wanted, by its key; one that is not in it stands where it was wanted."""
    keys = [booking.pk for booking in bookings]
    found: dict[object, dt.datetime] = dict(FirstAsked.objects.filter(booking__in=keys).values_list("booking", "start"))
    found |= dict(FlexibleBooking.objects.filter(booking__in=keys).values_list("booking", "first_start"))
    return found


@dataclass(frozen=True, slots=True)
class Spare:
    """What was spare in each step, kWh, before the lab's own use; `exact`: in the data of those very hours."""

    edges: Sequence[dt.datetime]
    kwh: Sequence[float]
    exact: bool

    def covered(self, parts: Sequence[tuple[Span, float]]) -> float:
        """How many kWh of these stretches together were covered."""
        load = [0.0] * len(self.kwh)
        for span, kwh in parts:
            hours = (span.end - span.start) / dt.timedelta(hours=1)
            if hours > 0:
                planning.spread_over(load, self.edges, span, kwh / hours)
        return sum(min(used, max(spare, 0.0)) for used, spare in zip(load, self.kwh, strict=True))


def spare_of(lab: Lab, low: dt.datetime, high: dt.datetime) -> Spare | None:
    """What was spare in the lab's neighbourhood in a time, as everybody may see it; None where nobody knows."""
    if lab.place is None or not apps.is_installed("energy"):
        return None
    from energy import series  # noqa: PLC0415 the room may be left out
    from energy.queries import locate, surplus  # noqa: PLC0415 as above

    low -= (low - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) % STEP
    rows = {at: kw for at, kw, _share in surplus(lab.place, low, high, STEP)}
    if not rows:
        return None
    member = standing.of(lab).member
    own = series.unpack(member.load) if member is not None else None
    version = member.version if member is not None else None
    count = -((low - high) // STEP)
    edges = [low + nth * STEP for nth in range(count + 1)]
    kwh = []
    for at in edges[:-1]:
        kw = rows.get(at)
        if kw is not None and own is not None and version is not None:
            where = locate(version, at)
            kw += own[where.index] * 60 / version.step_minutes if where else 0.0
        kwh.append((kw or 0.0) / 4)
    return Spare(edges, kwh, _is_exact(lab, low, high))


def _is_exact(lab: Lab, low: dt.datetime, high: dt.datetime) -> bool:
    from energy.queries import community_of, public  # noqa: PLC0415 the room may be left out

    community = community_of(lab.place) if lab.place else None
    version = public.version(community, None) if community else None
    return version is not None and version.start <= low and high <= version.end
