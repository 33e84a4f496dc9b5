"""The board of a lab: each machine with its state, live watts, the last hour, its job and what comes next.

Seven queries or so, however many machines there are.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, F, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.devices import queries as device_queries
from commons.devices.models import Device
from commons.people.models import User
from commons.web import numbers
from labs.engine.sparkline import Sparkline, sparkline
from labs.models import Booking, Job, Lab, Machine, PowerMeter
from labs.queries import badges, catalogue, jobs

HOUR = dt.timedelta(hours=1)
#: After a minute the page says when it last heard; after ten the figure is grey (guide, section 6).
FRESH, STALE = dt.timedelta(minutes=1), dt.timedelta(minutes=10)
#: A job that has not said a word for two days is over, whatever it said last.
FORGOTTEN = dt.timedelta(days=2)

VERBS = {
    Machine.Process.FFF: lazy("Printing"),
    Machine.Process.SLA: lazy("Printing"),
    Machine.Process.LASER: lazy("Cutting"),
    Machine.Process.KNIFE: lazy("Cutting"),
    Machine.Process.MILLING: lazy("Milling"),
    Machine.Process.SEWING: lazy("Sewing"),
}


@dataclass(frozen=True, slots=True)
class Power:
    """What a machine draws: `watts` None when it has never said; `fresh`, `old` or neither by its age."""

    watts: float | None = None
    heard_at: dt.datetime | None = None
    fresh: bool = False
    old: bool = True
    spark: Sparkline = field(default_factory=lambda: Sparkline("", ""))


@dataclass(frozen=True, slots=True)
class Tile:
    """One machine on the board."""

    machine: Machine
    power: Power
    job: jobs.Shown | None
    next_booking: Booking | None
    booked_now: Booking | None
    may_use: bool
    badges: tuple[str, ...]
    metered: bool = False
    """Whether anything tells its power: its own device, or a plug that is tied to it."""

    @property
    def running(self) -> bool:
        """Whether it works on a job now."""
        return self.job is not None and self.machine.state == Machine.State.OK

    @property
    def free(self) -> bool:
        """In order, without a job, and not booked now."""
        return self.machine.state == Machine.State.OK and self.job is None and self.booked_now is None

    @property
    def state(self) -> str:
        """The state in one word."""
        if self.machine.state == Machine.State.REPAIR:
            return _("In repair")
        if self.job is not None:
            if self.job.job.outcome == Job.Outcome.PAUSED:
                return _("Paused")
            return str(VERBS.get(Machine.Process(self.machine.process), _("Working")))
        return _("Reserved") if self.booked_now else _("Free")

    @property
    def tone(self) -> str:
        """The chip's kind."""
        if self.machine.state == Machine.State.REPAIR:
            return "bad"
        if self.job is None:
            return "line"
        return "warn" if self.job.job.outcome == Job.Outcome.PAUSED else "good"

    @property
    def percent(self) -> int:
        """How far its job is, 0 to 100; 0 without one."""
        return round(100 * (self.job.job.progress or 0.0)) if self.running and self.job is not None else 0

    @property
    def since(self) -> str:
        """“43 %, since 10:20” of the job that runs; empty without one."""
        if not self.running or self.job is None:
            return ""
        words = _("since %(time)s") % {"time": numbers.when(self.job.job.started_at)}
        return f"{numbers.percent(self.percent / 100)}, {words}" if self.percent else words

    @property
    def sign(self) -> str:
        """What a tile that stands open is compared by: another sign, another tile. Made of what everybody may see."""
        job, booking = self.job, self.booked_now or self.next_booking
        design = job.design if job else None
        seen = (
            self.machine.state,
            self.machine.state_note,
            self.machine.back_on,
            (job.job.pk, job.job.outcome, design.pk if design and design.is_shown else None) if job else None,
            (booking.pk, booking.start, booking.end, self.booked_now is None) if booking else None,
        )
        return hashlib.blake2s(repr(seen).encode(), digest_size=6).hexdigest()

    @property
    def ink(self) -> str:
        """The token of the line's colour."""
        return "var(--act)" if self.running else "var(--ink-2)"


def tiles(machines: Sequence[Machine], *, viewer: User | None, now: dt.datetime, spark: bool = True) -> list[Tile]:
    """The board of these machines as the viewer may see it; without `spark` their last hour is not read."""
    power = power_of(machines, now=now, spark=spark)
    running = {s.job.machine_id: s for s in jobs.shown(_running(machines, now), viewer)}
    coming = _coming(machines, now)
    usable = badges.may_use(machines, viewer, at=now)
    return [
        Tile(
            machine=m,
            power=power.get(m.pk, Power()),
            job=running.get(m.pk),
            next_booking=next((b for b in coming.get(m.pk, ()) if b.start > now), None),
            booked_now=next((b for b in coming.get(m.pk, ()) if b.start <= now), None),
            may_use=m.pk in usable,
            badges=tuple(badge.name for badge in m.required_badges.all()),
            metered=m.pk in power,
        )
        for m in machines
    ]


