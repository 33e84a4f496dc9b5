"""What stands in a district and reports: labs with their machines, meters and sensors, now and through a day.

Only what everybody may see: machines as a stranger sees them on the board of their lab, meters of labs and public
buildings of open communities, and devices that are marked public. Nothing here is any household's.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices import channels
from commons.devices import queries as devices
from commons.devices.models import HEARTBEAT, Device
from commons.people.models import User
from commons.sockets import Watched
from commons.web import numbers
from twin import queries
from twin.models import District, DistrictVersion

STEP_S = 900
DAY_STEPS = 96
MOST_SENSORS = 60
WORKING, FREE, UNKNOWN = "working", "free", "unknown"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of a lab: its number, name and page, and what tells its power, if anything does."""

    pk: int
    name: str
    url: str
    slug: str
    meter: Device | None


@dataclass(frozen=True, slots=True)
class Thing:
    """Something on the map that reports. `kind`: lab, meter or sensor; without `lon` its place is not known.

    `known` says how its position is known. `device` is what tells of a meter or a sensor.
    """

    id: str
    kind: str
    title: str
    url: str
    lon: float | None = None
    lat: float | None = None
    known: str = ""
    device: Device | None = None
    lab: Any = None
    machines: tuple[Machine, ...] = ()


@dataclass(slots=True)
class Things:
    """All of them, with the time zone of their days."""

    zone: ZoneInfo
    labs: list[Thing] = field(default_factory=list)
    meters: list[Thing] = field(default_factory=list)
    sensors: list[Thing] = field(default_factory=list)

    @property
    def every(self) -> list[Thing]:
        """Labs, meters, sensors."""
        return [*self.labs, *self.meters, *self.sensors]

    @property
    def devices(self) -> list[Device]:
        """What tells of them, each once."""
        found = {t.device.pk: t.device for t in self.every if t.device}
        found |= {m.meter.pk: m.meter for lab in self.labs for m in lab.machines if m.meter}
        return list(found.values())


def things(district: District) -> Things:
    """What reports in a district; nothing where it has no place."""
    place = district.place
    if place is None:
        return Things(ZoneInfo("UTC"))
    found = Things(ZoneInfo(place.timezone or "UTC"))
    if apps.is_installed("labs"):
        found.labs = _labs(district)
    if apps.is_installed("energy"):
        found.meters = _meters(district)
    found.sensors = _sensors(district, _tied())
    return found


def _labs(district: District) -> list[Thing]:
    from labs.queries import board, catalogue  # noqa: PLC0415 only where the labs' room is there
    from twin import lab_side  # noqa: PLC0415 as above

    found = []
    labs = list(catalogue.labs(district.place))
    spots = lab_side.spots(district, labs)
    for lab in labs:
        rows = list(catalogue.machines(lab))
        meters = board.meters_of(rows)
        machines = tuple(
            Machine(
                m.pk,
                m.name,
                reverse("rooms:machine", args=[lab.slug, m.slug]),
                m.slug,
                next(iter(meters.get(m.pk, ())), None),
            )
            for m in rows
        )
        lon, lat, known = lab.lon, lab.lat, _("as the lab itself says") if lab.lon is not None else ""
        if lab.pk in spots:
            lon, lat, building = spots[lab.pk]
            known = _("in the building “%(name)s”, as both have said") % {"name": building}
        found.append(
            Thing(
                f"lab-{lab.pk}", "lab", lab.name, reverse("rooms:lab", args=[lab.slug]), lon, lat, known,
                lab=lab, machines=machines,
            )
        )  # fmt: skip
    return found


def _tied() -> set[Any]:
    """Devices of machines, circuits and members' meters, public or not: they are no sensors of their own."""
    tied: set[Any] = set()
    if apps.is_installed("labs"):
        from labs.models import Machine as LabMachine  # noqa: PLC0415 as above
        from labs.models import PowerMeter  # noqa: PLC0415 as above

        tied |= set(LabMachine.objects.exclude(device=None).values_list("device", flat=True))
        tied |= set(PowerMeter.objects.values_list("device", flat=True))
    if apps.is_installed("energy"):
        from energy.models import MeterPoint  # noqa: PLC0415 as above

        tied |= set(MeterPoint.objects.exclude(device=None).values_list("device", flat=True))
    return tied


def _meters(district: District) -> list[Thing]:
    """Meters of labs and public buildings; one stands on a building that has its member's name."""
    from energy import policies  # noqa: PLC0415 only where the energy room is there
    from energy.queries import communities, live  # noqa: PLC0415 as above

    assert district.place is not None  # noqa: S101 `things` has looked
    found: list[Thing] = []
    for community in communities.of_place(district.place).filter(public=True):
        rows, _whole = live.meters_of(community)
        shown = [row for row in rows if row.participant.kind in policies.OPEN_KINDS and row.device]
        spots = _spots(queries.current(district), {row.participant.name for row in shown})
        for row in shown:
            lon, lat = spots.get(row.participant.name, (None, None))
            found.append(
                Thing(
                    f"meter-{row.pk}",
                    "meter",
                    f"{row.participant.name}: {row.get_direction_display()}",
                    reverse("rooms:community", args=[community.slug]),
                    lon,
                    lat,
                    _("the building of that name") if lon is not None else "",
                    row.device,
                )
            )
    return found


