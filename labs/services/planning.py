"""What the labs plan to draw: profiles learned from measured jobs, and bookings as planned load of the neighbourhood.

A booking counts with the profile of its machine until a job of it was measured; then the job's own curve stands for it.
Loads no numpy; the room of energy keeps the plan and puts it into its outlook.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.apps import apps
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from labs.engine import draw, planning
from labs.engine.hours import Span
from labs.engine.planning import Measured, Profile
from labs.models import Booking, BookingPlan, EnergyFigure, Job, Lab, LabTie, Machine, PowerProfile
from labs.queries import drawing, standing

AHEAD_DAYS = 9
STEP = dt.timedelta(minutes=15)
HOUR = dt.timedelta(hours=1)
LEARNED = dt.timedelta(days=365)
MOST_JOBS = 400
MEASURED = (EnergyFigure.Quality.MEASURED, EnergyFigure.Quality.INTEGRATED)
DIGITS = 4
FIELDS = ("warm_w", "warm_min", "making_w", "idle_w", "used", "spread")


# --- learning ----------------------------------------------------------------------------------------------------


def learn(now: dt.datetime) -> int:
    """Learn what classes and machines draw from jobs that were measured; how many profiles changed."""
    jobs = _measured_jobs(now)
    by_class: dict[str, list[tuple[int, Measured]]] = {}
    for machine, cls, one in jobs:
        by_class.setdefault(cls, []).append((machine, one))
    changed = 0
    for cls, rows in sorted(by_class.items()):
        table = planning.of_table(draw.of_class(cls))
        of_class = planning.learn(table, [one for _machine, one in rows])
        changed += _keep(cls, None, of_class, table, [one for _machine, one in rows], now)
        machines: dict[int, list[Measured]] = {}
        for machine, one in rows:
            machines.setdefault(machine, []).append(one)
        for machine, own in sorted(machines.items()):
            if len(own) >= planning.ENOUGH:
                changed += _keep(cls, machine, planning.learn(of_class, own), of_class, own, now)
    return changed


def _measured_jobs(now: dt.datetime) -> list[tuple[int, str, Measured]]:
    """The newest figure of each job that was measured on its own: machine, class, and its phases."""
    figures = newest_figures(Job.objects.filter(finished_at__gt=now - LEARNED, finished_at__lte=now))
    figures = figures.filter(quality__in=MEASURED, kwh__isnull=False).order_by("-job__finished_at")
    rows = figures.select_related("job__booking", "job__machine")[:MOST_JOBS]
    return [(f.job.machine_id, f.job.machine.cls, measured_of(f)) for f in rows]


def newest_figures(jobs: QuerySet[Job]) -> QuerySet[EnergyFigure]:
    """The newest energy figure of each of these jobs."""
    newest = EnergyFigure.objects.filter(job=OuterRef("job")).order_by("-number").values("pk")[:1]
    return EnergyFigure.objects.filter(job__in=jobs, pk=Subquery(newest))


def measured_of(figure: EnergyFigure) -> Measured:
    """A job's figure as the engine learns from it."""
    hours = {"warm": 0.0, "making": 0.0, "idle": 0.0}
    kwh = dict(hours)
    for kind, first, last, wh in figure.phases:
        hours[kind] += (last - first) / 3_600_000
        kwh[kind] += wh / 1000
    booking = figure.job.booking
    return Measured(
        kwh["warm"], hours["warm"], kwh["making"], hours["making"], kwh["idle"], hours["idle"],
        booking.length / HOUR if booking is not None and booking.kind == Booking.Kind.USE else None,
    )  # fmt: skip


def _keep(  # noqa: PLR0917 a profile and what it was learned from
    cls: str, machine: int | None, found: Profile, begin: Profile, jobs: Sequence[Measured], now: dt.datetime
) -> bool:
    last = PowerProfile.objects.filter(cls=cls, machine=machine).order_by("-number").first()
    before = drawing.profile_of(last) if last else begin
    misses = [abs(planning.miss(before, job)) for job in jobs]
    facts = {name: round(getattr(found, name), DIGITS) for name in FIELDS}
    if last is not None and last.jobs == found.jobs and all(getattr(last, n) == v for n, v in facts.items()):
        return False
    PowerProfile.objects.create(
        cls=cls, machine_id=machine, number=last.number + 1 if last else 1, jobs=found.jobs,
        miss=sum(misses) / len(misses) if misses else None, made_at=now, **facts,
    )  # fmt: skip
    return True


# --- plan against measured ---------------------------------------------------------------------------------------


def note_plans(now: dt.datetime) -> int:
    """Write down what each booking that has begun was planned to take, once; how many."""
    begun = Booking.objects.filter(
        kind=Booking.Kind.USE, start__lte=now, end__gt=now - dt.timedelta(days=2), status__in=Booking.HOLDING, plan=None
    ).select_related("machine")
    rows = list(begun[:1000])
    known = drawing.profiles({b.machine_id: b.machine for b in rows}.values())
    made = [
        BookingPlan(booking=b, planned_kwh=known[b.machine_id].kwh(b.length), made_at=now, profile=_row(b.machine))
        for b in rows
    ]
    BookingPlan.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _row(machine: Machine) -> PowerProfile | None:
    rows = PowerProfile.objects.filter(cls=machine.cls).order_by("-number")
    return rows.filter(machine=machine).first() or rows.filter(machine=None).first()


