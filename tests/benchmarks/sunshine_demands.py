"""Seeded booking demands of a lab in a real neighbourhood, and what four ways of choosing their times would have given.

The neighbourhood is the sum of seventeen homes in Fontana, a year by the hour (CityLearn Challenge 2022, MIT). The lab
has four machines, open from 08:00 to 21:00 each day. In ten days of the second half of the year twenty people ask:

- when: a day, evenly over the first ten; an hour, evenly from 08:00 to 20:00 in quarters;
- for what: a laser cutter (600 W), a router (600 W), a mill (700 W) or a printer (130 W), all alike; the powers are
  those of `labs.engine.draw`;
- how long: 1, 1.5, 2, 3, 4 or 6 hours, shorter ones more often;
- by when: one to five days after they asked, evenly.

Each way places the same jobs in the order in which they were asked for, each on its machine alone, within the hours,
never overlapping and never past a deadline: `first` as first come, first served; `suggested` where most sun is expected
when it is asked for; `flexible` the same and moved at each midnight by the rules of the city; `foresight` where the sun
really was to spare, which nobody can know. What is expected is what was known then: the forecast of the day that runs,
issued at its midnight, and for later days the last four weeks. Judged by the real hours: of the lab's load in each
quarter of an hour as much as was really spare counts.
"""

import csv
import datetime as dt
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from energy.engine import forecast, spare, surplus
from labs.engine import draw, placing, planning, times
from labs.engine.hours import Span
from labs.engine.placing import Place, Share
from labs.engine.times import Buffers, Calendar

Floats = NDArray[np.float64]
BEGIN = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
HOUR, DAY, QUARTER = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(minutes=15)
OPENS, CLOSES = 8, 21
MACHINES = ("laser-cutter", "cnc-router", "cnc-mill", "3d-printer")
LENGTHS_H, ODDS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0), (0.25, 0.15, 0.25, 0.15, 0.12, 0.08)
DEMANDS, SPREAD_DAYS, SPAN_DAYS = 20, 10, 16
FIX_BEFORE = dt.timedelta(hours=12)
LATELY = 28
WAYS = ("first", "suggested", "flexible", "foresight")
NONE = Buffers(dt.timedelta(), dt.timedelta())


@dataclass(frozen=True, slots=True)
class Demand:
    """Somebody asks for a machine."""

    asked: dt.datetime
    machine: int
    length: dt.timedelta
    deadline: dt.datetime

    @property
    def profile(self) -> planning.Profile:
        """What it draws."""
        return planning.of_table(draw.of_class(MACHINES[self.machine]))

    @property
    def kw(self) -> float:
        """Its mean power."""
        return self.profile.mean_kw(self.length)


