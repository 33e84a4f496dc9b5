"""Which meters know what a job took, and what is known by them: the facts for a figure of its energy."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from commons.devices import queries as device_queries
from commons.devices.models import Device
from labs.engine import draw
from labs.models import EnergyFigure, Job, Machine, PowerMeter

Quality = EnergyFigure.Quality
#: Without a word of its maker a device is taken to be right within two per cent.
USUAL_CLASS_PCT = 2.0
RANK = {"measured": 3, "integrated": 2, "partial": 1, "none": 0}
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Known:
    """Energy of a window by the best that knows it. `device` measured it (None: an estimate); `why` are the reasons for
    `pm_kwh`, each {"code", "kwh", …}; the words for them are `labs.queries.energy_words`. `closed`: the readings at its
    edges are no longer kept."""

    quality: str
    coverage: float
    kwh: float | None
    pm_kwh: float | None
    device: Device | None = None
    why: list[dict[str, Any]] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    closed: bool = False


def own_meters(job: Job) -> list[tuple[Device, float]]:
    """What measures the machine of the job alone, with its class in per cent: meters tied to it, then its device."""
    tied = PowerMeter.objects.filter(machine=job.machine_id).select_related("device").order_by("pk")
    found = [(meter.device, meter.class_pct) for meter in tied]
    if job.device_id not in {device.pk for device, _pct in found}:
        found.append((job.device, USUAL_CLASS_PCT))
    return found


def best(
    meters: Sequence[tuple[Device, float]], start: dt.datetime, end: dt.datetime
) -> tuple[Device, float, device_queries.Energy] | None:
    """The meter that knows the most of the window, the first of equals; None where none knows anything."""
    found: tuple[Device, float, device_queries.Energy] | None = None
    for device, pct in meters:
        energy = device_queries.energy(device, start, end)
        if energy.quality == "none":
            continue
        if found is None or (RANK[energy.quality], energy.coverage) > (RANK[found[2].quality], found[2].coverage):
            found = device, pct, energy
        if RANK[energy.quality] == 3:
            break
    return found


def known(job: Job, end: dt.datetime) -> Known:
    """What is known of the job's energy until `end`: measured, shared out, or estimated by its class."""
    own = best(own_meters(job), job.started_at, end)
    if own is not None and own[2].quality != "partial":
        return _measured(job, end, *own)
    shared = _shared(job, end)
    if shared is not None:
        return shared
    return _measured(job, end, *own) if own is not None else _estimated(job, end)


def _measured(job: Job, end: dt.datetime, device: Device, pct: float, energy: device_queries.Energy) -> Known:
    why: list[dict[str, Any]] = [{"code": "class", "pct": pct, "kwh": energy.kwh * pct / 100}]
    if energy.quality == "measured" and (edges := device_queries.edges_wh(device, job.started_at, end)) > 0:
        why.append({"code": "edges", "kwh": min(edges / 1000, energy.kwh) if energy.kwh else edges / 1000})
    if energy.quality != "measured" and (shape := _shape_kwh(device, job.started_at, end)) > 0:
        why.append({"code": "shape", "kwh": min(shape, energy.kwh)})
    if energy.quality == "partial":
        usual = draw.of_class(job.machine.cls, job.machine.rated_w)
        missing_h = (1 - energy.coverage) * (end - job.started_at).total_seconds() / HOUR_S
        why.append({"code": "gap", "hours": missing_h, "kwh": missing_h * usual.high_w / 1000})
    if energy.quality == "measured" and energy.gap_s > 0:
        why.append({"code": "bridged", "hours": energy.gap_s / HOUR_S, "kwh": 0.0})
    if energy.uncertain_kwh > 0:
        why.append({"code": "closed", "kwh": energy.uncertain_kwh})
    inputs = {"meters": [str(device.pk)], "gap_s": round(energy.gap_s, 3), "class_pct": pct}
    closed = energy.uncertain_kwh > 0
    return Known(energy.quality, energy.coverage, energy.kwh, _sum(why), device, why, inputs, closed)


def _shape_kwh(device: Device, start: dt.datetime, end: dt.datetime) -> float:
    """How far a straight line between readings may be off: of each step half of what the power changed by, and the
    steps independent of each other."""
    import numpy as np  # noqa: PLC0415 the web process starts without numpy

    found = device_queries.curve(device, start, end)
    if not len(found.start) or bool(found.is_counter.any()):
        return 0.0
    half = np.abs(found.last_w - found.first_w) / 2 * (found.end - found.start) / 3_600_000_000.0
    return float(np.sqrt((half**2).sum())) / 1000