def _spots(of: DistrictVersion, names: set[str]) -> dict[str, tuple[float, float]]:
    """The middle of the one building of each name."""
    rows = queries.things("buildings", of).filter(name__in=names).values_list("name", "geometry")
    found: dict[str, list[tuple[float, float]]] = {}
    for name, geometry in rows:
        ring = geometry["coordinates"][0][0][:-1]
        found.setdefault(name, []).append((sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring)))
    return {name: spots[0] for name, spots in found.items() if len(spots) == 1}


def _sensors(district: District, taken: set[Any]) -> list[Thing]:
    near = Q(place=district.place) | Q(place__parent=district.place)
    rows = Device.objects.filter(near, public=True, enrolled_at__isnull=False, revoked_at=None).exclude(kind=HEARTBEAT)
    rows = rows.exclude(pk__in=taken).order_by("name", "number")
    return [Thing(f"sensor-{row.number}", "sensor", row.name, "", device=row) for row in rows[:MOST_SENSORS]]


# --- now --------------------------------------------------------------------------------------------------------------
def board(key: str, _person: User | None, _token: Any) -> Watched:
    """The live board of a district, the same for everybody. Raises DistrictNotFound."""
    district = queries.district(key)
    found = things(district)
    ids = frozenset(device.pk for device in found.devices)
    return Watched(ids, lambda: now_of(found), lambda: lines_of(found))


def now_of(found: Things) -> dict[str, dict[str, Any]]:
    """The words of each thing now: {"lab-3": {"watts", "running", "heard"}, "machine-7": {"state", "tone", …}}."""
    said: dict[str, dict[str, Any]] = {}
    for thing in found.labs:
        said |= _lab_now(thing)
    values = devices.last_values([t.device for t in (*found.meters, *found.sensors) if t.device])
    now = timezone.now()
    for thing in (*found.meters, *found.sensors):
        said[thing.id] = _last(values.get(thing.device, {}) if thing.device else {}, now)
    return said


def _lab_now(thing: Thing) -> dict[str, dict[str, Any]]:
    from labs.queries import live as labs_live  # noqa: PLC0415 only where the labs' room is there

    told = labs_live.of_lab(thing.lab)
    said = {thing.id: {name: told["lab"][name] for name in ("watts", "running", "heard")}}
    for machine in thing.machines:
        words = told.get(machine.slug, {})
        said[f"machine-{machine.pk}"] = {n: words[n] for n in ("state", "tone", "watts", "since") if n in words}
    return said


def _last(values: Mapping[str, devices.Value], now: dt.datetime) -> dict[str, Any]:
    """The newest value of a device, power first, in words; a figure older than ten minutes says so by its tone."""
    name = _main(values)
    if not name:
        return {"watts": numbers.MISSING, "heard": _("nothing heard yet"), "tone": "line"}
    value = values[name]
    text = numbers.watts(value.value) if name == "power_w" else f"{numbers.number(value.value, 1)} {_unit(name)}"
    fresh = now - value.ts < dt.timedelta(minutes=10)
    return {"watts": text.strip(), "heard": numbers.ago(value.ts), "tone": "good" if fresh else "line"}


def _main(values: Mapping[str, Any]) -> str:
    """The channel that stands for a device: its power, else the first by name; empty where nothing was heard."""
    return "power_w" if "power_w" in values else next(iter(sorted(values)), "")


def _unit(channel: str) -> str:
    return channels.UNITS.get(channels.FIXED.get(channel, 0), channel.removeprefix("x_").replace("_", " "))


def lines_of(found: Things) -> dict[str, dict[str, str]]:
    """As SVG paths {"line", "area"}: the last hour of each machine, the last day of each meter and sensor."""
    from labs.queries import live as labs_live  # noqa: PLC0415 as above

    said = _days_of([thing for thing in (*found.meters, *found.sensors) if thing.device])
    for thing in found.labs:
        hours = labs_live.hours_of(thing.lab)
        said |= {f"machine-{m.pk}": hours[m.slug] for m in thing.machines if m.slug in hours}
    return said


