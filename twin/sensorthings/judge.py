"""Whether an entity is what a filter means, and by what it is sorted: OData's operators and functions over values.

A name that leads to several is true where any of them makes it true. Pure, but for shapely, which is loaded only where
a filter asks for shapes.
"""

import datetime as dt
import math
import operator
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from twin.sensorthings.model import Span
from twin.sensorthings.odata import Call, Literal, NotOData, Path, Shape, Tree

Values = Callable[[Path], Iterator[Any]]
"""What a path leads to: one value, several, or none."""

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_SUMS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "mod": math.fmod,
}
UTC = dt.UTC


def holds(tree: Tree, values: Values, now: dt.datetime) -> bool:
    """Whether the filter is true; what is unknown is not."""
    return any(value is True for value in _each(tree, values, now))


def first(tree: Tree, values: Values, now: dt.datetime) -> Any:
    """What an expression comes to, to sort by."""
    return next(iter(_each(tree, values, now)), None)


def _each(tree: Tree, values: Values, now: dt.datetime) -> Iterator[Any]:
    if isinstance(tree, Literal):
        yield tree.value
    elif isinstance(tree, Path):
        found = False
        for value in values(tree):
            found = True
            yield value
        if not found:
            yield None
    elif tree.name in {"and", "or", "not"}:
        yield _logic(tree, values, now)
    else:
        for given in _combined([list(_each(part, values, now)) for part in tree.given]):
            yield _call(tree.name, given, now)


def _combined(lists: list[list[Any]]) -> Iterator[list[Any]]:
    if not lists:
        yield []
        return
    for head in lists[0]:
        for tail in _combined(lists[1:]):
            yield [head, *tail]


def _logic(tree: Call, values: Values, now: dt.datetime) -> bool | None:
    """Truth with the unknown, as in SQL."""
    parts: list[bool | None] = []
    for part in tree.given:
        found = list(_each(part, values, now))
        if any(not isinstance(value, bool) and value is not None for value in found):
            raise NotOData("truth", tree.name)
        parts.append(True if any(v is True for v in found) else None if any(v is None for v in found) else False)
    if tree.name == "not":
        return None if parts[0] is None else not parts[0]
    decisive = tree.name == "or"
    if any(part is decisive for part in parts):
        return decisive
    return None if None in parts else not decisive


def _call(name: str, given: list[Any], now: dt.datetime) -> Any:
    if name in _SIGNS:
        return compare(name, *given)
    if name in _MOMENTS:
        return _MOMENTS[name](now)
    if any(value is None for value in given):
        return None
    how = partial(_sum, name) if name in _SUMS else partial(_geo, name) if name in _GEO else _FUNCTIONS[name]
    try:
        return how(*given)
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError, ZeroDivisionError):
        return None


def compare(sign: str, a: Any, b: Any) -> bool:
    """A comparison; with nothing only `eq` and `ne` mean something, and unlike kinds are never equal."""
    if a is None or b is None:
        return (a is b) == (sign == "eq") and sign in {"eq", "ne"}
    if isinstance(a, Span) or isinstance(b, Span):
        return _spans(sign, a, b)
    a, b = _alike(a, b)
    try:
        return bool(_SIGNS[sign](a, b))
    except TypeError:
        return sign == "ne"


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    days = isinstance(a, dt.date) and isinstance(b, dt.date)
    return (_as_moment(a), _as_moment(b)) if days and type(a) is not type(b) else (a, b)


def _as_moment(value: dt.date) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time.min, UTC)


def _spans(sign: str, a: Any, b: Any) -> bool:
    """Times. Against a moment their beginning counts; against another time one is greater when it begins after the
    other has ended."""
    mine, other = _span(a), _span(b)
    if mine is None or other is None:
        return sign == "ne"
    if isinstance(b, tuple | Span):
        found = {"gt": mine.start >= other.end, "lt": mine.end <= other.start, "eq": mine == other}
        return found[sign] if sign in found else _touching(sign, mine, other)
    return bool(_SIGNS[sign](mine.start, other.start))


def _touching(sign: str, mine: Span, other: Span) -> bool:
    if sign == "ne":
        return mine != other
    return mine.start >= other.start if sign == "ge" else mine.end <= other.end


