"""What will be spare of the local sun in the coming days: made less used, after storage, after what is booked.

*Spare* in a step is what one more load could draw in it without anybody drawing more from the grid, then or later:

1. what would be fed in, after the battery took what it can; and
2. what the battery could give besides: it holds enough for what the community needs of it until the sun fills it again.
   With `stored` after each step and `fed_in`, a further kWh may leave the battery after step t as long as at every
   later step u it is either still there or has been filled again by what would otherwise have been fed in:
   free(t) = min over u >= t of (stored(u) + filled by fed_in(t+1..u)). One pass from the end finds it.

Where the community draws from the grid, spare is below nothing by as much. Each step is told by itself: who takes what
one step offers from the battery takes it from the others too, and the next outlook, with the booking in it, says so.

The battery is run by the rule of self-consumption (`energy.engine.strategies`): all batteries as one, losses half on
each way. It begins as it ends a day like the first. Errors of use and solar are taken to be independent, so half widths
add as squares. Limits: one rule for all batteries; electric cars and heat pumps as in the use.

Days without a forecast are *typical*: quantiles of made less used, step by step, over the days given (the same weeks of
the data's year, or the last four weeks), so that sun and use of the same day stay together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class Band:
    """Something foreseen, one value a step: the middle, and a band that nine of ten stay within."""

    low: Floats
    middle: Floats
    high: Floats

    def plus(self, other: "Band", sign: float = 1.0) -> "Band":
        """The sum with something independent of it (the difference with `sign` -1): half widths add as squares."""
        down, up = other.middle - other.low, other.high - other.middle
        if sign < 0:
            down, up = up, down
        middle = self.middle + sign * other.middle
        low = middle - np.hypot(self.middle - self.low, down)
        return Band(low, middle, middle + np.hypot(self.high - self.middle, up))

    def less(self, known: Floats) -> "Band":
        """Without something that is known exactly."""
        return Band(self.low - known, self.middle - known, self.high - known)


@dataclass(frozen=True, slots=True)
class Storage:
    """All batteries as one: what they hold, their power, and the efficiency of one way."""

    kwh: float
    kw: float
    one_way: float = 0.95


NONE = Storage(0.0, 0.0, 1.0)


def typical(net_kwh: Floats) -> Band:
    """Quantiles of made less used over days (days x steps), step by step; NaN is not known."""
    low, middle, high = np.nanquantile(net_kwh, [LOW, 0.5, HIGH], axis=0)
    return Band(low, middle, high)


@dataclass(frozen=True, slots=True)
class Flow:
    """What the battery did, kWh a step: what it holds after each, what was fed in and what was drawn."""

    stored: Floats
    fed_in: Floats
    drawn: Floats


def through(net_kwh: Floats, storage: Storage, hours: float, *, begins: float = 0.0) -> Flow:
    """The battery run by self-consumption on made less used; it begins with `begins` kWh."""
    stored, fed_in, drawn = np.zeros_like(net_kwh), np.zeros_like(net_kwh), np.zeros_like(net_kwh)
    held, most, way = begins, storage.kw * hours, storage.one_way
    for t, net in enumerate(net_kwh.tolist()):
        if net >= 0:
            took = min(net, most, (storage.kwh - held) / way if way > 0 else 0.0)
            held, fed_in[t] = held + took * way, net - took
        else:
            gave = min(-net, most, held * way)
            held, drawn[t] = held - gave / way if way > 0 else held, -net - gave
        stored[t] = held
    return Flow(stored, fed_in, drawn)


def spare(net_kwh: Floats, storage: Storage, hours: float, *, steps_of_day: int = 24) -> Floats:
    """What one more load could draw in each step, kW; below nothing by what is drawn from the grid."""
    if storage.kwh <= 0 or storage.kw <= 0:
        return np.asarray(net_kwh / hours)
    first = through(net_kwh[:steps_of_day], storage, hours)
    begins = float(first.stored[-1]) if len(first.stored) else 0.0
    flow = through(net_kwh, storage, hours, begins=begins)
    free = _free(flow, storage, hours, begins)
    headroom = np.maximum(storage.kw * hours - np.maximum(-_change(flow, begins), 0.0) * storage.one_way, 0.0)
    given = np.minimum(free * storage.one_way, headroom)
    # what charges it now can be left out first: it costs no way through the battery
    charging = np.maximum(_change(flow, begins), 0.0)
    kept_back = np.minimum(free, charging)
    from_charge = kept_back / storage.one_way
    rest = np.minimum(np.maximum(free - kept_back, 0.0) * storage.one_way, storage.kw * hours)
    given = np.where(charging > 0, from_charge + rest, given)
    found = np.where(flow.drawn > 0, -flow.drawn, flow.fed_in + given)
    return np.asarray(found / hours)


def _change(flow: Flow, begins: float) -> Floats:
    return np.asarray(np.diff(flow.stored, prepend=begins))


def _free(flow: Flow, storage: Storage, hours: float, begins: float) -> Floats:
    """What may leave the battery after each step and is never missed, kWh held; at the end what is more than at the
    beginning is free."""
    count = len(flow.stored)
    free = np.zeros(count)
    ahead = max(float(flow.stored[-1]) - begins, 0.0) if count else 0.0
    change = _change(flow, begins)
    for t in range(count - 1, -1, -1):
        free[t] = min(float(flow.stored[t]), ahead)
        # what could still be charged in this step out of what is fed in fills a gap left before it
        room = max(storage.kw * hours - max(change[t], 0.0) / storage.one_way, 0.0)
        ahead = min(free[t] + storage.one_way * min(float(flow.fed_in[t]), room), storage.kwh)
    return free


def outlook(net: Band, storage: Storage, hours: float, *, steps_of_day: int = 24) -> Band:
    """Spare power in each step, kW, with its band: the battery is run through each end of what is foreseen."""
    middle = spare(net.middle, storage, hours, steps_of_day=steps_of_day)
    low = spare(net.low, storage, hours, steps_of_day=steps_of_day)
    high = spare(net.high, storage, hours, steps_of_day=steps_of_day)
    return Band(np.minimum(low, middle), middle, np.maximum(high, middle))
