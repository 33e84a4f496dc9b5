"""Until when an offer of the waitlist holds. Pure."""

import datetime as dt
from zoneinfo import ZoneInfo

HOLD = dt.timedelta(hours=1)
WAKES, SLEEPS = 9, 21


def answer_by(now: dt.datetime, start: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """An hour from now, but nobody must answer at night, and nobody after the time itself has begun.

    An offer that would end between 21:00 and 09:00 local time holds until 09:00.
    """
    until = (now + HOLD).astimezone(zone)
    if not WAKES <= until.hour < SLEEPS:
        morning = until.date() + dt.timedelta(days=1 if until.hour >= SLEEPS else 0)
        until = dt.datetime.combine(morning, dt.time(WAKES), zone)
    return min(until.astimezone(dt.UTC), start)