def read(folder: Path) -> tuple[Floats, Floats]:
    """Use and solar of the neighbourhood, days x 24, kWh."""
    with gzip.open(folder / "data" / "energy" / "fontana17_hourly.csv.gz", "rt") as file:
        rows = csv.reader(file)
        head = next(rows)
        table = np.array([[float(cell) for cell in row] for row in rows])[1:]
    found = []
    for name in ("load", "pv"):
        hours = table[:, [i for i, column in enumerate(head) if column.startswith(f"{name}_kwh")]].sum(axis=1)
        found.append(hours[: len(hours) // 24 * 24].reshape(-1, 24))
    return found[0], found[1]


def demands(seed: int, days: int) -> list[Demand]:
    """Twenty demands, in the order in which they are asked; `days` is how many days the data have."""
    rng = np.random.default_rng(seed)
    first = int(rng.integers(days - 183, days - SPAN_DAYS - 1))
    made = []
    for _nth in range(DEMANDS):
        asked = BEGIN + (first + int(rng.integers(SPREAD_DAYS))) * DAY
        asked += OPENS * HOUR + int(rng.integers(4 * (20 - OPENS))) * QUARTER
        length = float(rng.choice(LENGTHS_H, p=ODDS)) * HOUR
        deadline = asked + float(rng.uniform(1, 5)) * DAY
        made.append(Demand(asked, int(rng.integers(len(MACHINES))), length, deadline))
    return sorted(made, key=lambda d: d.asked)


@dataclass
class World:
    """The neighbourhood, and what was known of each of its days at its midnight."""

    load: Floats
    pv: Floats
    told: Callable[[int], surplus.Band | None]
    _known: dict[int, Floats] = field(default_factory=dict)

    def net(self, day: int) -> surplus.Band:
        """Made less used as foreseen for the days from `day` on: the forecast of the day, then the last four weeks."""
        past = (self.pv - self.load)[max(day - LATELY, 0) : day]
        usual = surplus.typical(past)
        first = self.told(day) or usual
        rest = min(SPAN_DAYS, len(self.load) - day) - 1
        parts = [first, *[usual] * max(rest, 0)]
        return surplus.Band(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("low", "middle", "high")))


def learned(load: Floats, pv: Floats) -> Callable[[int], surplus.Band]:
    """The city's own forecasts: the learned model, or where it lost once the best simple guess."""
    walks, only = [], []
    for days in (load, pv):
        first = len(days) - 183 - forecast.BAND_DAYS
        walks.append(forecast.walk(days, 0, first=first))
        score = forecast.backtest(days, 0, test_days=183)
        only.append(score.best_naive if score.guarded else "")

    def told(day: int) -> surplus.Band:
        one, two = (forecast.serve(walk, day, only=guess) for walk, guess in zip(walks, only, strict=True))
        use, sun = (surplus.Band(d.low_kwh, d.middle_kwh, d.high_kwh) for d in (one, two))
        return sun.plus(use, -1.0)

    return told


def nothing_learned(_day: int) -> surplus.Band | None:
    """No forecast at all: the last four weeks stand for every day."""
    return None


class Book:
    """The bookings that a way has made: which machine, when, for which demand."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.held: dict[int, tuple[Demand, Span]] = {}

    def free(self, demand: Demand, earliest: dt.datetime, without: int = -1) -> list[Span]:
        """Every free time for a demand, in order."""
        taken = sorted(s for n, (d, s) in self.held.items() if d.machine == demand.machine and n != without)
        opened, day = [], earliest.replace(hour=0, minute=0)
        while day < demand.deadline:
            opened.append(Span(day + OPENS * HOUR, day + CLOSES * HOUR))
            day += DAY
        return list(placing.free_spans(demand.length, Calendar(NONE, taken, opened), earliest, demand.deadline))

    def share_of(self, demand: Demand, now: dt.datetime, without: int = -1) -> placing.ShareOf:
        """What share of the demand is expected to be covered at a time, by what is known now and what is booked."""
        day = (now - BEGIN) // DAY
        net = self.world.net(day)
        start = BEGIN + day * DAY
        planned = self._load(start, len(net.middle), without)
        shares = [spare.share(a, b, c, demand.kw) for a, b, c in zip(*(getattr(net, n) - planned for n in
                  ("low", "middle", "high")), strict=True)]  # fmt: skip
        suns = [times.Sun(start + n * HOUR, start + (n + 1) * HOUR, *one) for n, one in enumerate(shares)]

        def share(span: Span) -> Share | None:
            expected, ends = times.share_of(span, suns), times.range_of(span, suns)
            return None if expected is None else Share(expected, ends.low or 0.0, ends.high or 0.0)

        return share

    def really(self, demand: Demand, without: int = -1) -> placing.ShareOf:
        """What share was really spare: known to nobody."""
        day = (demand.asked - BEGIN) // DAY
        start = BEGIN + day * DAY
        net = (self.world.pv - self.world.load)[day : day + SPAN_DAYS].ravel()
        left = net - self._load(start, len(net), without)
        suns = [times.Sun(start + n * HOUR, start + (n + 1) * HOUR, spare.covered(kw, demand.kw))
                for n, kw in enumerate(left.tolist())]  # fmt: skip
        return lambda span: Share(times.share_of(span, suns) or 0.0, 0.0, 0.0)

    def _load(self, start: dt.datetime, hours: int, without: int) -> Floats:
        edges = [start + n * HOUR for n in range(hours + 1)]
        total = np.zeros(hours)
        for number, (demand, span) in self.held.items():
            if number != without and span.end > start:
                total += planning.curve(demand.profile, span, edges)
        return total

    def covered(self) -> tuple[float, float]:
        """kWh of all bookings, and how many of them were really spare."""
        low = min(s.start for _d, s in self.held.values())
        start = BEGIN + ((low - BEGIN) // DAY) * DAY
        high = max(s.end for _d, s in self.held.values())
        count = int((high - start) / QUARTER) + 1
        edges = [start + n * QUARTER for n in range(count + 1)]
        load = np.sum([planning.curve(d.profile, s, edges) for d, s in self.held.values()], axis=0)
        net = (self.world.pv - self.world.load).ravel() / 4
        first = int((start - BEGIN) / HOUR)
        there = np.repeat(net[first : first + -(-count // 4)], 4)[:count]
        return float(load.sum()), float(np.minimum(load, np.maximum(there, 0.0)).sum())


def place(way: str, world: World, wanted: Sequence[Demand]) -> tuple[Book, int]:
    """Place all demands by a way; the book, and how often a booking was moved. Raises where one finds no time."""
    book, moved = Book(world), 0
    marks = sorted({d.asked for d in wanted})
    midnight = marks[0].replace(hour=0, minute=0) + DAY
    for number, demand in enumerate(wanted):
        while way == "flexible" and midnight <= demand.asked:
            moved += _round(book, midnight)
            midnight += DAY
        free = book.free(demand, demand.asked)
        if not free:
            raise LookupError(f"no time for {demand}")
        if way == "first":
            book.held[number] = (demand, free[0])
            continue
        share = book.really(demand) if way == "foresight" else book.share_of(demand, demand.asked)
        first = Place(free[0].start, free[0].end, share(free[0]))
        chosen = placing.choose(placing.ranked(free, share), first) or first
        book.held[number] = (demand, chosen.span)
    while way == "flexible" and midnight <= max(d.deadline for d in wanted):
        moved += _round(book, midnight)
        midnight += DAY
    return book, moved


def _round(book: Book, now: dt.datetime) -> int:
    """A midnight: what is not fixed yet moves where it is clearly better."""
    moved = 0
    for number, (demand, span) in sorted(book.held.items(), key=lambda one: one[1][1].start):
        if span.start - FIX_BEFORE <= now:
            continue
        share = book.share_of(demand, now, without=number)
        here = Place(span.start, span.end, share(span))
        free = book.free(demand, max(demand.asked, now + FIX_BEFORE), without=number)
        places = placing.ranked(free, share)
        if places and placing.is_better(places[0], here):
            book.held[number] = (demand, places[0].span)
            moved += 1
    return moved


def broken(book: Book) -> list[str]:
    """Everything that must never be: past a deadline, before it was asked for, at night, or two on one machine."""
    found = []
    for demand, span in book.held.values():
        if span.end > demand.deadline or span.start < demand.asked or span.end - span.start != demand.length:
            found.append(f"{demand} at {span}")
        if not (span.start.hour >= OPENS and span.end <= span.start.replace(hour=CLOSES, minute=0)):
            found.append(f"closed: {span}")
    for machine in range(len(MACHINES)):
        rows = sorted(span for demand, span in book.held.values() if demand.machine == machine)
        found += [f"{a} meets {b}" for a, b in pairwise(rows) if a.end > b.start]
    return found
