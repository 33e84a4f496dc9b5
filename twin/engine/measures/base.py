"""What a measure is: its words, its fields with bounds, how it is read, and what it changes. No numpy: pages read this.

A measure changes nothing by itself: it notes what is different in `Changes`, and the engines of
`twin.engine.scenario` build the changed city from that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal, Protocol, TypeAlias

from energy.engine.refusals import gettext_noop

Given: TypeAlias = Mapping[str, Any]
"""A measure as it is written: {"kind": …, field: value}."""
Position: TypeAlias = tuple[float, float]
FieldKind = Literal["number", "integer", "choice", "yesno", "street", "building", "place", "uses"]
Touches = Literal["energy", "traffic", "access", "heat"]


class Refused(Exception):
    """A measure that cannot be: `template` % `params` is the English sentence, `field` the field that it is about."""

    def __init__(self, template: str, /, field: str = "", **params: object) -> None:
        super().__init__(template % params)
        self.template, self.params, self.field = template, params, field


class Known(Protocol):
    """What measures ask of the district that they are for."""

    def street(self, name: str) -> Sequence[str]:
        """The keys of the pieces of street of this key or name; none where there is no such street."""

    def building(self, key: str) -> bool:
        """Whether there is a building of this key."""

    def inside(self, lon: float, lat: float) -> bool:
        """Whether a place lies in the district."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a measure. `choices`: (value, words). Bounds are inclusive; `unit` as people read it."""

    name: str
    kind: FieldKind
    label: str
    unit: str = ""
    min: float | None = None
    max: float | None = None
    default: Any = None
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = True
    help: str = ""

    def read(self, value: Any, known: Known | None) -> Any:
        """The value as it is kept. Raises Refused."""
        return _READ[self.kind](self, value, known)


@dataclass(slots=True)
class Calmed:
    """How a street is calmed: no faster than this, of its capacity this share, and whether a lane is taken."""

    speed_kmh: float
    capacity_share: float = 1.0
    lane: bool = False
    bicycle: bool = False


@dataclass(frozen=True, slots=True)
class NewStreet:
    """A street between two places."""

    start: Position
    end: Position
    bridge: bool


@dataclass(slots=True)
class Changes:
    """All that measures change, in one record. Shares are 0..1; lists keep the order of the measures."""

    solar: list[tuple[float, frozenset[str] | None]] = field(default_factory=list)
    home_battery: tuple[float, float, float] = (0.0, 0.0, 0.0)
    community_battery: tuple[float, float] = (0.0, 0.0)
    cars: float = 0.0
    v2g: bool = False
    heat_pumps: float = 0.0
    tariff: tuple[str, float | None, float | None] | None = None
    sharing: str = ""
    labs_by_sun: bool = False
    closed: list[str] = field(default_factory=list)
    calmed: list[tuple[str, Calmed]] = field(default_factory=list)
    streets: list[NewStreet] = field(default_factory=list)
    services: list[tuple[str, Position]] = field(default_factory=list)
    shifts: list[tuple[str, float]] = field(default_factory=list)
    trees: list[tuple[Position, int]] = field(default_factory=list)
    green_roofs: float = 0.0
    buildings: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measure:
    """One kind of measure. `sentence` says what it means, `limits` what it does not know; `touches` names the engines
    whose answers it can change.
    """

    kind: str
    family: str
    title: str
    sentence: str
    fields: tuple[Field, ...]
    touches: frozenset[Touches]
    limits: tuple[str, ...]
    apply: Callable[[Changes, Given], None]

    def validate(self, given: Given, known: Known | None = None) -> dict[str, Any]:
        """The measure as it is kept: every field read, defaults filled in. Raises Refused."""
        names = {each.name for each in self.fields}
        for name in given:
            if name != "kind" and name not in names:
                raise Refused(
                    gettext_noop("“%(measure)s” has no field “%(name)s”; it has %(known)s."),
                    field=str(name)[:40], measure=self.kind, name=str(name)[:40], known=", ".join(sorted(names)),
                )  # fmt: skip
        made: dict[str, Any] = {"kind": self.kind}
        for each in self.fields:
            value = given.get(each.name, each.default)
            if value is None or value == "":
                if each.required:
                    raise Refused(
                        gettext_noop("“%(measure)s” needs “%(name)s”."),
                        field=each.name, measure=self.kind, name=each.name,
                    )  # fmt: skip
                continue
            made[each.name] = each.read(value, known)
        return made


