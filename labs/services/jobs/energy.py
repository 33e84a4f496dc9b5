"""How many kWh a job took: measured as it goes, and settled into a figure that stays when the readings are in.

`measure` is quick and runs where events and readings are taken in. `settle` runs later on a worker: it shares meters
out, estimates, splits the curve into phases, prices it, and freezes the result as an `EnergyFigure`.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from commons.devices import queries as device_queries
from commons.devices.models import Device
from commons.runs.services import canonical_json
from labs.engine import draw, times
from labs.engine.hours import Span
from labs.models import EnergyFigure, Job, PowerMeter
from labs.queries import measuring, sun

if TYPE_CHECKING:
    from labs.engine.phases import Pieces, Series, Split

#: A reading this far outside a job can still move its edges: the counter is read off between neighbours.
EDGE = dt.timedelta(minutes=15)
#: Readings usually come in bursts: the figure is made when it has been quiet for so long.
QUIET = dt.timedelta(minutes=2)
LONGEST = dt.timedelta(days=30)
ENGINE = "1"
ESTIMATES = (Job.Quality.SHARED, Job.Quality.ESTIMATED)
FIELDS = ("energy_kwh", "energy_quality", "energy_coverage", "solar_share", "settle_at", "updated_at")


def measure(*, job: Job) -> None:
    """The kWh of the job by its meters, and the share of local sun in its hours; does not save.

    A share or an estimate that was settled before stays until it is settled again.
    """
    end = job.finished_at or min(timezone.now(), job.started_at + LONGEST)
    if job.outcome == Job.Outcome.FINISHED:
        job.settle_at = timezone.now() + QUIET
    if end <= job.started_at:
        job.energy_kwh, job.energy_quality, job.energy_coverage = None, Job.Quality.NONE, 0.0
        return
    found = measuring.best(measuring.own_meters(job), job.started_at, end)
    if found is not None and found[2].uncertain_kwh > 0 and job.energy_kwh is not None:
        return  # its readings are no longer kept: what was known while they were is better
    if found is not None:
        energy = found[2]
        job.energy_kwh, job.energy_quality, job.energy_coverage = energy.kwh, energy.quality, energy.coverage
    elif job.energy_quality not in ESTIMATES:
        job.energy_kwh, job.energy_quality, job.energy_coverage = None, Job.Quality.NONE, 0.0
    place = job.machine.lab.place
    job.solar_share = times.share_of(Span(job.started_at, end), sun.hours(place, job.started_at, end))


def readings_came(*, device: Device, start: dt.datetime, end: dt.datetime) -> int:
    """Measure again the finished jobs that late readings touch; how many. In the readings' transaction."""
    touched = Job.objects.select_related("device", "machine__lab__place").filter(
        _of_device(device), started_at__lte=end + EDGE, finished_at__gte=start - EDGE
    )
    jobs = list(touched)
    for job in jobs:
        measure(job=job)
        job.save(update_fields=FIELDS)
    return len(jobs)


def _of_device(device: Device) -> Q:
    """The jobs that a device can measure: its own, those of the machine or the circuit that it is tied to."""
    meter = PowerMeter.objects.filter(device=device).only("machine_id", "circuit_id").first()
    if meter is None:
        return Q(device=device)
    tied = Q(machine=meter.machine_id) if meter.machine_id else Q(machine__circuit=meter.circuit_id)
    return Q(device=device) | tied


# --- settling ----------------------------------------------------------------------------------------------------


@transaction.atomic
def settle(*, job: Job) -> EnergyFigure | None:
    """Make the job's energy figure if what is known has changed; None when the newest one still says it.

    A figure stays when the readings that it was made of are no longer kept.

    Takes the job's row first, so that two workers make one figure.
    """
    held = Job.objects.select_for_update(of=("self",)).get(pk=job.pk)
    job = Job.objects.select_related("device", "machine__lab__place", "machine__lab__till").get(pk=held.pk)
    job.settle_at = None
    if job.finished_at is None or job.finished_at <= job.started_at:
        job.save(update_fields=["settle_at", "updated_at"])
        return None
    end = min(job.finished_at, job.started_at + LONGEST)
    known = measuring.known(job, end)
    last = job.energy_figures.order_by("-number").first()
    if known.closed and last is not None:
        job.save(update_fields=["settle_at", "updated_at"])
        return None
    parts = _split(job, end, known)
    priced = _priced(job, end, parts)
    facts = _facts(job, end, known, parts, priced)
    job.energy_kwh, job.energy_quality, job.energy_coverage = known.kwh, known.quality, known.coverage
    job.solar_share = priced.solar if priced.solar is not None else job.solar_share
    job.save(update_fields=FIELDS)
    digest = hashlib.sha256(canonical_json(_rounded(facts))).hexdigest()
    if last is not None and last.sha256 == digest:
        return None
    return EnergyFigure.objects.create(job=job, number=last.number + 1 if last else 1, sha256=digest, **facts)


@dataclass(frozen=True, slots=True)
class Priced:
    """What the energy cost and caused; None where the neighbourhood's data do not say."""

    cost: float | None = None
    currency: str = ""
    co2_g: float | None = None
    solar: float | None = None
    inputs: Mapping[str, Any] | None = None


