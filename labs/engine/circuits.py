"""What the machines on one circuit draw together, and when another may begin: pure, no numpy, no clock.

A use draws its most while it warms up and less after that. Uses whose warming up is staggered fit where their highest
powers added up would not: that is all there is to it.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from labs.engine import times
from labs.engine.draw import Draw
from labs.engine.hours import Span

MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Load:
    """A use of a machine: `peak_w` for its first `warm`, `steady_w` until its end. `name` is the machine's."""

    span: Span
    peak_w: float
    steady_w: float
    warm: dt.timedelta
    name: str = ""

    @property
    def warm_until(self) -> dt.datetime:
        """When it has warmed up."""
        return min(self.span.start + self.warm, self.span.end)

    def at(self, moment: dt.datetime) -> float:
        """W at a moment; its end is not its own any more."""
        if not self.span.start <= moment < self.span.end:
            return 0.0
        return self.peak_w if moment < self.warm_until else self.steady_w

    def moved(self, start: dt.datetime) -> "Load":
        """The same use, begun at another time."""
        return replace(self, span=Span(start, start + (self.span.end - self.span.start)))


def load_of(span: Span, draw: Draw, name: str = "") -> Load:
    """A use of a machine of this draw. What it draws at most while it makes is taken for steady: half way between its
    mean and its highest, as bed and nozzle, or tube and chiller, coincide now and then."""
    steady = min((draw.making_w + draw.high_w) / 2, draw.peak_w)
    return Load(span, draw.peak_w, steady, MINUTE * max(draw.warm_min, 1), name)


@dataclass(frozen=True, slots=True)
class Over:
    """When the circuit would first carry too much, how much, and by whom besides the asked one."""

    at: dt.datetime
    watts: float
    others: tuple[str, ...]


def overload(asked: Sequence[Load], others: Iterable[Load], limit_w: float) -> Over | None:
    """The first moment at which the asked uses bring the others above the limit; None when there is none.

    Power changes only where a use begins, has warmed up or ends, so those moments are all that need a look.
    """
    near = list(others)
    moments = {t for load in (*asked, *near) for t in (load.span.start, load.warm_until)}
    for moment in sorted(moments):
        own = sum(load.at(moment) for load in asked)
        if own <= 0:
            continue
        watts = own + sum(load.at(moment) for load in near)
        if watts > limit_w + 1e-9:
            return Over(moment, watts, tuple(sorted({load.name for load in near if load.at(moment) > 0})))
    return None


def next_fit(
    asked: Sequence[Load], others: Sequence[Load], limit_w: float, *, step: dt.timedelta = times.QUARTER
) -> dt.datetime | None:
    """The first start after the asked one with which the limit holds, on full quarters; None when the asked uses alone
    are too much. It is looked for where another use has warmed up or ends, and where its warming up comes first."""
    if not asked or overload(asked, (), limit_w) is not None:
        return None
    first = asked[0].span.start
    moments = {t for load in others for t in (load.warm_until, load.span.end)}
    starts = sorted({rounded for t in moments if (rounded := _up(t, step)) > first})
    for start in starts:
        moved = [load.moved(start) for load in asked]
        if overload(moved, others, limit_w) is None:
            return start
    return None


def _up(moment: dt.datetime, step: dt.timedelta) -> dt.datetime:
    if step == times.QUARTER:
        return times.up_to_quarter(moment)
    whole = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return moment if not (over := (moment - whole) % step) else moment + step - over
