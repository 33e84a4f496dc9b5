"""A copy of a district run ahead of time: many paths of its coming hours, drawn from how its days lately were.

For each path and each coming day one past day of the same kind (working day, or weekend) is drawn, the same for all
series, so that cloudy days stay cloudy days in all of them. On the first two days a path is the stored forecast and how
the drawn day differed from the mean of its kind; later it is the drawn day itself. Storage follows
`twin.engine.energy.dispatch`. The middle is the mean of the paths, the band holds nine of ten.

Sources: block bootstrap (Künsch 1989). Limits: the paths know no season and no trend: thirty days ahead in March it
still is the winter of the last four weeks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.engine.energy import Storage, dispatch

Floats = NDArray[np.float64]
PATHS = 60
POOL_DAYS = 28
LOAD, SOLAR = "load", "solar"
BAND = (5.0, 95.0)


@dataclass(frozen=True, slots=True)
class Frozen:
    """What is known of a district at a midnight. `history`: days x 24 of each series, the newest last, NaN where
    nothing was measured; `foreseen`: 48 hours of each, where there are some.
    """

    history: Mapping[str, Floats]
    first_weekday: int
    foreseen: Mapping[str, Floats] = field(default_factory=dict)
    storage: Storage = field(default_factory=Storage)


@dataclass(frozen=True, slots=True)
class Line:
    """A series over the simulated hours: mean of the paths, and the band of nine in ten."""

    middle: Floats
    low: Floats
    high: Floats


def run(
    frozen: Frozen, *, hours: int, seed: int, added: Storage | None = None, more_solar: float = 0.0
) -> dict[str, Line]:
    """Simulate whole days. Answers each series of the history and, where use is known, `bought`, `sent` and `held` of
    the copy with `added` storage and solar grown by the share `more_solar`. The same seed answers the same.
    """
    days = -(-hours // 24)
    chance = np.random.default_rng(seed)
    names = [name for name, rows in frozen.history.items() if len(rows)]
    paths = {name: np.zeros((PATHS, days * 24)) for name in names}
    count = min((len(frozen.history[name]) for name in names), default=0)
    if not count:
        return {}
    pool = np.arange(max(0, count - POOL_DAYS), count)
    weekend = _weekend(pool - count + frozen.first_weekday)
    for day in range(days):
        kind = bool(_weekend(np.array([frozen.first_weekday + day]))[0])
        alike = pool[weekend == kind]
        picked = chance.choice(alike if len(alike) else pool, PATHS)
        for name in names:
            rows = frozen.history[name][len(frozen.history[name]) - count :]
            usual = _filled(rows)
            drawn = np.where(np.isnan(rows[picked]), usual[None], rows[picked])
            if name in frozen.foreseen and day < 2:
                told = frozen.foreseen[name][day * 24 : day * 24 + 24]
                drawn = told[None] + drawn - drawn.mean(axis=0)[None]
            paths[name][:, day * 24 : day * 24 + 24] = np.maximum(drawn, 0.0)
    if SOLAR in paths:
        paths[SOLAR] = paths[SOLAR] * (1 + more_solar)
    found = {name: _line(rows[:, :hours]) for name, rows in paths.items()}
    if LOAD in paths:
        found |= _flows(paths, _joined(frozen.storage, added), hours)
    return found


def _flows(paths: Mapping[str, Floats], have: Storage, hours: int) -> dict[str, Line]:
    spare = paths.get(SOLAR, np.zeros_like(paths[LOAD])) - paths[LOAD]
    if have.kwh <= 0 or have.kw <= 0:
        bought, sent, held = np.maximum(-spare, 0), np.maximum(spare, 0), np.zeros_like(spare)
    else:
        each = [dispatch(row, have, have.kwh / 2) for row in spare]
        bought, sent, held = (np.stack([one[i] for one in each]) for i in range(3))
    lines = {"bought": bought, "sent": sent, "held": held}
    return {name: _line(rows[:, :hours]) for name, rows in lines.items()}


def _joined(one: Storage, other: Storage | None) -> Storage:
    if other is None or other.kwh <= 0:
        return one
    return Storage(one.kwh + other.kwh, one.kw + other.kw, one.efficiency if one.kwh else other.efficiency)


def _line(rows: Floats) -> Line:
    low, high = np.percentile(rows, BAND, axis=0)
    return Line(np.asarray(rows.mean(axis=0)), np.asarray(low), np.asarray(high))


def _weekend(days: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(days % 7 >= 5)


def _filled(rows: Floats) -> Floats:
    """The mean day; 0 where an hour was never measured."""
    known = ~np.isnan(rows)
    return np.asarray(np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))
