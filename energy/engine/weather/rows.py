"""What all readers of weather share: numbers with their limits, times that follow one another, refusals with line."""

import datetime as dt
import itertools
import math
from collections.abc import Collection, Sequence

import numpy as np

from energy.engine.community import Floats
from energy.engine.refusals import WeatherRefusal, gettext_noop

#: A common year for files whose months are of different years.
TYPICAL_YEAR = 2001
LIMITS = {"ghi": (0.0, 2000.0), "dni": (0.0, 2000.0), "dhi": (0.0, 2000.0), "air": (-90.0, 60.0), "wind": (0.0, 120.0)}
#: What formats write where nothing was measured.
MISSING = frozenset({9999.0, -9900.0, 99999.0, -9999.0, 999999.0})
MOST_ROWS = 400_000

_MISSING = gettext_noop("the value is missing (%(cell)s); take a file without gaps or fill it in from the station")
_RANGE = gettext_noop("%(value)g is not between %(least)g and %(most)g; check the column and its unit")


def number(  # noqa: PLR0917 a place, a cell, what it is
    file: str, line: int, column: str, cell: object, what: str, also_missing: Collection[float] = ()
) -> float:
    """One value within the limits of its kind. Raises WeatherRefusal."""
    text = str(cell).strip() if cell is not None else ""
    try:
        value = float(text)
    except ValueError:
        if not text or text.lower() in {"none", "null", "nan"}:
            raise WeatherRefusal(file, line, column, _MISSING, cell=text or "empty") from None
        raise WeatherRefusal(file, line, column, gettext_noop("“%(cell)s” is not a number"), cell=text[:40]) from None
    if value in MISSING or value in also_missing or not math.isfinite(value):
        raise WeatherRefusal(file, line, column, _MISSING, cell=text)
    least, most = LIMITS[what]
    if not least <= value <= most:
        raise WeatherRefusal(file, line, column, _RANGE, value=value, least=least, most=most)
    return value


def moment(file: str, line: int, column: str, parts: Sequence[int]) -> dt.datetime:
    """A date with hour 0 to 24 and minute, without a zone; 24:00 is the next midnight. Raises WeatherRefusal."""
    year, month, day, hour, minute = parts
    try:
        if not (0 <= hour <= 24 and 0 <= minute <= 60 and hour * 60 + minute <= 24 * 60):
            raise ValueError
        return dt.datetime(year, month, day) + dt.timedelta(hours=hour, minutes=minute)
    except ValueError:
        shown = f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}"
        raise WeatherRefusal(
            file, line, column, gettext_noop("%(time)s is no time of the calendar; correct the row"), time=shown
        ) from None


def step_of(file: str, stamps: Sequence[tuple[int, dt.datetime]], most_minutes: int = 60) -> int:
    """Minutes between the first two rows. Raises WeatherRefusal where there are not two, or they are too far apart."""
    if len(stamps) < 2:
        raise WeatherRefusal(file, 0, "", gettext_noop("there are not two rows of values; take the whole file"))
    minutes = round((stamps[1][1] - stamps[0][1]).total_seconds() / 60)
    if not 1 <= minutes <= most_minutes:
        raise WeatherRefusal(
            file, stamps[1][0], "", gettext_noop("the rows are %(n)d minutes apart; give steps of 1 to 60"), n=minutes
        )
    return minutes


def follow(file: str, stamps: Sequence[tuple[int, dt.datetime]], step_minutes: int) -> None:
    """Check that times follow one another without a gap. Raises WeatherRefusal with the line."""
    step = dt.timedelta(minutes=step_minutes)
    for (_before, early), (line, late) in itertools.pairwise(stamps):
        if late - early == step:
            continue
        words = {"time": late.strftime("%Y-%m-%d %H:%M"), "before": early.strftime("%Y-%m-%d %H:%M")}
        if late == early:
            template = gettext_noop("%(time)s stands twice; keep one row")
        elif late < early:
            template = gettext_noop("%(time)s comes after %(before)s; sort the rows")
        else:
            template = gettext_noop("a gap: after %(before)s comes %(time)s; take a file without gaps")
        raise WeatherRefusal(file, line, "", template, **words)


def typical_or_real(
    file: str, stamps: Sequence[tuple[int, dt.datetime]], *, ends: bool
) -> tuple[list[tuple[int, dt.datetime]], bool]:
    """Times that follow one another: as they stand, or in one common year where months are of different years.

    `ends`: the time is that of the step's end, so that midnight belongs to the day before. Second: whether typical.
    Raises WeatherRefusal.
    """
    step = step_of(file, stamps)
    given = list(stamps)
    try:
        follow(file, given, step)
    except WeatherRefusal as real:
        back = dt.timedelta(minutes=step if ends else 0)
        moved = []
        for line, stamp in given:
            begins = stamp - back
            if (begins.month, begins.day) == (2, 29):
                raise WeatherRefusal(
                    file, line, "", gettext_noop("29 February stands in a typical year; take the row out")
                ) from None
            moved.append((line, begins.replace(year=TYPICAL_YEAR) + back))
        years = {(stamp - back).year for _line, stamp in given}
        try:
            follow(file, moved, step)
        except WeatherRefusal as typical:
            raise (real if len(years) == 1 else typical) from None
        return moved, True
    return given, False


def column(values: Sequence[float] | Floats) -> Floats:
    """One series."""
    return np.ascontiguousarray(values, dtype=np.float64)