def _split(job: Job, end: dt.datetime, known: measuring.Known) -> "Split":
    """The phases of the job, with the curve of the device that measured it alone and the words of its own device."""
    from labs.engine import phases  # noqa: PLC0415 the web process starts without numpy

    pieces = _pieces(job, end, known)
    low, high = _us(job.started_at), _us(end)
    rows = {name: _channel(job, name, end) for name in ("state", "progress", "temperature_c")}
    if not len(rows["progress"]):
        told = job.events.exclude(body__progress=None).order_by("ts").values_list("ts", "body__progress")
        rows["progress"] = phases.Series.of([(_us(ts), float(value)) for ts, value in told])
    return phases.split(
        pieces, low, high,
        total_wh=(known.kwh or 0.0) * 1000,
        idle_w=draw.of_class(job.machine.cls, job.machine.rated_w).idle_w,
        state=rows["state"], progress=rows["progress"], temperature=rows["temperature_c"],
    )  # fmt: skip


def _pieces(job: Job, end: dt.datetime, known: measuring.Known) -> "Pieces":
    import numpy as np  # noqa: PLC0415

    from labs.engine import phases  # noqa: PLC0415

    if known.device is None or known.quality == Job.Quality.SHARED:
        nothing = np.empty(0, dtype=np.int64)
        return phases.Pieces(nothing, nothing, np.empty(0))
    found = device_queries.curve(known.device, job.started_at, end)
    drawn = (found.first_w + found.last_w) / 2 * (found.end - found.start) / 3_600_000_000.0
    return phases.Pieces(found.start, found.end, np.where(found.is_counter, found.energy_wh, drawn))


def _channel(job: Job, name: str, end: dt.datetime) -> "Series":
    from labs.engine import phases  # noqa: PLC0415

    start = job.started_at - (EDGE if name == "state" else dt.timedelta())
    found = device_queries.readings(job.device, name, start, end)
    return phases.Series.of([(_us(one.ts), one.value) for one in found])


def _us(moment: dt.datetime) -> int:
    return int((moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1))


def _priced(job: Job, end: dt.datetime, parts: "Split") -> Priced:
    """Cost by the import price of each hour, CO2 by the grid's intensity of it for what the spare sun did not cover."""
    place = job.machine.lab.place
    if place is None or not parts.phases or not apps.is_installed("energy"):
        return Priced()
    import numpy as np  # noqa: PLC0415

    from energy.queries import intensity  # noqa: PLC0415 the room may be left out
    from labs.engine import phases  # noqa: PLC0415

    found = intensity(place, job.started_at, end)
    if found is None:
        return Priced()
    edges = np.array([_us(found.moments[0].start), *(_us(m.end) for m in found.moments)], dtype=np.int64)
    kwh = (phases.over_steps(parts, edges) / 1000).tolist()
    cells = list(zip(kwh, found.moments, strict=True))
    prices = [k * m.price for k, m in cells if m.price is not None]
    grams = [1000 * k * (1 - (m.solar or 0.0)) * m.co2_kg for k, m in cells if m.co2_kg is not None]
    total = sum(kwh)
    sunny = [k * m.solar for k, m in cells if m.solar is not None]
    data = {
        "community": found.community, "version": found.version, "sha256": found.sha256, "exact": found.exact,
        "demo": found.demo,
    }  # fmt: skip
    return Priced(
        cost=sum(prices) if len(prices) == len(cells) else None,
        currency=found.currency,
        co2_g=sum(grams) if len(grams) == len(cells) else None,
        solar=min(max(sum(sunny) / total, 0.0), 1.0) if len(sunny) == len(cells) and total > 0 else None,
        inputs=data,
    )


def _facts(job: Job, end: dt.datetime, known: measuring.Known, parts: "Split", priced: Priced) -> dict[str, Any]:
    kwh = known.kwh
    warm, idle = parts.wh("warm") / 1000, parts.wh("idle") / 1000
    return {
        "quality": known.quality,
        "coverage": round(known.coverage, 6),
        "kwh": kwh,
        "warm_kwh": warm if kwh is not None else None,
        "making_kwh": max(kwh - warm - idle, 0.0) if kwh is not None else None,
        "idle_kwh": idle if kwh is not None else None,
        "split_by": parts.method,
        "pm_kwh": known.pm_kwh,
        "why": known.why,
        "cost": priced.cost,
        "currency": priced.currency,
        "co2_g": priced.co2_g,
        "solar_share": priced.solar,
        "phases": [[p.kind, p.start // 1000, p.end // 1000, round(p.wh, 6)] for p in parts.phases],
        "inputs": {
            **known.inputs,
            "from": job.started_at.isoformat(),
            "until": end.isoformat(),
            "engine": ENGINE,
            "energy_data": priced.inputs,
        },
    }


def _rounded(value: Any) -> Any:
    """Without the last bits, which a database may add up in another order."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


def due(now: dt.datetime, most: int = 200) -> list[Job]:
    """Jobs whose figure is due, the longest waiting first."""
    return list(Job.objects.filter(settle_at__lte=now).order_by("settle_at")[:most])
