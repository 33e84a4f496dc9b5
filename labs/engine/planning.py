"""What a machine of a class draws while it is booked: learned from measured jobs, drawn over a booking. Pure Python.

A profile is the mean power of each phase: warming up (and for how long), making, and waiting. The table of the class
(`labs.engine.draw`) is where it begins, with the weight of `WEIGHT` jobs; every measured job moves it by one more. All
jobs count alike, whatever their length, because the next booking is one job too.

A booking is drawn as warming up, then making for as much of the time as jobs of the class made so far, then waiting.
`spread` is how far jobs were from what their profile said, as a share of it; plan against measured improves both.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from labs.engine.draw import Draw
from labs.engine.hours import Span

WEIGHT = 3.0
SPREAD = 0.4
#: The band that nine of ten stay within, in standard deviations.
HALF_BAND = 1.645
#: A phase shorter than this (two minutes) says nothing of its power: its edges are those of readings.
LEAST_H = 1 / 30
#: The mean while warming up, as a part of the highest power of the class.
OF_PEAK = 0.8
#: From so many measured jobs on a machine has a profile of its own.
ENOUGH = 3
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured job: kWh and hours of each phase, and how long its booking was (None: it had none)."""

    warm_kwh: float = 0.0
    warm_h: float = 0.0
    making_kwh: float = 0.0
    making_h: float = 0.0
    idle_kwh: float = 0.0
    idle_h: float = 0.0
    booked_h: float | None = None

    @property
    def kwh(self) -> float:
        """All of it."""
        return self.warm_kwh + self.making_kwh + self.idle_kwh

    @property
    def hours(self) -> float:
        """How long it was."""
        return self.warm_h + self.making_h + self.idle_h


@dataclass(frozen=True, slots=True)
class Profile:
    """Mean W of each phase, minutes of warming up, the share of a booked time in which it makes, and the spread."""

    warm_w: float
    warm_min: float
    making_w: float
    idle_w: float
    used: float = 1.0
    spread: float = SPREAD
    jobs: int = 0

    def phases(self, length: dt.timedelta) -> list[tuple[dt.timedelta, float]]:
        """The phases of a booking of that length: until when after its start, and W."""
        warm = min(dt.timedelta(minutes=self.warm_min), length)
        made = max(warm, length * min(max(self.used, 0.0), 1.0))
        return [(warm, self.warm_w), (made, self.making_w), (length, self.idle_w)]

    def kwh(self, length: dt.timedelta) -> float:
        """What a booking of that length takes."""
        begins, total = dt.timedelta(), 0.0
        for until, watts in self.phases(length):
            total += watts / 1000 * ((until - begins) / HOUR)
            begins = until
        return total

    def mean_kw(self, length: dt.timedelta) -> float:
        """Its mean power."""
        return self.kwh(length) / (length / HOUR) if length > dt.timedelta() else self.making_w / 1000


def of_table(table: Draw) -> Profile:
    """What a class draws by the table, before anything was measured."""
    warm_w = OF_PEAK * table.peak_w if table.warm_min else table.making_w
    return Profile(warm_w, table.warm_min, table.making_w, table.idle_w)


def learn(begin: Profile, jobs: Sequence[Measured]) -> Profile:
    """The profile after these jobs, from the one that it begins with (of the table, or of the class)."""
    known = [job for job in jobs if job.hours > 0 and job.kwh >= 0]

    def mean(of: float, values: Sequence[float]) -> float:
        return (WEIGHT * of + sum(values)) / (WEIGHT + len(values))

    warm = [job for job in known if job.warm_h >= LEAST_H]
    making = [job for job in known if job.making_h >= LEAST_H]
    idle = [job for job in known if job.idle_h >= LEAST_H]
    booked = [job for job in known if job.booked_h]
    shares = [min((job.warm_h + job.making_h) / (job.booked_h or 1.0), 1.0) for job in booked]
    learned = Profile(
        warm_w=mean(begin.warm_w, [1000 * job.warm_kwh / job.warm_h for job in warm]),
        warm_min=mean(begin.warm_min, [60 * job.warm_h for job in known]),
        making_w=mean(begin.making_w, [1000 * job.making_kwh / job.making_h for job in making]),
        idle_w=mean(begin.idle_w, [1000 * job.idle_kwh / job.idle_h for job in idle]),
        used=mean(begin.used, shares),
        jobs=len(known),
    )
    misses = [miss(learned, job) for job in known]
    square = (WEIGHT * begin.spread**2 + sum(m * m for m in misses)) / (WEIGHT + len(misses))
    return Profile(
        learned.warm_w, learned.warm_min, learned.making_w, learned.idle_w, learned.used, square**0.5, len(known)
    )


def miss(profile: Profile, job: Measured) -> float:
    """By how much a job was off what the profile says of its length, as a share of that."""
    length = HOUR * (job.booked_h or job.hours)
    told = Profile(profile.warm_w, profile.warm_min, profile.making_w, profile.idle_w,
                   profile.used if job.booked_h else 1.0).kwh(length)  # fmt: skip
    return (job.kwh - told) / told if told > 0 else 0.0


def curve(profile: Profile, span: Span, edges: Sequence[dt.datetime]) -> list[float]:
    """kWh of a booking in each step between ascending edges."""
    found, begins = [0.0] * (len(edges) - 1), span.start
    for until, watts in profile.phases(span.end - span.start):
        spread_over(found, edges, Span(begins, span.start + until), watts / 1000)
        begins = span.start + until
    return found


def spread_over(into: list[float], edges: Sequence[dt.datetime], span: Span, kw: float) -> None:
    """Add a steady power to the steps that a time meets."""
    for nth in range(len(into)):
        inside = min(span.end, edges[nth + 1]) - max(span.start, edges[nth])
        if inside > dt.timedelta():
            into[nth] += kw * (inside / HOUR)


def band(kwh: Sequence[float], spreads: Sequence[float]) -> tuple[float, float]:
    """Nine of ten times the sum of plans lies between these: the misses of different jobs are independent."""
    total = sum(kwh)
    wide = HALF_BAND * sum((one * spread) ** 2 for one, spread in zip(kwh, spreads, strict=True)) ** 0.5
    return max(total - wide, 0.0), total + wide
