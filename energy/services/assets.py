"""What a participant owns, by a short form: what is left empty has a sensible default."""

import datetime as dt
import math
from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from commons.people.models import User
from energy.errors import BadParticipant
from energy.models import Asset, Participant
from energy.services.participants import check_own

#: (least, most) of a column; what is outside is a mistake of a unit.
LIMITS: Mapping[str, tuple[float, float]] = {
    "kwp": (0.05, 2_000.0),
    "tilt_deg": (0.0, 90.0),
    "azimuth_deg": (0.0, 360.0),
    "kwh": (0.1, 5_000.0),
    "kw": (0.1, 2_000.0),
    "efficiency": (0.5, 1.0),
    "kwh_per_day": (0.0, 200.0),
    "away_from_min": (0, 1439),
    "away_until_min": (0, 1439),
}
#: What each kind needs, and what the rest is without a word. A battery's kW follow from its kWh: empty in two hours.
KWH_PER_KM = 0.18
NEEDS: Mapping[str, str] = {"solar": "kwp", "battery": "kwh", "vehicle": "kwh", "heat_pump": "kw"}
DEFAULTS: Mapping[str, Mapping[str, float]] = {
    "solar": {"tilt_deg": 30.0, "azimuth_deg": 180.0},
    "battery": {"efficiency": 0.9},
    "vehicle": {
        "kwh": 60.0,
        "kw": 11.0,
        "kwh_per_day": 7.0,
        "away_from_min": 7 * 60 + 30,
        "away_until_min": 17 * 60,
        "efficiency": 0.95,
    },
    "heat_pump": {"kw": 3.0},
}


@transaction.atomic
def add_asset(
    *,
    participant: Participant,
    by: User,
    kind: str,
    name: str = "",
    since: dt.date | None = None,
    v2g: bool = False,
    **figures: float | None,
) -> Asset:
    """Add a solar roof (`kwp`), battery (`kwh`), car or heat pump (`kw`). Raises NotSteward, BadParticipant."""
    check_own(by, participant)
    return Asset.objects.create(
        participant=participant,
        kind=kind if kind in Asset.Kind.values else _unknown(kind),
        name=name.strip()[:80],
        since=since,
        v2g=v2g,
        **_checked(kind, figures),
    )


@transaction.atomic
def remove_asset(*, asset: Asset, by: User) -> None:
    """Take an asset away that was entered by mistake. Raises NotSteward."""
    check_own(by, asset.participant)
    asset.delete()


def _unknown(kind: str) -> str:
    raise BadParticipant(_("“%(kind)s” is nothing that a member has here.") % {"kind": kind[:20]})


def _checked(kind: str, figures: Mapping[str, float | None]) -> dict[str, float]:
    given = {k: v for k, v in figures.items() if v is not None}
    km = given.pop("km_per_year", None)
    if km is not None and kind == "vehicle":
        given["kwh_per_day"] = km * KWH_PER_KM / 365
    found = {**DEFAULTS.get(kind, {}), **given}
    if kind == "battery" and "kw" not in found and "kwh" in found:
        found["kw"] = found["kwh"] / 2
    need = NEEDS.get(kind, "")
    if need and need not in found:
        raise BadParticipant(_("Give its size (%(need)s).") % {"need": {"kwp": "kWp", "kwh": "kWh"}.get(need, "kW")})
    for column, value in found.items():
        if column not in LIMITS:
            raise BadParticipant(_("“%(column)s” is not known.") % {"column": column[:40]})
        least, most = LIMITS[column]
        if not (math.isfinite(value) and least <= value <= most):
            words = {"column": column, "least": least, "most": most, "value": value}
            raise BadParticipant(_("%(column)s is %(value)s; it lies between %(least)s and %(most)s.") % words)
    return found
