"""What a file said: series of energy by meter and direction, and everything that was wrong with it."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from django.utils.translation import gettext as _

#: The energy of a step may not mean more than this power; a unit taken for another is found by it.
MOST_KW = 5_000.0
STEPS_MIN = (1, 5, 10, 15, 30, 60)
SHOWN_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line (or, in XML, the number of a reading) that cannot be taken, what is wrong, and what to do."""

    line: int
    text: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Raw:
    """A reading as a line says it: `value` in kWh (or kW, or a counter's kWh), None where the line says “nothing”."""

    line: int
    at: dt.datetime
    value: float | None


@dataclass(slots=True)
class Series:
    """Energy of a register by the start (UTC) of its steps, kWh. `meter` is empty where the file names none.

    `gap_kwh`: energy that a counter took across gaps of so many steps; known as a sum only, so it is in no step.
    """

    meter: str
    direction: str
    step_minutes: int
    kwh: dict[dt.datetime, float]
    gap_kwh: float = 0.0
    gap_steps: int = 0
    resets: int = 0


@dataclass(slots=True)
class Read:
    """What became of a file. With any bad line nothing of it may be kept."""

    series: list[Series] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    bad_count: int = 0
    lines: int = 0
    repeated: int = 0
    left_out: int = 0
    empty: int = 0
    marks: Counter[str] = field(default_factory=Counter)

    def refuse(self, line: int, text: str, wrong: str) -> None:
        """Note a bad line; the first fifty are shown, all are counted."""
        self.bad_count += 1
        if len(self.bad) < SHOWN_AT_MOST:
            self.bad.append(BadLine(line, text[:160], wrong))


def step_of(times: list[dt.datetime]) -> int | None:
    """The step of a series in minutes: the difference that occurs most often; None if it is none of ours."""
    gaps = Counter(int((b - a).total_seconds()) for a, b in pairwise(times))
    if not gaps:
        return None
    seconds = gaps.most_common(1)[0][0]
    minutes, rest = divmod(seconds, 60)
    return minutes if rest == 0 and minutes in STEPS_MIN else None


def in_order(raws: list[Raw], read: Read) -> dict[dt.datetime, Raw]:
    """By time, each once: a line said twice counts once, two values for one time are refused."""
    found: dict[dt.datetime, Raw] = {}
    for raw in raws:
        there = found.get(raw.at)
        if there is None or (there.value is None and raw.value is not None):
            found[raw.at] = raw
        elif raw.value is None or raw.value == there.value:
            read.repeated += 1
        else:
            words = {"line": there.line, "first": there.value, "second": raw.value}
            wrong = _(
                "this time stands in line %(line)d too, with another value (%(first)s and %(second)s); "
                "take one of the two lines out"
            )
            read.refuse(raw.line, raw.at.isoformat(), wrong % words)
    return dict(sorted(found.items()))


def to_series(
    raws: list[Raw],
    read: Read,
    *,
    meter: str,
    direction: str,
    is_power: bool,
    is_counter: bool,
    wraps_kwh: float | None = None,
) -> Series | None:
    """Energy a step out of the readings of one register; None where its step cannot be told."""
    found = in_order(raws, read)
    step = step_of(list(found))
    if step is None:
        line = raws[0].line if raws else 0
        wrong = _(
            "the readings of %(meter)s do not come in steps of 1, 5, 10, 15, 30 or 60 minutes; ask the utility for "
            "the load profile (15 minutes), and look whether date and time are the right columns"
        )
        read.refuse(line, "", wrong % {"meter": meter or _("this meter")})
        return None
    series = Series(meter, direction, step, {})
    if is_counter:
        _differences(list(found.values()), series, read, wraps_kwh)
    else:
        _energies(list(found.values()), series, read, step / 60 if is_power else 1.0)
    return _ours(series)


def _energies(raws: list[Raw], series: Series, read: Read, hours: float) -> None:
    most = MOST_KW * series.step_minutes / 60
    for raw in raws:
        if raw.value is None:
            read.empty += 1
            continue
        kwh = raw.value * hours
        if kwh < 0:
            wrong = _("%(value)s is below zero; what is fed in needs a column of its own: map it as “fed in”")
            read.refuse(raw.line, "", wrong % {"value": raw.value})
        elif kwh > most:
            wrong = _("%(kwh)s kWh in %(minutes)d minutes is more than any member draws; look at the unit")
            read.refuse(raw.line, "", wrong % {"kwh": f"{kwh:g}", "minutes": series.step_minutes})
        elif off_grid(raw.at, series.step_minutes):
            wrong = _("%(time)s is not on the grid of %(minutes)d minutes of the rest of the file")
            read.refuse(raw.line, "", wrong % {"time": raw.at.isoformat(), "minutes": series.step_minutes})
        else:
            series.kwh[raw.at] = kwh


def _differences(raws: list[Raw], series: Series, read: Read, wraps_kwh: float | None) -> None:
    """A counter's energy lies between two readings one step apart; across a gap only the sum is known."""
    step = dt.timedelta(minutes=series.step_minutes)
    most = MOST_KW * series.step_minutes / 60
    known = [raw for raw in raws if raw.value is not None]
    read.empty += len(raws) - len(known)
    for a, b in pairwise(known):
        kwh = (b.value or 0.0) - (a.value or 0.0)
        steps = (b.at - a.at) // step
        if kwh < 0 and wraps_kwh and (a.value or 0.0) <= wraps_kwh and kwh + wraps_kwh <= most * steps:
            kwh += wraps_kwh
        if kwh < 0:
            series.resets += 1
        elif steps > 1:
            series.gap_kwh += kwh
            series.gap_steps += steps
        elif off_grid(a.at, series.step_minutes):
            wrong = _("%(time)s is not on the grid of %(minutes)d minutes of the rest of the file")
            read.refuse(a.line, "", wrong % {"time": a.at.isoformat(), "minutes": series.step_minutes})
        elif kwh > most:
            wrong = _("%(kwh)s kWh in %(minutes)d minutes is more than any member draws; look at the unit")
            read.refuse(b.line, "", wrong % {"kwh": f"{kwh:g}", "minutes": series.step_minutes})
        else:
            series.kwh[a.at] = kwh


def off_grid(at: dt.datetime, step_minutes: int) -> bool:
    """Whether a moment is no whole number of steps from the full hour."""
    return bool(at.second or at.microsecond or at.minute % step_minutes)


def _ours(series: Series) -> Series:
    """In quarters, half hours or hours: finer steps are summed where all parts are there."""
    wanted = {1: 15, 5: 15, 10: 60}.get(series.step_minutes)
    if wanted is None:
        return series
    parts, step = wanted // series.step_minutes, dt.timedelta(minutes=series.step_minutes)
    sums = {}
    for at in series.kwh:
        if at.minute % wanted == 0 and at.second == 0:
            values = [series.kwh.get(at + i * step) for i in range(parts)]
            if None not in values:
                sums[at] = sum(v for v in values if v is not None)
    series.kwh, series.step_minutes = sums, wanted
    return series
