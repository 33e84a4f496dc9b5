"""What a lab's members decided to give for sunny times: a part off the price where enough local sun is expected.

Read from the value `labs.surplus_price` of the lab as a deciding body, {"discount_percent": 0-50,
"above_surplus_share": 0-1}; with none set there is no reward. The share is what is foreseen when the price is told and
when it is charged.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from commons.decisions.queries import value
from labs.engine import times
from labs.engine.hours import Span
from labs.engine.prices import NOTHING
from labs.models import Lab, Machine
from labs.queries import sun

KIND, SCOPE = "labs.surplus_price", "labs.lab:%s"
MOST_PERCENT = 50.0


@dataclass(frozen=True, slots=True)
class Reward:
    """So many per cent off where the expected share of local surplus is above this."""

    discount_pct: Decimal
    above: float


def of_lab(lab: Lab, at: dt.datetime | None = None) -> Reward | None:
    """What holds in a lab at a moment (now without one); None where nothing was decided. One query."""
    held = value(KIND, SCOPE % lab.slug, at)
    if held is None or not isinstance(held.value, dict):
        return None
    try:
        percent = float(held.value["discount_percent"])
        above = float(held.value.get("above_surplus_share", 0.5))
    except (KeyError, TypeError, ValueError):
        return None
    if not 0 < percent <= MOST_PERCENT or not 0 <= above <= 1:
        return None
    return Reward(Decimal(str(percent)), above)


def of_time(machine: Machine, span: Span, at: dt.datetime | None = None) -> tuple[Decimal, float | None]:
    """How many per cent are taken off for this time on the machine, and the share that is expected of it."""
    reward = of_lab(machine.lab, at)
    if reward is None or span.end <= span.start or span.end - span.start > dt.timedelta(days=32):
        return NOTHING, None
    suns = sun.outlook(machine.lab.place, span.start, span.end, sun.draw_of(machine, span.end - span.start))
    share = times.share_of(span, suns)
    return (reward.discount_pct, share) if share is not None and share > reward.above else (NOTHING, share)
