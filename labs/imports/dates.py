"""Times as people write them: the form is found from the whole column and named, never guessed for a single cell.

A clock that the zone shows twice (the end of summer time) is read as the first of the two, and that is said; one that
it never shows is refused.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

#: Forms of the day, with the name under which the report tells them.
DAYS = {
    "iso": ("%Y-%m-%d", "2026-11-22"),
    "ymd": ("%Y/%m/%d", "2026/11/22"),
    "dots": ("%d.%m.%Y", "22.11.2026"),
    "dmy": ("%d/%m/%Y", "22/11/2026"),
    "mdy": ("%m/%d/%Y", "11/22/2026"),
    "dmy-dashes": ("%d-%m-%Y", "22-11-2026"),
}
CLOCKS = ("", "%H:%M", "%H:%M:%S", "%I:%M %p", "%H.%M")
_SPLIT = re.compile(r"^(\S+?)(?:[T ,]+\s*(.+))?$")
_CLOCK_ONLY = re.compile(r"^\d{1,2}[:.]\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?$")
EARLIEST, LATEST = 1970, 2200


class Local(NamedTuple):
    """A time found: in UTC, and whether the clock shows it twice."""

    at: dt.datetime
    twice: bool


class NoSuchTime(ValueError):
    """The clock of the zone never shows it."""


def forms_of(cells: Iterable[str]) -> list[str]:
    """The forms of the day in which the most of these cells can be read; several when they cannot be told apart."""
    asked = [cell for cell in cells if cell and not _exact(cell) and not is_clock(cell)]
    fits = {form: sum(_naive(cell, form) is not None for cell in asked) for form in DAYS}
    most = max(fits.values(), default=0)
    if not asked or most == 0:
        return ["iso"]
    return [form for form, count in fits.items() if count == most]


def is_clock(text: str) -> bool:
    """Whether it is a time of day alone."""
    return bool(_CLOCK_ONLY.match(text.strip()))


def read(text: str, form: str, zone: ZoneInfo) -> Local:
    """The time of a cell. Raises NoSuchTime, and ValueError when it cannot be read."""
    exact = _exact(text)
    if exact is not None:
        return Local(_sane(exact.astimezone(dt.UTC)), twice=False)
    naive = _naive(text, form)
    if naive is None:
        raise ValueError(text)
    return in_zone(_sane(naive), zone)


def in_zone(naive: dt.datetime, zone: ZoneInfo) -> Local:
    """The time that a clock in the zone shows. Raises NoSuchTime."""
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != naive:
        raise NoSuchTime(f"{naive:%Y-%m-%d %H:%M}")
    return Local(first, twice=first != second)


def _sane(at: dt.datetime) -> dt.datetime:
    if not EARLIEST <= at.year <= LATEST:
        raise ValueError(str(at.year))
    return at


def _exact(text: str) -> dt.datetime | None:
    """A time that says its own zone."""
    try:
        found = dt.datetime.fromisoformat(text.strip())
        return found.astimezone(dt.UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _naive(text: str, form: str) -> dt.datetime | None:
    pieces = _SPLIT.match(text.strip())
    if pieces is None:
        return None
    day, clock = pieces.group(1), (pieces.group(2) or "").strip().upper()
    clock = re.sub(r"(?<=\d)(?=[AP]M$)", " ", clock)
    return _first(f"{day} {clock}".strip(), [f"{DAYS[form][0]} {c}".strip() for c in CLOCKS])


def _first(text: str, forms: Sequence[str]) -> dt.datetime | None:
    for form in forms:
        try:
            return dt.datetime.strptime(text, form)
        except ValueError:
            continue
    return None
