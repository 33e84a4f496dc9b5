"""What is asked of a circuit by bookings, and whether a job may begin there now."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices import queries as device_queries
from commons.devices.models import Command
from labs.engine import circuits as engine
from labs.engine import draw
from labs.engine.circuits import Load
from labs.engine.hours import Span
from labs.engine.rules import OnCircuit
from labs.models import Booking, Circuit, Job, Machine, PowerMeter

DAY = dt.timedelta(days=1)
#: A power that was said longer ago than this tells nothing of now.
FRESH = dt.timedelta(minutes=5)
#: What was asked to start tells of its job within this time, or does not start.
STARTS = dt.timedelta(minutes=5)
#: Nobody knows when a running job ends: its circuit is taken to carry it for so long.
STILL = dt.timedelta(hours=12)
#: What stands by on a circuit is no use of it.
IDLE_W = 50.0


def load_of(machine: Machine, span: Span) -> Load:
    """A use of the machine, by its plate or its class."""
    return engine.load_of(span, draw.of_class(machine.cls, machine.rated_w), machine.name)


def asked(
    machine: Machine, span: Span, *, ahead: dt.timedelta, moved: Booking | None, beside: Sequence[Machine]
) -> OnCircuit | None:
    """The circuit of the machine with what holds its time there around the span; one query. None without a circuit."""
    if machine.circuit_id is None or machine.circuit is None:
        return None
    held = Booking.objects.filter(
        machine__circuit=machine.circuit_id, kind=Booking.Kind.USE, status__in=Booking.HOLDING,
        end__gt=span.start - DAY, start__lt=max(span) + ahead,
    )  # fmt: skip
    if moved is not None:
        held = held.exclude(pk=moved.pk)
    others = [load_of(one.machine, Span(one.start, one.end)) for one in held.select_related("machine")]
    own = [load_of(one, span) for one in (machine, *beside) if one.circuit_id == machine.circuit_id]
    return OnCircuit(machine.circuit.name, float(machine.circuit.limit_w), own, others)


def circuit_watts(circuits: Collection[Circuit], now: dt.datetime, *, within: dt.timedelta) -> dict[int, float]:
    """{circuit: W} of those whose own meters were heard `within` that time; of several, their sum."""
    meters = PowerMeter.objects.filter(circuit__in=circuits).select_related("device") if circuits else ()
    rows = [meter for meter in meters if meter.device.is_active]
    last = device_queries.last_values([meter.device for meter in rows]) if rows else {}
    found: dict[int, float] = {}
    silent: set[int] = set()
    for meter in rows:
        told = last[meter.device].get("power_w")
        assert meter.circuit_id is not None  # noqa: S101 asked for above
        if told is None or now - told.ts > within:
            silent.add(meter.circuit_id)
        else:
            found[meter.circuit_id] = found.get(meter.circuit_id, 0.0) + max(told.value, 0.0)
    return {pk: watts for pk, watts in found.items() if pk not in silent}


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether a job may begin on a machine now, by what its circuit carries: `at` is when it may (None: not while the
    others run), `watts` what the circuit carries now, `asks_w` what the machine asks while it warms up."""

    may: bool
    at: dt.datetime | None
    circuit: str = ""
    limit_w: float = 0.0
    watts: float = 0.0
    asks_w: float = 0.0
    waits_for: tuple[str, ...] = ()


def start_advice(machine: Machine, now: dt.datetime | None = None) -> Advice:
    """May a job begin on the machine now, or does another warm up that it should wait for? Never more than advice: what
    is bound to hold is the circuit's own breaker."""
    now = now or timezone.now()
    if machine.circuit is None:
        return Advice(may=True, at=now)
    mine = load_of(machine, Span(now, now + STILL))
    others = _running(machine, now)
    others += _unknown(machine, now, sum(load.at(now) for load in others))
    over = engine.overload([mine], others, machine.circuit.limit_w)
    carries = sum(load.at(now) for load in others)
    facts = (machine.circuit.name, float(machine.circuit.limit_w), carries, mine.peak_w)
    if over is None:
        return Advice(True, now, *facts)
    at = engine.next_fit([mine], others, machine.circuit.limit_w, step=dt.timedelta(minutes=1))
    known = at if at is not None and at <= now + STILL else None  # nobody knows when a kettle is done
    return Advice(False, known, *facts, over.others)


def _running(machine: Machine, now: dt.datetime) -> list[Load]:
    """The jobs that run on the other machines of the circuit: as measured where that is known, by class where not."""
    rows = Job.objects.filter(
        machine__circuit=machine.circuit_id, finished_at=None, outcome=Job.Outcome.RUNNING,
        started_at__gt=now - 2 * DAY, started_at__lte=now,
    ).exclude(machine=machine).select_related("machine__device", "booking")  # fmt: skip
    jobs = list(rows)
    live = device_queries.last_values([job.machine.device for job in jobs if job.machine.device is not None])
    found = []
    for job in jobs:
        until = job.booking.end if job.booking and job.booking.end > now else now + STILL
        load = load_of(job.machine, Span(job.started_at, until))
        told = live.get(job.machine.device, {}).get("power_w") if job.machine.device is not None else None
        if told is not None and now - told.ts < FRESH and now >= load.warm_until:
            load = Load(load.span, load.peak_w, max(told.value, 0.0), load.warm, load.name)
        found.append(load)
    return found + _starting(machine, now, {job.machine_id for job in jobs})


def _unknown(machine: Machine, now: dt.datetime, known_w: float) -> list[Load]:
    """What the circuit's own meter says above what its running machines explain: a kettle, a machine without agent."""
    assert machine.circuit is not None  # noqa: S101 asked by who calls
    watts = circuit_watts([machine.circuit], now, within=FRESH).get(machine.circuit.pk, 0.0)
    rest = watts - known_w
    if rest <= IDLE_W:
        return []
    name = _("others on %(circuit)s") % {"circuit": machine.circuit.name}
    return [Load(Span(now, now + 2 * STILL), rest, rest, dt.timedelta(0), name)]


def _starting(machine: Machine, now: dt.datetime, known: set[int]) -> list[Load]:
    """The other machines of the circuit that were just asked to start and have told of no job yet."""
    asked = Command.objects.filter(
        kind=Command.Kind.SEND, body__start=True, asked_at__gt=now - STARTS, asked_at__lte=now,
        state__in=[*Command.OPEN, Command.State.DONE],
    )  # fmt: skip
    rows = Machine.objects.filter(circuit=machine.circuit_id, device__in=asked.values("device"))
    rows = rows.exclude(pk__in={machine.pk, *known})
    ended = {job.machine_id for job in Job.objects.filter(machine__in=rows, started_at__gt=now - STARTS)}
    return [load_of(one, Span(now, now + STILL)) for one in rows if one.pk not in ended]
