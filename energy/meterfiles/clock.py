"""Times as files write them: local with or without summer time, at the start or at the end of a step, into UTC.

The hour that comes twice in autumn is told apart by the order of the lines; the hour that is left out in spring does
not exist. A file that names the end of a step writes “03:00” for the hour from 02:00, some by adding an hour to the
start (so autumn's label comes twice), some by what the clock shows at the end: whichever of the two readings makes
sense for the whole file is taken.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in a file: naive local, or with its offset."""

    line: int
    at: dt.datetime


def exists(naive: dt.datetime, zone: dt.tzinfo) -> bool:
    """Whether the clock ever showed this."""
    aware = naive.replace(tzinfo=zone)
    return aware.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) == naive


def twice(naive: dt.datetime, zone: dt.tzinfo) -> bool:
    """Whether the clock showed this twice."""
    return naive.replace(tzinfo=zone).utcoffset() != naive.replace(tzinfo=zone, fold=1).utcoffset() and exists(
        naive, zone
    )


def resolve(
    moments: list[Moment], zone: ZoneInfo, *, step: dt.timedelta, is_end: bool
) -> dict[int, dt.datetime | None]:
    """The start of each line's step in UTC by its place in the list; None: the clock never showed this time."""
    if not is_end:
        return _starts(moments, zone, dt.timedelta(0), dt.timedelta(0))
    by_label = _starts(moments, zone, step, dt.timedelta(0))
    if _makes_sense(by_label):
        return by_label
    by_clock = _starts(moments, zone, dt.timedelta(0), step)
    return min((by_label, by_clock), key=_faults)


def _starts(
    moments: list[Moment], zone: ZoneInfo, before: dt.timedelta, after: dt.timedelta
) -> dict[int, dt.datetime | None]:
    """`before` is taken off the label, `after` off the moment."""
    found: dict[int, dt.datetime | None] = {}
    last: dt.datetime | None = None
    second = False
    for i, moment in enumerate(moments):
        if moment.at.tzinfo is not None:
            found[i] = moment.at.astimezone(dt.UTC) - before - after
            continue
        naive = moment.at - before
        if not exists(naive, zone):
            found[i] = None
            continue
        if twice(naive, zone):
            if last is not None and last.date() == naive.date() and naive <= last:
                second = True
            elif last is not None and last.date() != naive.date():
                second = False
            aware = naive.replace(tzinfo=zone, fold=1 if second else 0)
        else:
            second = False
            aware = naive.replace(tzinfo=zone)
        last = naive
        found[i] = aware.astimezone(dt.UTC) - after
    return found


def _faults(found: dict[int, dt.datetime | None]) -> int:
    known = [at for at in found.values() if at is not None]
    return len(found) - len(set(known))


def _makes_sense(found: dict[int, dt.datetime | None]) -> bool:
    return _faults(found) == 0
