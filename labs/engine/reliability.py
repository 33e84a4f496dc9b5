"""How reliable a machine is, from the times when it could not be used. Pure.

The words are those of IEC 60050-192: operating time between failures (MTBF) and time to restoration (MTTR).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from labs.engine.hours import Span


@dataclass(frozen=True, slots=True)
class Reliability:
    """Figures of one window. Means are None where nothing failed, or nothing is restored yet; times in hours.

    `mtbf_h` is up time by the calendar for each failure that began in the window; `work_mtbf_h` is the same with the
    hours that the machine worked, None where its work is not known. `availability` is the share of the window (0..1).
    """

    window_h: float
    down_h: float
    failures: int
    restored: int
    mtbf_h: float | None
    work_mtbf_h: float | None
    mttr_h: float | None
    availability: float | None


def reliability(
    window: Span, outages: Iterable[tuple[dt.datetime, dt.datetime | None]], worked_h: float
) -> Reliability:
    """Figures of a window from outages (began, ended or None while it lasts) in any order; overlaps count once.

    An outage counts as a failure where it began; what lies outside the window is cut from the down time. The time to
    restoration is the whole length of those that ended in the window, also what lies before it.
    """
    rows = list(outages)
    down = _union(
        Span(max(began, window.start), min(ended or window.end, window.end))
        for began, ended in rows
        if began < window.end and (ended is None or ended > window.start)
    )
    whole, down_h = _hours(window.end - window.start), sum(_hours(span.end - span.start) for span in down)
    failures = sum(window.start <= began < window.end for began, _ended in rows)
    repairs = [
        _hours(ended - began) for began, ended in rows if ended is not None and window.start < ended <= window.end
    ]
    return Reliability(
        window_h=whole,
        down_h=down_h,
        failures=failures,
        restored=len(repairs),
        mtbf_h=(whole - down_h) / failures if failures else None,
        work_mtbf_h=worked_h / failures if failures and worked_h else None,
        mttr_h=sum(repairs) / len(repairs) if repairs else None,
        availability=(whole - down_h) / whole if whole > 0 else None,
    )


def _union(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        elif span.end > span.start:
            merged.append(span)
    return merged


def _hours(length: dt.timedelta) -> float:
    return length / dt.timedelta(hours=1)
