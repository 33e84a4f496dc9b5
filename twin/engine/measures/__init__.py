"""What people may change in a scenario: one registry of measures, by family one file. No numpy: pages read it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from energy.engine.refusals import gettext_noop
from twin.engine.measures import energy, places, streets
from twin.engine.measures.base import Calmed, Changes, Field, Given, Known, Measure, NewStreet, Refused

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {measure.kind: measure for measure in (*energy.MEASURES, *streets.MEASURES, *places.MEASURES)}
)
FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "energy": gettext_noop("Power and heat"),
        "streets": gettext_noop("Streets"),
        "places": gettext_noop("Services and buildings"),
        "green": gettext_noop("Green"),
    }
)
MOST = 40

__all__ = [
    "FAMILIES",
    "MEASURES",
    "MOST",
    "Calmed",
    "Changes",
    "Field",
    "Known",
    "Measure",
    "NewStreet",
    "Refused",
    "changes",
    "checked",
    "limits",
    "touched",
]


def checked(given: Any, known: Known | None = None) -> list[dict[str, Any]]:
    """Measures as they are kept. Raises Refused, with `number` (from 1) among its params where one of them is at fault.

    Without `known` only form and bounds are looked at, not whether streets and buildings are there.
    """
    if not isinstance(given, (list, tuple)) or not given:
        raise Refused(gettext_noop("A scenario needs at least one measure; what would you change?"), field="measures")
    if len(given) > MOST:
        raise Refused(gettext_noop("A scenario has at most %(most)d measures."), field="measures", most=MOST)
    return [_one(number, each, known) for number, each in enumerate(given, 1)]


def _one(number: int, given: Any, known: Known | None) -> dict[str, Any]:
    kind = given.get("kind") if isinstance(given, Mapping) else None
    measure = MEASURES.get(str(kind))
    if measure is None:
        raise Refused(
            gettext_noop("Measure %(number)d, “%(kind)s”, is not one we have. There are %(known)s."),
            field="kind", number=number, kind=str(kind)[:40], known=", ".join(sorted(MEASURES)),
        )  # fmt: skip
    try:
        return measure.validate(given, known)
    except Refused as fault:
        raise Refused(fault.template, field=fault.field, **{**fault.params, "number": number}) from fault


def changes(measures: Sequence[Given]) -> Changes:
    """What a list of checked measures changes, one after the other; of two that say the same the later one counts."""
    made = Changes()
    for given in measures:
        MEASURES[given["kind"]].apply(made, given)
    return made


def touched(measures: Sequence[Given]) -> frozenset[str]:
    """The engines whose answers these measures can change."""
    return frozenset(name for given in measures for name in MEASURES[given["kind"]].touches)


def limits(measures: Sequence[Given]) -> list[str]:
    """What the measures do not know, each sentence once."""
    return list(dict.fromkeys(sentence for given in measures for sentence in MEASURES[given["kind"]].limits))
