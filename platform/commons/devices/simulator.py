"""Machines that do not exist: what they would draw and when they would work, for the demo city and for tests.

All is a function of (kind, seed, moment): what was told of the past and what is told live come from one
curve. Power is held on a grid of 10 s and the counter is its exact integral, so that energy has an oracle.
Shapes after published traces of real machines: a desktop printer idles at 5-30 W, heats at 250-350 W and
prints at 90-190 W in pulses of its bed heater; a CO2 laser idles with chiller and fan at 60 W and cuts at
400-700 W.
"""

import datetime as dt
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypedDict

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

GRID_S = 10
_PER_DAY = 86_400 // GRID_S


@dataclass(frozen=True, slots=True)
class Profile:
    """How a kind of machine behaves. Hours are UTC."""

    off_w: float
    idle_w: float
    warm_w: float
    warm_s: int
    make_w: float
    swing: float
    pulse_s: int
    job_min_s: int
    job_max_s: int
    pause_s: int
    opens_h: float = 7.0
    closes_h: float = 18.0


PROFILES = {
    "printer": Profile(2.0, 9.0, 290.0, 240, 115.0, 0.35, 70, 1500, 14000, 2400, 6.0, 20.0),
    "laser": Profile(3.0, 62.0, 180.0, 30, 520.0, 0.25, 40, 240, 2400, 2700),
    "cnc": Profile(4.0, 75.0, 240.0, 60, 680.0, 0.30, 50, 900, 7200, 4200),
    "vinyl": Profile(1.0, 8.0, 30.0, 20, 45.0, 0.20, 30, 180, 1500, 4500),
    "sewing": Profile(0.5, 3.0, 20.0, 10, 85.0, 0.55, 20, 600, 3600, 4500),
    "plug": Profile(1.0, 6.0, 60.0, 60, 80.0, 0.20, 60, 900, 5400, 3600),
}


@dataclass(frozen=True, slots=True)
class SimJob:
    """A job that the simulated machine does; `number` counts within its day."""

    start: dt.datetime
    end: dt.datetime
    number: int


class SimReading(TypedDict):
    """A reading as it stands in a telemetry body."""

    seq: int
    ts: str
    channel: str
    value: float | str


def profile_of(kind: str) -> Profile:
    """The profile whose name the kind holds ("3d-printer" is a printer), else a plug's."""
    return next((profile for name, profile in PROFILES.items() if name in kind), PROFILES["plug"])


def seed_of(hardware_id: str) -> int:
    """The seed that belongs to a hardware id."""
    return zlib.crc32(hardware_id.encode())


@lru_cache(maxsize=512)
def jobs(kind: str, seed: int, day: dt.date) -> tuple[SimJob, ...]:
    """The machine's jobs on a UTC day, in order, apart from each other; few on weekends."""
    profile = profile_of(kind)
    rng = np.random.default_rng([seed, day.toordinal(), 1])
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    at, closes = profile.opens_h * 3600.0, profile.closes_h * 3600.0
    pause_s = profile.pause_s * (4 if day.weekday() >= 5 else 1)
    found: list[SimJob] = []
    while True:
        at += pause_s * (0.15 + float(rng.exponential()))
        low, high = np.log(profile.job_min_s), np.log(profile.job_max_s)
        length = float(np.exp(rng.uniform(low, high)))
        if at + length > closes:
            return tuple(found)
        start, end = (midnight + dt.timedelta(seconds=round(s / GRID_S) * GRID_S) for s in (at, at + length))
        found.append(SimJob(start, end, len(found)))
        at += length


@lru_cache(maxsize=64)
def _grid(kind: str, seed: int, day: dt.date) -> Float64:
    """Power in W in each 10 s of the day."""
    profile = profile_of(kind)
    rng = np.random.default_rng([seed, day.toordinal(), 2])
    second = np.arange(_PER_DAY) * GRID_S
    is_open = (second >= profile.opens_h * 3600) & (second < profile.closes_h * 3600)
    power = np.where(is_open, profile.idle_w, profile.off_w)
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    for job in jobs(kind, seed, day):
        start, end = (int((moment - midnight).total_seconds()) for moment in (job.start, job.end))
        working = (second >= start) & (second < end)
        pulse = np.sign(np.sin((second - start) * (2 * np.pi / profile.pulse_s) + seed % 7))
        power = np.where(working, profile.make_w * (1 + profile.swing * pulse), power)
        power = np.where(working & (second < start + profile.warm_s), profile.warm_w, power)
    return np.asarray(np.round(power * rng.normal(1.0, 0.03, _PER_DAY).clip(0.9, 1.1), 1), dtype=np.float64)


@lru_cache(maxsize=20_000)
def _day_wh(kind: str, seed: int, day: dt.date) -> float:
    return float(_grid(kind, seed, day).sum()) * GRID_S / 3600.0


def power_w(kind: str, seed: int, moment: dt.datetime) -> float:
    """What the machine draws at the moment."""
    utc = moment.astimezone(dt.UTC)
    return float(_grid(kind, seed, utc.date())[_second(utc) // GRID_S])


def counter_wh(kind: str, seed: int, since: dt.date, moment: dt.datetime) -> float:
    """What its counter shows at the moment, if it stood at zero when the UTC day `since` began."""
    utc = moment.astimezone(dt.UTC)
    days = (utc.date() - since).days
    total = sum(_day_wh(kind, seed, since + dt.timedelta(days=n)) for n in range(days))
    cell, rest = divmod(_second(utc) + utc.microsecond / 1e6, GRID_S)
    grid = _grid(kind, seed, utc.date())
    return total + (float(grid[: int(cell)].sum()) * GRID_S + float(grid[int(cell)]) * rest) / 3600.0


def state(kind: str, seed: int, moment: dt.datetime) -> str:
    """The word for what it does."""
    utc = moment.astimezone(dt.UTC)
    profile = profile_of(kind)
    for job in jobs(kind, seed, utc.date()):
        if job.start <= utc < job.end:
            return "warming" if (utc - job.start).total_seconds() < profile.warm_s else "making"
    return "idle" if profile.opens_h * 3600 <= _second(utc) < profile.closes_h * 3600 else "off"


def readings(
    kind: str, seed: int, *, since: dt.date, moments: list[dt.datetime], first_seq: int
) -> Iterator[SimReading]:
    """Power and counter at each of the moments, and the state when it is new; seqs from `first_seq` on."""
    seq, last = first_seq, ""
    for moment in moments:
        stamp = moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        now = state(kind, seed, moment)
        told: list[tuple[str, float | str]] = [
            ("power_w", power_w(kind, seed, moment)),
            ("energy_wh_total", round(counter_wh(kind, seed, since, moment), 3)),
        ]
        if now != last:
            told.append(("state", now))
        last = now
        for channel, value in told:
            yield {"seq": seq, "ts": stamp, "channel": channel, "value": value}
            seq += 1


def _second(utc: dt.datetime) -> int:
    return utc.hour * 3600 + utc.minute * 60 + utc.second
