"""Times that come again: RRULE and EXDATE of RFC 5545, by a lab's local clock. Pure.

Days and weeks are counted in local time, so ten o'clock stays ten o'clock when the clocks change. A local time that the
spring day skips is read with the offset from before (03:30 becomes 04:30), one that the autumn day has twice is its
first; each occurrence lasts exactly as long as the first: so says RFC 5545, section 3.3.5 and 3.8.5.3.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, rrulestr

from labs.engine.hours import Span

FREQUENCIES = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
PARTS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"})
DAY = re.compile(r"([+-]?[1-9][0-9]?)?(MO|TU|WE|TH|FR|SA|SU)")
LONGEST_TEXT = 200
MOST = 200


class BadRule(ValueError):
    """A rule that cannot be read; `part` is where."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


class Shift(NamedTuple):
    """A move in local time: by so many days and hours of the clock on the wall, to a new length."""

    by: dt.timedelta
    length: dt.timedelta
    zone: ZoneInfo

    @classmethod
    def between(cls, old: dt.datetime, new: dt.datetime, length: dt.timedelta, zone: ZoneInfo) -> "Shift":
        """The shift that moves one start to another."""
        return cls(_wall(new, zone) - _wall(old, zone), length, zone)

    def apply(self, start: dt.datetime) -> Span:
        """Another start, moved by as much."""
        moved = _instant(_wall(start, self.zone) + self.by, self.zone)
        return Span(moved, moved + self.length)


def _wall(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _instant(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return wall.replace(tzinfo=zone).astimezone(dt.UTC)


def read(text: str) -> dict[str, str]:
    """The parts of an RRULE, in capitals. Raises BadRule with the part that cannot be read."""
    text = text.strip().upper().removeprefix("RRULE:")
    if not text or len(text) > LONGEST_TEXT:
        raise BadRule(text[:40])
    parts: dict[str, str] = {}
    for item in text.rstrip(";").split(";"):
        name, _equals, value = item.partition("=")
        if name not in PARTS or not value or name in parts:
            raise BadRule(item[:40])
        parts[name] = value
    if parts.get("FREQ") not in FREQUENCIES:
        raise BadRule(f"FREQ={parts.get('FREQ', '')}"[:40])
    for name in ("INTERVAL", "COUNT"):
        if name in parts and not (parts[name].isdecimal() and 1 <= int(parts[name][:5]) <= 999):
            raise BadRule(f"{name}={parts[name]}"[:40])
    nth = parts["FREQ"] in {"MONTHLY", "YEARLY"}
    for day in parts.get("BYDAY", "MO").split(","):
        if not DAY.fullmatch(day) or (len(day) > 2 and not nth):
            raise BadRule(f"BYDAY={day}"[:40])
    if "COUNT" in parts and "UNTIL" in parts:
        raise BadRule("COUNT;UNTIL")
    return parts


def _until(text: str, zone: ZoneInfo) -> dt.datetime:
    """The last local time of a rule: a day counts whole, a time with Z is UTC."""
    try:
        if text.endswith("Z"):
            return _wall(dt.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC), zone)
        if "T" in text:
            return dt.datetime.strptime(text, "%Y%m%dT%H%M%S")
        return dt.datetime.strptime(text, "%Y%m%d") + dt.timedelta(days=1, seconds=-1)
    except ValueError:
        raise BadRule(f"UNTIL={text}"[:40]) from None


def _rule(parts: dict[str, str], first: dt.datetime, last: dt.datetime, zone: ZoneInfo) -> Iterator[dt.datetime]:
    """Local starts from the first until `last`; a search that finds nothing ends there too."""
    kept = {name: value for name, value in parts.items() if name not in {"COUNT", "UNTIL"}}
    until = min(last, _until(parts["UNTIL"], zone)) if "UNTIL" in parts else last
    text = ";".join(f"{name}={value}" for name, value in kept.items())
    try:
        made = rrulestr(f"RRULE:{text}", dtstart=first)
        assert isinstance(made, rrule)  # noqa: S101 one rule gives one
        made = made.replace(until=until)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise BadRule(text[:40]) from None
    return islice(made, int(parts["COUNT"])) if "COUNT" in parts else iter(made)


def spans(
    first: Span, text: str, *, zone: ZoneInfo, last: dt.datetime, left_out: Collection[dt.datetime] = ()
) -> list[Span]:
    """The occurrences of a rule, soonest first, `first` among them, until the moment `last` at most.

    `left_out` are starts that fall away (EXDATE); COUNT counts them too. At most MOST + 1 are given, so that who asks
    can see that there are too many. The first must itself follow the rule. Raises BadRule.
    """
    parts, length = read(text), first.end - first.start
    out = {moment.astimezone(dt.UTC) for moment in left_out}
    walls = list(islice(_rule(parts, _wall(first.start, zone), _wall(last, zone), zone), MOST + 1))
    if not walls or walls[0] != _wall(first.start, zone):
        raise BadRule("DTSTART")
    starts = [first.start, *(_instant(wall, zone) for wall in walls[1:])]
    return [Span(start, start + length) for start in starts if start.astimezone(dt.UTC) not in out]
