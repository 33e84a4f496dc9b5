"""When maintenance is due: by hours of work, by days, or whichever comes first. Pure: the clock comes in."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

#: So much of the interval must have gone for a plan to be “soon”.
SOON_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Due:
    """How far a plan is: the `share` of its interval that has gone (1 is due), what is left, which comes first."""

    share: float
    left_h: float | None
    left_days: float | None
    first: Literal["hours", "days"]

    @property
    def state(self) -> Literal["due", "soon", "fine"]:
        """Due, soon, or fine."""
        return "due" if self.share >= 1 else "soon" if self.share >= SOON_SHARE else "fine"


def due(*, every_h: float | None, every_days: int | None, worked_h: float, since: dt.datetime, now: dt.datetime) -> Due:
    """How far a plan is after so many hours of work since it was done last."""
    days = (now - since).total_seconds() / 86_400
    by_hours = worked_h / every_h if every_h else 0.0
    by_days = days / every_days if every_days else 0.0
    return Due(
        max(by_hours, by_days, 0.0),
        every_h - worked_h if every_h else None,
        every_days - days if every_days else None,
        "hours" if every_h and (not every_days or by_hours >= by_days) else "days",
    )