def _running(machines: Iterable[Machine], now: dt.datetime) -> Iterable[Job]:
    going = (Job.Outcome.RUNNING, Job.Outcome.PAUSED)
    rows = jobs.rows().filter(machine__in=list(machines), outcome__in=going, updated_at__gt=now - FORGOTTEN)
    return rows.order_by("started_at")


def _coming(machines: Iterable[Machine], now: dt.datetime) -> dict[int, list[Booking]]:
    """The booking of now and the next one of each machine: not all of the fortnight's, which may be hundreds."""
    found: dict[int, list[Booking]] = {}
    rows = Booking.objects.filter(
        machine__in=list(machines),
        end__gt=now,
        start__lt=now + dt.timedelta(days=14),
        status__in=Booking.OPEN,
    ).annotate(later=Q(start__gt=now))
    first = rows.order_by("machine_id", "later", "start").distinct("machine_id", "later")
    for booking in first.select_related("user", "design"):
        found.setdefault(booking.machine_id, []).append(booking)
    return found


def meters_of(machines: Iterable[Machine]) -> dict[int, list[Device]]:
    """What tells the power of each machine that has anything, the best first: plugs tied to it, then its own device."""
    every = list(machines)
    found: dict[int, list[Device]] = {}
    for meter in PowerMeter.objects.filter(machine__in=every).select_related("device").order_by("pk"):
        if meter.machine_id is not None:
            found.setdefault(meter.machine_id, []).append(meter.device)
    for machine in every:
        if machine.device is not None and machine.device not in found.get(machine.pk, []):
            found.setdefault(machine.pk, []).append(machine.device)
    return found


def meter_of(machine: Machine) -> Device | None:
    """What tells the power of the machine: its own device, else the first plug that is tied to it."""
    return machine.device or next(iter(meters_of([machine]).get(machine.pk, ())), None)


def power_of(machines: Sequence[Machine], *, now: dt.datetime, spark: bool = True) -> dict[int, Power]:
    """What each metered machine draws: by the first of its meters that was heard lately, else by the one heard last."""
    meters = meters_of(machines)
    told = powers([device for devices in meters.values() for device in devices], now=now, spark=spark)
    found = {}
    for machine, devices in meters.items():
        mine = [told[device.number] for device in devices]
        heard = [one for one in mine if one.heard_at is not None]
        last = max(heard, key=lambda one: one.heard_at or now, default=mine[0])
        found[machine] = next((one for one in mine if not one.old), last)
    return found


def powers(devices: Sequence[Device], *, now: dt.datetime, spark: bool = True) -> dict[int, Power]:
    """What these devices draw and, with `spark`, their last hour, by their number; two queries at most."""
    last = device_queries.last_values(devices)
    hour = {} if not spark else device_queries.curves(devices, "power_w", now - HOUR, now, step_s=60)
    found = {}
    for device in devices:
        value = last[device].get("power_w")
        points = hour.get(device, [])
        found[device.number] = Power(
            watts=value.value if value else None,
            heard_at=value.ts if value else None,
            fresh=bool(value and now - value.ts <= FRESH),
            old=not value or now - value.ts > STALE,
            spark=sparkline(
                [(p.start.timestamp(), p.mean) for p in points if p.mean is not None],
                start=(now - HOUR).timestamp(),
                end=now.timestamp(),
            ),
        )
    return found


@dataclass(frozen=True, slots=True)
class Today:
    """The lab's day so far, by what its machines reported."""

    jobs: int
    from_open: int
    energy_kwh: float | None
    hours: float


def since(lab: Lab, start: dt.datetime, viewer: User | None) -> Today:
    """Jobs that ended after `start`: how many, how many from open designs, with how many kWh and hours."""
    ended = Job.objects.filter(machine__lab=lab, finished_at__gt=start).order_by()
    sums = list(
        ended.values("design_id", "licence_made", "public_made", "provenance").annotate(
            jobs=Count("pk"), kwh=Sum("energy_kwh"), time=Sum(F("finished_at") - F("started_at"))
        )
    )
    kwh = [row["kwh"] for row in sums if row["kwh"] is not None]
    return Today(
        jobs=sum(row["jobs"] for row in sums),
        from_open=jobs.from_open(sums, viewer),
        energy_kwh=sum(kwh) if kwh else None,
        hours=sum((row["time"] for row in sums), dt.timedelta()) / HOUR,
    )


def next_here(lab: Lab, now: dt.datetime, count: int = 6) -> list[Booking]:
    """The next bookings of the lab's machines by people; closures are said on the machines."""
    rows = Booking.objects.filter(machine__lab=lab, kind=Booking.Kind.USE, end__gt=now, status__in=Booking.OPEN)
    return list(rows.select_related("machine", "user", "design").order_by("start")[:count])


def board(lab: Lab, *, viewer: User | None, now: dt.datetime) -> list[Tile]:
    """The board of a lab."""
    return tiles(list(catalogue.machines(lab)), viewer=viewer, now=now)