def _span(value: Any) -> Span | None:
    if isinstance(value, Span):
        return value
    if isinstance(value, tuple):
        return Span(*value)
    if isinstance(value, dt.date):
        return Span(_as_moment(value), _as_moment(value))
    return None


def _sum(name: str, a: Any, b: Any) -> Any:
    a, b = (value.start if isinstance(value, Span) else value for value in (a, b))
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str):
        return None
    return _SUMS[name](a, b)


# --- functions ---------------------------------------------------------------------------------------------------


def _moment(value: Any) -> Any:
    """A moment in UTC; of a time its beginning."""
    value = value.start if isinstance(value, Span) else value
    return value.astimezone(UTC) if isinstance(value, dt.datetime) else value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _substring(text: str, start: float, length: float | None = None) -> str:
    begin = int(start)
    return _text(text)[begin:] if length is None else _text(text)[begin : begin + int(length)]


def _round(value: float) -> float:
    return math.copysign(math.floor(abs(value) + 0.5), value)


def _offset_min(value: dt.datetime) -> float:
    offset = value.utcoffset()
    if offset is None:
        raise TypeError(value)
    return offset.total_seconds() / 60


_MOMENTS: dict[str, Callable[[dt.datetime], dt.datetime]] = {
    "now": lambda now: now,
    "mindatetime": lambda _now: dt.datetime.min.replace(tzinfo=UTC),
    "maxdatetime": lambda _now: dt.datetime.max.replace(tzinfo=UTC),
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "substringof": lambda part, whole: _text(part) in _text(whole),
    "contains": lambda whole, part: _text(part) in _text(whole),
    "endswith": lambda whole, part: _text(whole).endswith(_text(part)),
    "startswith": lambda whole, part: _text(whole).startswith(_text(part)),
    "length": lambda text: float(len(_text(text))),
    "indexof": lambda whole, part: float(_text(whole).find(_text(part))),
    "substring": _substring,
    "tolower": lambda text: _text(text).lower(),
    "toupper": lambda text: _text(text).upper(),
    "trim": lambda text: _text(text).strip(),
    "concat": lambda a, b: _text(a) + _text(b),
    "year": lambda value: float(_moment(value).year),
    "month": lambda value: float(_moment(value).month),
    "day": lambda value: float(_moment(value).day),
    "hour": lambda value: float(_moment(value).hour),
    "minute": lambda value: float(_moment(value).minute),
    "second": lambda value: float(_moment(value).second),
    "fractionalseconds": lambda value: _moment(value).microsecond / 1e6,
    "date": lambda value: _moment(value).date(),
    "time": lambda value: _moment(value).time(),
    "totaloffsetminutes": lambda value: _offset_min(value.start if isinstance(value, Span) else value),
    "round": _round,
    "floor": lambda value: float(math.floor(value)),
    "ceiling": lambda value: float(math.ceil(value)),
}
_GEO = frozenset(
    {"geo.distance", "geo.length", "geo.intersects", *(f"st_{n}" for n in ("equals", "disjoint", "touches", "within"))}
    | {f"st_{n}" for n in ("overlaps", "crosses", "intersects", "contains", "relate")}
)


def _geo(name: str, *given: Any) -> Any:
    """Functions of shapes, in degrees."""
    shapes = [_shape(value) for value in given[:2]]
    match name:
        case "geo.length":
            return float(shapes[0].length)
        case "geo.distance":
            return float(shapes[0].distance(shapes[1]))
        case "st_relate":
            return bool(shapes[0].relate_pattern(shapes[1], _text(given[2])))
    asked = getattr(shapes[0], name.removeprefix("geo.").removeprefix("st_"))
    return bool(asked(shapes[1]))


def _shape(value: Any) -> Any:
    from shapely import wkt  # noqa: PLC0415 only for who asks for shapes
    from shapely.errors import ShapelyError  # noqa: PLC0415 as above
    from shapely.geometry import shape  # noqa: PLC0415 as above

    if isinstance(value, Shape):
        try:
            return wkt.loads(value.wkt)
        except ShapelyError:
            raise NotOData("shape", value.wkt[:60]) from None
    return shape(value)


def paths(tree: Tree) -> Iterator[Path]:
    """Every name that a tree speaks of."""
    if isinstance(tree, Path):
        yield tree
    elif isinstance(tree, Call):
        for part in tree.given:
            yield from paths(part)
