"""Who gets how much of the community's surplus, step by step, in whole thousandths of a watt-hour.

What members feed in during a step is offered to what members draw in the same step, by a key. Everything is reckoned in
integers of 1e-6 kWh, so that the identities hold exactly and not nearly (docs/energy-tariffs.md):

    received[i] <= use[i],   given[j] <= feed_in[j],   sum(received) == sum(given) <= min(sum(use), sum(feed_in))

Keys (Austrian practice of energy communities; the German § 42c leaves the key to the contract):

- `static`: each has a fixed share of the surplus, capped at own use. The rest goes to the grid, or, with `again`, is
  offered again in proportion to the shares to those who still draw, until it or their draw is used up.
- `dynamic`: in proportion to use: each covers the same part of its draw.
- `equal`: equal parts, offered again until the surplus or the draw is used up.

What is left of a division is handed out one unit at a time by the largest remainder (Hamilton's method), the first
member first where remainders are the same. A step in which a member was not measured gives and takes nothing for that
member; it is listed, never guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from energy.engine.refusals import NotDefined, gettext_noop

Floats = NDArray[np.float64]
Units = NDArray[np.int64]
Bools = NDArray[np.bool_]
Key = Literal["static", "dynamic", "equal"]
KEYS: tuple[Key, ...] = ("static", "dynamic", "equal")

#: Units in a kWh: thousandths of a watt-hour, finer than any meter.
PER_KWH = 1_000_000
#: Shares are whole millionths.
WHOLE = 1_000_000
MOST_KWH = 1_000_000_000.0
FITS = 2**62


@dataclass(frozen=True, slots=True)
class Allocation:
    """Energies of each member in each step (members by steps), in units of 1e-6 kWh; zero where `unmeasured`."""

    use: Units
    feed_in: Units
    received: Units
    given: Units
    use_unmeasured: Bools
    feed_in_unmeasured: Bools

    @property
    def from_grid(self) -> Units:
        """What each draws that the community did not cover."""
        return np.asarray(self.use - self.received)

    @property
    def to_grid(self) -> Units:
        """What each feeds in that nobody in the community took."""
        return np.asarray(self.feed_in - self.given)


def units(kwh: Floats) -> tuple[Units, Bools]:
    """kWh as whole units (half to even), and where there is no value; refuses what is below zero or beyond sense."""
    unmeasured = np.isnan(kwh)
    known = np.where(unmeasured, 0.0, kwh)
    if known.size and (not np.isfinite(known).all() or known.min() < 0 or known.max() > MOST_KWH):
        raise NotDefined(gettext_noop("a measured energy is below zero or too large; correct the reading"))
    return np.rint(known * PER_KWH).astype(np.int64), unmeasured


def allocate(
    use_kwh: Floats,
    feed_in_kwh: Floats,
    key: Key,
    *,
    shares: Sequence[int] = (),
    again: bool = False,
    present: Bools | None = None,
) -> Allocation:
    """Allocate the surplus of each step. Arrays are members by steps, NaN where nothing was measured; `shares` are
    whole millionths for `static` and come to one at most; `present` says when each is a member at all (always
    without it). Raises NotDefined.
    """
    if use_kwh.shape != feed_in_kwh.shape or use_kwh.ndim != 2:
        raise NotDefined(gettext_noop("use and feed-in differ in length; both need a value for each member and step"))
    use, no_use = units(use_kwh)
    feed_in, no_feed_in = units(feed_in_kwh)
    if present is not None:
        use, feed_in = np.where(present, use, 0), np.where(present, feed_in, 0)
        no_use, no_feed_in = no_use & present, no_feed_in & present
    surplus = feed_in.sum(axis=0)
    received = _received(use, surplus, key, _checked(shares, len(use), key), again)
    given = fill(received.sum(axis=0), feed_in, feed_in)
    return Allocation(use, feed_in, received, given, no_use, no_feed_in)


def _checked(shares: Sequence[int], members: int, key: Key) -> Units:
    if key not in KEYS:
        raise NotDefined(gettext_noop("there is no key “%(key)s”; use static, dynamic or equal"), key=key)
    if key != "static":
        return np.ones(members, dtype=np.int64)
    if len(shares) != members:
        raise NotDefined(gettext_noop("a static key needs a share for each member"))
    if any(share < 0 for share in shares) or sum(shares) > WHOLE:
        raise NotDefined(gettext_noop("the shares are below zero or come to more than the whole; lower them"))
    return np.array(shares, dtype=np.int64)


def _received(use: Units, surplus: Units, key: Key, weights: Units, again: bool) -> Units:
    if key == "dynamic":
        return fill(np.minimum(surplus, use.sum(axis=0)), use, use)
    columns = np.broadcast_to(weights[:, None], use.shape)
    if key == "equal" or again:
        return fill(surplus, columns, use)
    # the grid takes the share that nobody has
    everybody = np.vstack([columns, np.full((1, use.shape[1]), WHOLE - weights.sum())])
    return np.minimum(portions(surplus, everybody)[:-1], use)


def portions(amount: Units, weights: Units) -> Units:
    """Split each step's whole amount in proportion to weights (members by steps): by largest remainder, so that the
    parts are whole and come to the amount exactly; nothing where all weights are zero.
    """
    wide_amount, wide_weights = _wide(amount, weights)
    total = wide_weights.sum(axis=0)
    divisor = np.where(total > 0, total, 1)
    product = wide_weights * np.where(total > 0, wide_amount, 0)
    parts, rest = product // divisor, product % divisor
    left = (np.where(total > 0, wide_amount, 0) - parts.sum(axis=0)).astype(np.int64)
    # the rank of each remainder in its step, largest first, the first member first among equals
    order = np.argsort(-rest, axis=0, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(len(rest))[:, None] * np.ones_like(order), axis=0)
    return np.asarray(parts.astype(np.int64) + (rank < left))


def fill(amount: Units, weights: Units, caps: Units) -> Units:
    """Split each step's amount in proportion to weights, nobody beyond its cap, what is over offered again to the
    others: water-filling. All that can be placed is placed: the sum is min(amount, caps of those with a weight).

    Each pass settles those whose part reaches their cap, which leaves the others no less; at most one pass a member.
    """
    weights, caps = np.array(weights, dtype=np.int64), np.asarray(caps)
    weights = np.where(caps > 0, weights, 0)
    got = np.zeros_like(caps)
    left = np.array(amount, dtype=np.int64)
    while True:
        wide_left, wide_weights = _wide(left, weights)
        total = wide_weights.sum(axis=0)
        wide_caps = caps.astype(object) if wide_weights.dtype == object or _large(caps, weights) else caps
        totals = total.astype(object) if wide_caps.dtype == object else total
        full = np.asarray((weights > 0) & (wide_caps * totals <= wide_left * wide_weights), dtype=np.bool_)
        if not full.any():
            break
        got = np.where(full, caps, got)
        left = left - np.where(full, caps, 0).sum(axis=0)
        weights = np.where(full, 0, weights)
    return np.asarray(got + portions(left, weights))


def _large(caps: Units, weights: Units) -> bool:
    return bool(caps.size) and int(caps.max()) * max(1, int(weights.sum(axis=0).max())) >= FITS


def _wide(amount: Units, weights: Units) -> tuple[Any, Any]:
    """Both as Python's own integers where a product could pass 64 bits, so that large sums stay exact too."""
    if weights.size and int(amount.max()) * max(1, int(weights.max())) >= FITS:
        return amount.astype(object), weights.astype(object)
    return amount, weights


def millionths(parts: Sequence[float | Decimal]) -> list[int]:
    """Shares in whole millionths that come to exactly one, in proportion to `parts`, such as what a rule of sharing
    gives each member; who would lose has none. Raises NotDefined where nobody has any.
    """
    whole = [max(Decimal(0), Decimal(str(part))) for part in parts]
    total = sum(whole, Decimal(0))
    if total <= 0:
        raise NotDefined(gettext_noop("no member has a share above zero; use another key"))
    exact = [part * WHOLE / total for part in whole]
    floors = [int(value) for value in exact]
    order = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    for i in order[: WHOLE - sum(floors)]:
        floors[i] += 1
    return floors
