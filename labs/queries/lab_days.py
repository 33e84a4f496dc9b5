"""A lab's load by the hour and by the day: what was booked, beside what its machines and jobs were measured at."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from commons.devices import queries as devices
from labs.engine import planning
from labs.engine.hours import Span
from labs.engine.planning import Profile
from labs.models import Booking, BookingPlan, EnergyFigure, Job, Lab, Machine, SunDay
from labs.queries import board, drawing

HOUR, ONE = dt.timedelta(hours=1), dt.timedelta(days=1)
LATELY = 14


@dataclass(frozen=True, slots=True)
class Load:
    """A local day of a lab, kWh: booked in all of it, and measured so far (None where nothing measures)."""

    booked: float
    measured: float | None


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of today: when it begins, what is booked in it, and what was measured, kWh."""

    start: dt.datetime
    booked: float
    measured: float | None


@dataclass(frozen=True, slots=True)
class Day:
    """A day that is over: what its bookings were planned to take, what its jobs took, and the share on local sun."""

    date: dt.date
    planned: float | None
    measured: float | None
    jobs: int
    sun_share: float | None


def midnight(lab: Lab, day: dt.date) -> dt.datetime:
    """The moment at which a local day of the lab begins."""
    return dt.datetime.combine(day, dt.time(), tzinfo=lab.zone).astimezone(dt.UTC)


def of_labs(labs: Sequence[Lab], now: dt.datetime) -> dict[int, Load]:
    """Today of each lab, booked and measured; five queries, however many labs."""
    machines = _machines(labs)
    booked, measured = _booked(machines, labs, now), _measured(machines, labs, now)
    found = {}
    for lab in labs:
        told = [kwh for _start, kwh in measured[lab.pk]]
        found[lab.pk] = Load(sum(booked[lab.pk]), sum(told) if told else None)
    return found


def today(lab: Lab, now: dt.datetime) -> list[Hour]:
    """The hours of the lab's day, by its own clock; those to come have no measure."""
    machines = _machines([lab])
    edges = _edges(lab, now)
    booked = _booked(machines, [lab], now)[lab.pk]
    measured: dict[int, float] = {}
    for start, kwh in _measured(machines, [lab], now)[lab.pk]:
        nth = (start - edges[0]) // HOUR
        measured[nth] = measured.get(nth, 0.0) + kwh
    return [Hour(at, booked[nth], measured.get(nth)) for nth, at in enumerate(edges[:-1])]


def _edges(lab: Lab, now: dt.datetime) -> list[dt.datetime]:
    day = now.astimezone(lab.zone).date()
    first, last = midnight(lab, day), midnight(lab, day + ONE)
    return [first + nth * HOUR for nth in range((last - first) // HOUR + 1)]


def _machines(labs: Iterable[Lab]) -> dict[int, Machine]:
    return {m.pk: m for m in Machine.objects.filter(lab__in=list(labs)).select_related("device")}


def _booked(machines: dict[int, Machine], labs: Sequence[Lab], now: dt.datetime) -> dict[int, list[float]]:
    """kWh of each hour of today by the profiles of the booked machines."""
    edges = {lab.pk: _edges(lab, now) for lab in labs}
    found = {lab.pk: [0.0] * (len(edges[lab.pk]) - 1) for lab in labs}
    if not labs:
        return found
    first, last = min(e[0] for e in edges.values()), max(e[-1] for e in edges.values())
    held = Booking.objects.filter(
        machine__in=list(machines), kind=Booking.Kind.USE, status__in=Booking.HOLDING, start__lt=last, end__gt=first
    )
    rows = list(held.values_list("machine_id", "start", "end"))
    known: dict[int, Profile] = drawing.profiles([machines[key] for key in {row[0] for row in rows}]) if rows else {}
    for key, start, end in rows:
        lab = machines[key].lab_id
        for nth, kwh in enumerate(planning.curve(known[key], Span(start, end), edges[lab])):
            found[lab][nth] += kwh
    return found


def _measured(
    machines: dict[int, Machine], labs: Sequence[Lab], now: dt.datetime
) -> dict[int, list[tuple[dt.datetime, float]]]:
    """The measured quarters of today: start and kWh, by the first meter of each machine."""
    found: dict[int, list[tuple[dt.datetime, float]]] = {lab.pk: [] for lab in labs}
    meters = {key: told[0] for key, told in board.meters_of(machines.values()).items() if told}
    begins = {lab.pk: _edges(lab, now)[0] for lab in labs}
    if not meters:
        return found
    curves = devices.quarters_of({d.pk: d for d in meters.values()}.values(), "power_w", min(begins.values()), now)
    for key, device in meters.items():
        lab = machines[key].lab_id
        for point in curves.get(device, ()):
            wh = point.energy_wh if point.energy_wh is not None else (point.mean or 0.0) / 4
            if point.start >= begins[lab] and (point.mean is not None or point.energy_wh is not None):
                found[lab].append((point.start, wh / 1000))
    return found


def lately(lab: Lab, now: dt.datetime, count: int = LATELY) -> list[Day]:
    """The last days that are over, the newest first: plan, measure and share of sun; three queries."""
    here = now.astimezone(lab.zone).date()
    first, last = midnight(lab, here - count * ONE), midnight(lab, here)
    plans = BookingPlan.objects.filter(
        booking__machine__lab=lab, booking__start__gte=first, booking__start__lt=last
    ).values_list("booking__start", "planned_kwh")
    jobs = Job.objects.filter(machine__lab=lab, finished_at__gte=first, finished_at__lt=last, energy_kwh__isnull=False)
    planned = _by_day(lab, plans)
    took = list(jobs.exclude(energy_quality=EnergyFigure.Quality.NONE).values_list("finished_at", "energy_kwh"))
    measured, counts = _by_day(lab, took), _by_day(lab, [(at, 1.0) for at, _kwh in took])
    suns = {row.day: row.share for row in SunDay.objects.filter(lab=lab, day__gte=here - count * ONE, day__lt=here)}
    days = [here - nth * ONE for nth in range(1, count + 1)]
    return [Day(d, planned.get(d), measured.get(d), int(counts.get(d, 0)), suns.get(d)) for d in days]


def _by_day(lab: Lab, rows: Iterable[tuple[dt.datetime | None, float | None]]) -> dict[dt.date, float]:
    found: dict[dt.date, float] = {}
    for at, kwh in rows:
        if at is not None:
            day = at.astimezone(lab.zone).date()
            found[day] = found.get(day, 0.0) + (kwh or 0.0)
    return found