def note_measured(now: dt.datetime) -> int:
    """Beside each plan what its jobs took by the meter; how many changed."""
    since = now - dt.timedelta(days=14)
    plans = BookingPlan.objects.filter(made_at__gt=since, booking__jobs__finished_at__isnull=False).distinct()
    changed = 0
    for plan in plans.select_related("booking"):
        figures = list(newest_figures(Job.objects.filter(booking=plan.booking_id)).filter(quality__in=MEASURED))
        kwh = sum(f.kwh or 0.0 for f in figures) if figures else None
        if kwh is not None and kwh != plan.measured_kwh:
            plan.measured_kwh, plan.measured_at = kwh, now
            plan.save(update_fields=["measured_kwh", "measured_at"])
            changed += 1
    return changed


# --- planned load ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """A lab's load from a local midnight on: kWh a step with its band, and of how many bookings."""

    start: dt.datetime
    kwh: list[float]
    low: list[float]
    high: list[float]
    bookings: int


def plan_of(lab: Lab, now: dt.datetime) -> Plan:
    """What the lab's bookings from today on will take; what was measured today stands for its booking."""
    midnight = now.astimezone(lab.zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(dt.UTC)
    end = midnight + dt.timedelta(days=AHEAD_DAYS)
    edges = [midnight + n * STEP for n in range((end - midnight) // STEP + 1)]
    held = Booking.objects.filter(
        machine__lab=lab, kind=Booking.Kind.USE, start__lt=end, end__gt=midnight, status__in=Booking.HOLDING
    ).select_related("machine")
    bookings = list(held)
    jobs = Job.objects.filter(machine__lab=lab, started_at__lt=end, finished_at__gt=midnight)
    figures: dict[object, list[EnergyFigure]] = {}
    for figure in newest_figures(jobs).filter(kwh__isnull=False).select_related("job"):
        figures.setdefault(figure.job.booking_id, []).append(figure)
    known = drawing.profiles({b.machine_id: b.machine for b in bookings}.values())
    rows: list[tuple[list[float], float]] = []
    for booking in bookings:
        own = figures.pop(booking.pk, None)
        over = booking.end <= now or booking.status == Booking.Status.DONE
        if own is not None and over:
            rows += [(curve_of(figure, edges), 0.0) for figure in own]
            continue
        profile = known[booking.machine_id]
        rows.append((planning.curve(profile, Span(booking.start, booking.end), edges), profile.spread))
    for own in figures.values():  # jobs of nobody's booking, or of one that is no longer held
        rows += [(curve_of(figure, edges), 0.0) for figure in own]
    columns = list(zip(*(kwh for kwh, _spread in rows), strict=True)) if rows else [()] * (len(edges) - 1)
    spreads = [spread for _kwh, spread in rows]
    bands = [planning.band(column, spreads) for column in columns]
    return Plan(midnight, [sum(c) for c in columns], [b[0] for b in bands], [b[1] for b in bands], len(bookings))


def curve_of(figure: EnergyFigure, edges: Sequence[dt.datetime]) -> list[float]:
    """The measured phases of a job in steps, kWh; they sum to its figure within the edges."""
    found = [0.0] * (len(edges) - 1)
    for span, kwh in phases_of(figure):
        hours = (span.end - span.start) / HOUR
        if hours > 0:
            planning.spread_over(found, edges, span, kwh / hours)
    return found


def phases_of(figure: EnergyFigure) -> list[tuple[Span, float]]:
    """The stretches of a measured job and the kWh of each."""
    epoch, ms = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(milliseconds=1)
    return [(Span(epoch + first * ms, epoch + last * ms), wh / 1000) for _kind, first, last, wh in figure.phases]


def publish(lab: Lab, now: dt.datetime) -> int | None:
    """Hand the lab's plan to its community; that community's key where something changed, else None."""
    if not apps.is_installed("energy"):
        return None
    from energy.services import outlooks  # noqa: PLC0415 the room may be left out

    source = f"labs:{lab.slug}"
    here = standing.of(lab)
    belongs = here.community is not None and not here.apart
    outlooks.forget_plans(source=source, keep=[here.community.pk] if here.community and belongs else [])
    if here.community is None or not belongs:
        return None
    plan = plan_of(lab, now)
    changed = outlooks.plan(
        community=here.community, source=source, name=lab.name, member=here.member.key if here.member else "",
        url=reverse("rooms:lab", args=[lab.slug]), start=plan.start, step_minutes=STEP // dt.timedelta(minutes=1),
        kwh=plan.kwh, low=plan.low, high=plan.high, bookings=plan.bookings, demo=lab.demo, now=now,
    )  # fmt: skip
    return here.community.pk if changed else None


@transaction.atomic
def publish_all(now: dt.datetime | None = None) -> list[int]:
    """Hand over the plans of all labs; the communities in which something changed."""
    now = now or timezone.now()
    belongs = Q(place__isnull=False) | Q(ties__state=LabTie.State.HOLDS, ties__kind=LabTie.Kind.COMMUNITY)
    labs = Lab.objects.filter(belongs).select_related("place", "organisation").order_by("pk").distinct()
    return sorted({key for key in (publish(lab, now) for lab in labs) if key is not None})
