"""What a $filter and a $orderby mean for observations: as far as it goes in PostgreSQL, the rest row by row.

Of the parts that `and` joins, comparisons of `result`, the times and `id` with a value become conditions; parts that
speak of the datastream or the feature alone are weighed once for each of them. What is left (functions of a result,
sums) is weighed for each row, of at most `MOST_ROWS`.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from commons.errors import BadInput
from twin.sensorthings import judge
from twin.sensorthings.model import KINDS, Entity
from twin.sensorthings.odata import Call, Literal, Options, Path, Tree
from twin.sensorthings.source import QUARTER, Source, start_of

MOST_ROWS = 200_000
_TURNED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge", "eq": "eq", "ne": "ne"}
_LOOKUP = {"gt": "__gt", "ge": "__gte", "lt": "__lt", "le": "__lte", "eq": ""}
_SORTED = {
    ("phenomenonTime",): ("start",),
    ("resultTime",): ("start",),
    ("result",): ("result",),
    ("id",): ("device_id", "channel", "start"),
    ("@iot.id",): ("device_id", "channel", "start"),
    ("Datastream", "id"): ("device_id", "channel"),
    ("Datastream", "@iot.id"): ("device_id", "channel"),
}
#: Of these an observation has none, so they sort nothing.
_NOTHING = {("resultQuality",), ("validTime",), ("parameters",)}


@dataclass(frozen=True, slots=True)
class Observations:
    """Observations that are meant: rows, and what is still to be weighed for each."""

    source: Source
    rows: "QuerySet[Any]"
    rest: Tree | None
    weigh: "Callable[[Tree, Entity], bool]"

    def count(self) -> int:
        """How many."""
        return self.rows.count() if self.rest is None else sum(1 for _one in self._weighed())

    def page(self, skip: int, top: int) -> tuple[list[Entity], bool]:
        """Some of them, and whether there are more."""
        if self.rest is None:
            found = list(self.source.observations(self.rows[skip : skip + top + 1]))
            return found[:top], len(found) > top
        kept: list[Entity] = []
        for number, one in enumerate(self._weighed()):
            if number >= skip + top:
                return kept, True
            if number >= skip:
                kept.append(one)
        return kept, False

    def _weighed(self) -> Iterator[Entity]:
        assert self.rest is not None  # noqa: S101 the callers have looked
        for looked, one in enumerate(self.source.observations(self.rows)):
            if looked >= MOST_ROWS:
                raise BadInput(
                    _("This looks at more than %(n)d observations; narrow it by phenomenonTime.") % {"n": MOST_ROWS},
                    where="$filter",
                )
            if self.weigh(self.rest, one):
                yield one


def observations(
    source: Source, streams: list[int] | None, asked: Options, weigh: Callable[[Tree, Entity], bool]
) -> Observations:
    """The observations of these datastreams that are meant, in order."""
    among = list(source.streams) if streams is None else streams
    where, rest = Q(), []
    for part in _parts(asked.filter):
        if _of_stream(part):
            among = [number for number in among if weigh(part, _any_of(source, number))]
        elif (made := _condition(part)) is not None:
            where &= made
        else:
            rest.append(part)
    rows = source.rows(among).filter(where).order_by(*_order(asked))
    left = rest[0] if len(rest) == 1 else Call("and", tuple(rest)) if rest else None
    return Observations(source, rows, left, weigh)


def _parts(tree: Tree | None) -> Iterator[Tree]:
    if isinstance(tree, Call) and tree.name == "and":
        for part in tree.given:
            yield from _parts(part)
    elif tree is not None:
        yield tree


def _of_stream(tree: Tree) -> bool:
    """Whether a part speaks of what all observations of a datastream share, and of nothing else."""
    found = list(judge.paths(tree))
    return bool(found) and all(p.steps[0] in {"Datastream", "FeatureOfInterest"} and len(p.steps) > 1 for p in found)


def _any_of(source: Source, stream: int) -> Entity:
    """An observation as it were, to weigh what all of a datastream share."""
    return Entity(KINDS["Observation"], stream << 23, {})


def _condition(tree: Tree) -> Q | None:
    """A part as a condition of rows, or None where it has to be weighed."""
    if not isinstance(tree, Call):
        return None
    if tree.name in {"or", "and"}:
        parts = [_condition(part) for part in tree.given]
        if None in parts:
            return None
        joined = Q()
        for part in parts:
            assert part is not None  # noqa: S101 looked above
            joined = (joined | part) if tree.name == "or" else (joined & part)
        return joined
    if tree.name not in _TURNED:
        return None
    left, right = tree.given
    sign = tree.name
    if isinstance(left, Literal):
        left, right, sign = right, left, _TURNED[sign]
    if not (isinstance(left, Path) and isinstance(right, Literal)):
        return None
    return _compared(left.steps, sign, right.value)


def _compared(steps: tuple[str, ...], sign: str, value: Any) -> Q | None:
    if steps == ("result",) and isinstance(value, float) and math.isfinite(value):
        return ~Q(result=value) if sign == "ne" else Q(**{f"result{_LOOKUP[sign]}": value})
    if steps in {("id",), ("@iot.id",)} and sign == "eq" and isinstance(value, float) and 0 <= value < 2**62:
        stream, start = start_of(int(value))
        return Q(device_id=stream >> 15, channel=stream % (1 << 15), start=start)
    if not isinstance(value, dt.datetime) or sign in {"eq", "ne"}:
        return None
    if steps == ("resultTime",):
        return Q(**{f"start{_LOOKUP[sign]}": value - QUARTER})
    if steps == ("phenomenonTime",):
        # a quarter is held against a moment by when it begins, as in `judge`
        return Q(**{f"start{_LOOKUP[sign]}": value})
    return None


def _order(asked: Options) -> list[str]:
    names: list[str] = []
    for key in asked.orderby:
        steps = key.by.steps if isinstance(key.by, Path) else ()
        if steps in _NOTHING:
            continue
        if steps not in _SORTED:
            raise BadInput(
                _("Observations are sorted by phenomenonTime, resultTime, result, id or Datastream/id."),
                where="$orderby",
            )
        names += [("-" if key.falling else "") + name for name in _SORTED[steps]]
    return [*names, "start", "device_id", "channel"]
