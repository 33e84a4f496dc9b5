"""Frames of law and custom in which a community may share: what each allows, and what it starts with.

Sources: § 42b and § 42c EnWG (energy sharing from 1 June 2026 within the balancing area of one network operator, from
1 June 2028 also an adjacent one in the same control area; full grid fees and levies; 15-minute metering); the Austrian
renewable energy communities (EAG, ElWOG § 16c ff.: 15-minute allocation by a static or dynamic key; the working price
of the grid 57 % lower behind one transformer, 28 % lower behind one substation).
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame fixes. Reliefs in per cent of the grid's working price and of the levies on what is shared; None
    where the contract may say. `since`: the first day on which it can hold. `most_step_minutes`: readings at least so
    fine.
    """

    grid_fee_relief_pct: Decimal | None
    levies_relief_pct: Decimal | None
    since: dt.date | None
    most_step_minutes: int
    keys: tuple[str, ...]
    within: str | Promise
    means: str | Promise


ALL_KEYS = ("dynamic", "static", "equal")
ZERO, WHOLE = Decimal(0), Decimal(100)

FRAMES: dict[str, Frame] = {
    "de-42c": Frame(
        ZERO,
        ZERO,
        dt.date(2026, 6, 1),
        15,
        ALL_KEYS,
        _("the balancing area of one network operator; from 1 June 2028 also an adjacent one in the same control area"),
        _("Full grid fee and levies on every shared kWh: what is won is the difference of the energy price."),
    ),
    "de-42b": Frame(
        WHOLE,
        WHOLE,
        dt.date(2024, 5, 16),
        15,
        ALL_KEYS,
        _("one building, without the public grid"),
        _("Power from the roof reaches the flats without the grid, so no grid fee and no levies are on it."),
    ),
    "at-local": Frame(
        Decimal(57),
        None,
        None,
        15,
        ("dynamic", "static"),
        _("the homes behind one transformer"),
        _("The working price of the grid is 57 % lower on shared power."),
    ),
    "at-regional": Frame(
        Decimal(28),
        None,
        None,
        15,
        ("dynamic", "static"),
        _("the homes behind one substation"),
        _("The working price of the grid is 28 % lower on shared power."),
    ),
    "pooling": Frame(
        WHOLE,
        WHOLE,
        None,
        60,
        ALL_KEYS,
        _("one connection to the grid behind which all are"),
        _("Only what passes the common connection pays grid fee and levies."),
    ),
}