def _number(of: Field, value: Any, _known: Known | None) -> float | int:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
    low, high = of.min or 0.0, 1e9 if of.max is None else of.max
    if not number or not low <= value <= high:
        raise Refused(
            gettext_noop("“%(name)s” must be a number from %(low)s to %(high)s, not “%(value)s”."),
            field=of.name, name=of.name, low=f"{low:g}", high=f"{high:g}", value=str(value)[:40],
        )  # fmt: skip
    return float(value)


def _integer(of: Field, value: Any, known: Known | None) -> int:
    number = _number(of, value, known)
    if number != int(number):
        raise Refused(
            gettext_noop("“%(name)s” must be a whole number, not “%(value)s”."),
            field=of.name, name=of.name, value=str(value)[:40],
        )  # fmt: skip
    return int(number)


def _choice(of: Field, value: Any, _known: Known | None) -> str:
    names = [name for name, _words in of.choices]
    if str(value) not in names:
        raise Refused(
            gettext_noop("“%(name)s” cannot be “%(value)s”; there are %(known)s."),
            field=of.name, name=of.name, value=str(value)[:40], known=", ".join(names),
        )  # fmt: skip
    return str(value)


def _yesno(of: Field, value: Any, _known: Known | None) -> bool:
    if not isinstance(value, bool):
        raise Refused(
            gettext_noop("“%(name)s” must be true or false, not “%(value)s”."),
            field=of.name, name=of.name, value=str(value)[:40],
        )  # fmt: skip
    return value


def _street(of: Field, value: Any, known: Known | None) -> str:
    if not isinstance(value, str) or len(value) > 120 or (known is not None and not known.street(value)):
        raise Refused(
            gettext_noop("There is no street “%(value)s” in this district; give a street’s key, or its name."),
            field=of.name, value=str(value)[:60],
        )  # fmt: skip
    return value


def _building(of: Field, value: Any, known: Known | None) -> str:
    if not isinstance(value, str) or len(value) > 120 or (known is not None and not known.building(value)):
        raise Refused(
            gettext_noop("There is no building “%(value)s” in this district; give a building’s key."),
            field=of.name, value=str(value)[:60],
        )  # fmt: skip
    return value


def _place(of: Field, value: Any, known: Known | None) -> list[float]:
    pair = isinstance(value, (list, tuple)) and len(value) == 2
    if not pair or any(isinstance(x, bool) or not isinstance(x, (int, float)) or not isfinite(x) for x in value):
        raise Refused(gettext_noop("“%(name)s” must be a place as [longitude, latitude]."), field=of.name, name=of.name)
    lon, lat = round(float(value[0]), 7), round(float(value[1]), 7)
    if known is not None and not known.inside(lon, lat):
        raise Refused(
            gettext_noop("“%(name)s” (%(lon)s, %(lat)s) lies outside the district."),
            field=of.name, name=of.name, lon=lon, lat=lat,
        )  # fmt: skip
    return [lon, lat]


def _uses(of: Field, value: Any, _known: Known | None) -> list[str]:
    names = [name for name, _words in of.choices]
    if not isinstance(value, (list, tuple)) or not value or any(str(each) not in names for each in value):
        raise Refused(
            gettext_noop("“%(name)s” must list some of %(known)s."),
            field=of.name, name=of.name, known=", ".join(names),
        )  # fmt: skip
    return sorted({str(each) for each in value})


_READ: Mapping[str, Callable[[Field, Any, Known | None], Any]] = {
    "number": _number,
    "integer": _integer,
    "choice": _choice,
    "yesno": _yesno,
    "street": _street,
    "building": _building,
    "place": _place,
    "uses": _uses,
}


def percent(label: str, default: float = 30.0, **more: Any) -> Field:
    """The field `share_percent`."""
    return Field("share_percent", "number", label, "%", 0, 100, default, **more)