def _sum(why: Sequence[dict[str, Any]]) -> float:
    return float(sum(one["kwh"] for one in why))


def _shared(job: Job, end: dt.datetime) -> Known | None:
    """The job's share of its circuit's meter: what others are known to take is taken off, and the rest is shared out by
    usual power and running time. None where no such meter knows the whole window."""
    circuit = job.machine.circuit_id
    if circuit is None:
        return None
    tied = PowerMeter.objects.filter(circuit=circuit).select_related("device").order_by("pk")
    meter = best([(one.device, one.class_pct) for one in tied], job.started_at, end)
    if meter is None or meter[2].quality == "partial":
        return None
    device, pct, energy = meter
    hours = (end - job.started_at).total_seconds() / HOUR_S
    taken = 0.0
    weights, most, named = 0.0, 0.0, []
    others = list(Machine.objects.filter(circuit=circuit).exclude(pk=job.machine_id).select_related("device"))
    running = _running_h(job, others, end)
    for other in others:
        measured = best(_meters_of(other), job.started_at, end)
        if measured is not None and measured[2].quality != "partial":
            taken += measured[2].kwh
            named.append(str(measured[0].pk))
            continue
        usual, ran = draw.of_class(other.cls, other.rated_w), running.get(other.pk, 0.0)
        weights += (usual.making_w * ran + usual.idle_w * (hours - ran)) / 1000
        most += (usual.peak_w * ran + usual.idle_w * (hours - ran)) / 1000
    mine = draw.of_class(job.machine.cls, job.machine.rated_w)
    rest = max(energy.kwh - taken, 0.0)
    weight = mine.making_w * hours / 1000
    kwh = rest * weight / (weight + weights)
    high, low = max(min(rest, mine.peak_w * hours / 1000), kwh), min(max(rest - most, 0.0), kwh)
    why = [
        {"code": "shared", "others": len(others), "known": len(named), "rest": rest, "kwh": max(high - kwh, kwh - low)},
        {"code": "class", "pct": pct, "kwh": energy.kwh * pct / 100},
    ]
    inputs = {"meters": [str(device.pk)], "taken_off": named, "table": draw.VERSION, "class_pct": pct}
    return Known(Quality.SHARED, energy.coverage, kwh, _sum(why), device, why, inputs)


def _meters_of(machine: Machine) -> list[tuple[Device, float]]:
    found = [(m.device, m.class_pct) for m in PowerMeter.objects.filter(machine=machine).select_related("device")]
    return [*found, (machine.device, USUAL_CLASS_PCT)] if machine.device is not None else found


def _running_h(job: Job, others: Sequence[Machine], end: dt.datetime) -> dict[int, float]:
    """How many hours of the job's time each of the other machines worked, by its own jobs."""
    rows = Job.objects.filter(machine__in=[m.pk for m in others], started_at__lt=end).exclude(
        finished_at__lte=job.started_at
    )
    found: dict[int, float] = {}
    for machine, start, until in rows.values_list("machine_id", "started_at", "finished_at"):
        length = min(until or end, end) - max(start, job.started_at)
        found[machine] = found.get(machine, 0.0) + max(length.total_seconds(), 0.0) / HOUR_S
    whole = (end - job.started_at).total_seconds() / HOUR_S
    return {machine: min(hours, whole) for machine, hours in found.items()}


def _estimated(job: Job, end: dt.datetime) -> Known:
    usual = draw.of_class(job.machine.cls, job.machine.rated_w)
    hours = (end - job.started_at).total_seconds() / HOUR_S
    kwh = usual.making_w * hours / 1000
    off = max(usual.high_w - usual.making_w, usual.making_w - usual.low_w) * hours / 1000
    why = [
        {
            "code": "table", "cls": job.machine.cls, "making_w": usual.making_w, "low_w": usual.low_w,
            "high_w": usual.high_w, "source": usual.source, "kwh": off,
        }
    ]  # fmt: skip
    return Known(Quality.ESTIMATED, 0.0, kwh, off, None, why, {"table": draw.VERSION, "rated_w": job.machine.rated_w})