def _days_of(things: Sequence[Thing]) -> dict[str, dict[str, str]]:
    """The last day of what stands for each device, by quarters of an hour; one query for each channel. Power stands on
    zero, other values on the day's lowest.
    """
    from labs.engine.sparkline import sparkline  # noqa: PLC0415 as above

    end = timezone.now()
    start = end - dt.timedelta(days=1)
    values = devices.last_values([thing.device for thing in things if thing.device])
    of_channel: dict[str, list[Thing]] = {}
    for thing in things:
        if name := _main(values.get(thing.device, {}) if thing.device else {}):
            of_channel.setdefault(name, []).append(thing)
    said: dict[str, dict[str, str]] = {}
    for channel, some in of_channel.items():
        told = devices.quarters_of([thing.device for thing in some if thing.device], channel, start, end)
        curves = {device.pk: [(p.start.timestamp(), p.mean) for p in rows if p.mean is not None]
                  for device, rows in told.items()}  # fmt: skip
        for thing in some:
            points = curves.get(thing.device.pk, []) if thing.device else []
            foot = 0.0 if channel == "power_w" else min((value for _t, value in points), default=0.0)
            drawn = sparkline(
                [(t, value - foot) for t, value in points], start=start.timestamp(), end=end.timestamp(), floor_w=1.0
            )
            if drawn.line:
                said[thing.id] = drawn._asdict()
    return said


# --- a day ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Played:
    """A thing through a day: mean power of each quarter of an hour, W, and what a machine did then."""

    id: str
    title: str
    watts: list[float | None]
    states: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A stored day: its first moment, and each lab, machine, meter and sensor through it."""

    day: dt.date
    start: dt.datetime
    labs: list[Played]
    machines: list[Played]
    meters: list[Played]

    @property
    def known(self) -> bool:
        """Whether anything was stored."""
        return any(w is not None for one in (*self.labs, *self.meters) for w in one.watts)


def replay(found: Things, day: dt.date) -> Day:
    """A day by the clock of the district's place, in quarters of an hour from its first; three queries."""
    start = dt.datetime.combine(day, dt.time(), tzinfo=found.zone)
    end = start + dt.timedelta(seconds=STEP_S * DAY_STEPS)
    told = devices.quarters_of(found.devices, "power_w", start, end)
    curves = {device.pk: _steps(points, start) for device, points in told.items()}
    empty: list[float | None] = [None] * DAY_STEPS
    at_work = _at_work([m.pk for lab in found.labs for m in lab.machines], start, end)
    machines, labs = [], []
    for lab in found.labs:
        mine = [
            Played(
                f"machine-{m.pk}",
                m.name,
                curves.get(m.meter.pk, empty) if m.meter else empty,
                _states(curves.get(m.meter.pk, empty) if m.meter else empty, at_work.get(m.pk, ()), start),
            )
            for m in lab.machines
        ]
        machines += mine
        labs.append(Played(lab.id, lab.title, _sum([m.watts for m in mine])))
    meters = [
        Played(t.id, t.title, curves.get(t.device.pk, empty)) for t in (*found.meters, *found.sensors) if t.device
    ]
    return Day(day, start, labs, machines, meters)


def _steps(points: Sequence[devices.Point], start: dt.datetime) -> list[float | None]:
    steps: list[float | None] = [None] * DAY_STEPS
    for point in points:
        at = int((point.start - start).total_seconds() // STEP_S)
        if 0 <= at < DAY_STEPS and point.mean is not None:
            steps[at] = round(point.mean, 1)
    return steps


def _sum(curves: Sequence[Sequence[float | None]]) -> list[float | None]:
    """The sum of what is known at each step; None where nothing is."""
    found: list[float | None] = []
    for step in range(DAY_STEPS):
        known = [value for curve in curves if (value := curve[step]) is not None]
        found.append(round(sum(known), 1) if known else None)
    return found


Span = tuple[dt.datetime, dt.datetime]


def _at_work(machines: Sequence[int], start: dt.datetime, end: dt.datetime) -> dict[int, list[Span]]:
    """When each machine worked on a job."""
    if not machines:
        return {}
    from labs.models import Job  # noqa: PLC0415 only where the labs' room is there

    rows = Job.objects.filter(machine__in=machines, started_at__lt=end).filter(
        Q(finished_at__gt=start) | Q(finished_at=None, started_at__gt=start - dt.timedelta(days=2))
    )
    found: dict[int, list[Span]] = {}
    for machine, began, over in rows.values_list("machine_id", "started_at", "finished_at"):
        found.setdefault(machine, []).append((began, over or timezone.now()))
    return found


def _states(watts: Sequence[float | None], spans: Sequence[Span], start: dt.datetime) -> list[str]:
    """What a machine did in each step: at work on a job, else free where its power was heard, else not known."""
    step = dt.timedelta(seconds=STEP_S)
    found = []
    for n in range(DAY_STEPS):
        low = start + n * step
        busy = any(began < low + step and over > low for began, over in spans)
        found.append(WORKING if busy else FREE if watts[n] is not None else UNKNOWN)
    return found
