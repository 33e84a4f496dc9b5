"""The assumptions of traffic as forms, pages and the API take them: their words, bounds and sources, without numbers'
engines. The engine's dataclass decides what they mean (`twin.engine.demand.Assumptions`); a test holds both together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from twin.errors import BadAssumption

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Field:
    """One assumption: our value, its bounds, its words and where the value comes from."""

    name: str
    default: float
    low: float
    high: float
    label: Text
    unit: Text
    source: Text


_OURS = _lazy("our assumption")
FIELDS: tuple[Field, ...] = (
    Field(
        "share_car", 0.25, 0, 1, _lazy("By car"), _lazy("share of trips"),
        _lazy("our assumption after travel surveys of Nordic inner cities"),
    ),
    Field(
        "share_transit", 0.3, 0, 1, _lazy("By bus, tram and train"), _lazy("share of trips"),
        _lazy("our assumption after travel surveys of Nordic inner cities"),
    ),
    Field(
        "share_bike", 0.1, 0, 1, _lazy("By bicycle"), _lazy("share of trips"),
        _lazy("our assumption after travel surveys of Nordic inner cities; the rest walks"),
    ),
    Field(
        "trips_per_person", 2.7, 0, 10, _lazy("Trips of a person"), _lazy("a day"),
        _lazy("national travel surveys (2.5 to 3), rounded"),
    ),
    Field("trips_per_job", 2.0, 0, 10, _lazy("Trips of a job"), _lazy("a day"), _lazy("there and back")),
    Field(
        "peak_share", 0.1, 0.01, 0.3, _lazy("Busiest hour"), _lazy("share of the day"),
        _lazy("usual share of the busiest hour (0.08 to 0.12)"),
    ),
    Field(
        "outward_share", 0.6, 0, 1, _lazy("Leaving work and services"), _lazy("share"),
        _lazy("our assumption: an inner city in the evening"),
    ),
    Field(
        "people_per_car", 1.3, 1, 5, _lazy("People in a car"), _lazy("people"),
        _lazy("travel surveys (1.2 to 1.5), rounded"),
    ),
    Field(
        "outside_share", 0.8, 0, 1, _lazy("Trips that leave the district"), _lazy("share"),
        _lazy("our assumption: most trips of a small district leave it"),
    ),
    Field(
        "through_share", 0.12, 0, 1.5, _lazy("Only passing through"), _lazy("share of the capacity at the rim"), _OURS,
    ),
    Field(
        "deterrence_per_min", 0.1, 0, 2, _lazy("Distance deters"), _lazy("per minute"),
        _lazy("our assumption: trips halve every 7 minutes"),
    ),
    Field(
        "floor_m2_per_person", 40.0, 5, 200, _lazy("Floor of a person at home"), _lazy("m²"),
        _lazy("Statistics Finland, rounded; not used where a population grid is imported"),
    ),
    Field("floor_m2_per_job", 30.0, 5, 500, _lazy("Floor of a job"), _lazy("m²"), _OURS),
    Field(
        "unknown_use_homes", 0.4, 0, 1, _lazy("Homes in buildings of no stated use"), _lazy("share of floor"), _OURS,
    ),
    Field(
        "co2_g_per_km", 150.0, 0, 1000, _lazy("CO₂ of a car"), _lazy("g/km"),
        _lazy("our assumption: cars in use in the EU, from tank to wheel, rounded"),
    ),
)  # fmt: skip
_BY_NAME = {field.name: field for field in FIELDS}
MOST_COUNTS = 5000


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from ours, in order of names. Raises BadAssumption naming the field."""
    changed: dict[str, Any] = {}
    for name in sorted(given):
        value = given[name]
        if name == "counts":
            if counts := _counts(value):
                changed[name] = counts
            continue
        field = _BY_NAME.get(name)
        if field is None:
            raise BadAssumption(_("There is no assumption “%(name)s”.") % {"name": name[:60]}, field=name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
        if not number or not field.low <= value <= field.high:
            raise BadAssumption(
                _("“%(label)s” must be a number from %(low)g to %(high)g.")
                % {"label": field.label, "low": field.low, "high": field.high},
                field=name,
            )
        if value != field.default:
            changed[name] = float(value)
    shares = sum(changed.get(name, _BY_NAME[name].default) for name in ("share_car", "share_transit", "share_bike"))
    if shares > 1 + 1e-9:
        raise BadAssumption(
            _("The shares by car, by transit and by bicycle sum to %(sum).2f; at most 1 can be.") % {"sum": shares},
            field="share_car",
        )
    return changed


def _counts(given: Any) -> dict[str, float]:
    """Vehicles an hour in both directions, by key of a street."""
    if not isinstance(given, Mapping) or len(given) > MOST_COUNTS:
        raise BadAssumption(
            _("Counts are vehicles an hour by key of a street, at most %(n)d.") % {"n": MOST_COUNTS}, field="counts"
        )
    found = {}
    for key in sorted(given):
        value = given[key]
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
        if not number or not 0 <= value <= 50_000:
            raise BadAssumption(
                _("The count of “%(key)s” must be from 0 to 50000 vehicles an hour.") % {"key": str(key)[:60]},
                field="counts",
            )
        found[str(key)] = float(value)
    return found


def counts_of(text: str) -> dict[str, float]:
    """Counts as people write them: a street's key and vehicles an hour, one a line. Raises BadAssumption."""
    found: dict[str, float] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace(";", " ").replace("\t", " ").split()
        if not words:
            continue
        try:
            key, value = " ".join(words[:-1]), float(words[-1].replace(",", "."))
        except ValueError:
            key, value = "", 0.0
        if not key:
            raise BadAssumption(
                _("Line %(n)d of the counts: write a street’s key, then vehicles an hour.") % {"n": number},
                field="counts",
            )
        found[key] = value
    return found


def written(counts: Mapping[str, float]) -> str:
    """Counts as `counts_of` reads them."""
    return "\n".join(f"{key} {value:g}" for key, value in counts.items())
