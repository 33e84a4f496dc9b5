"""What use of a machine costs: rates and a length of time in, parts of a price out. Exact decimals, never floats.

Each part is rounded to the cent by itself, halves away from nothing, and the sum is of rounded parts: so the lines of
an invoice add up to its foot.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, Protocol, TypeVar

CENT, NOTHING, HUNDRED = Decimal("0.01"), Decimal("0.00"), Decimal(100)
What = Literal["time", "booking", "energy", "minimum", "sun"]


@dataclass(frozen=True, slots=True)
class Rates:
    """What use costs without tax: for an hour, for a booking, for a measured kWh, and at least."""

    per_hour: Decimal = NOTHING
    per_booking: Decimal = NOTHING
    per_kwh: Decimal = NOTHING
    minimum: Decimal = NOTHING


@dataclass(frozen=True, slots=True)
class Part:
    """A line of a price: how much of what, at which rate, which is how much."""

    what: What
    quantity: Decimal
    rate: Decimal
    net: Decimal


def cents(amount: Decimal) -> Decimal:
    """The amount in whole cents."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def hours_of(length: dt.timedelta) -> Decimal:
    """A length of time in hours, exactly as many microseconds as it has."""
    whole = length // dt.timedelta(microseconds=1)
    return Decimal(whole) / Decimal(3_600_000_000)


def parts(rates: Rates, length: dt.timedelta) -> list[Part]:
    """What a booking of that length costs, in parts; energy is asked for when it has been measured."""
    found = []
    if rates.per_booking:
        found.append(Part("booking", Decimal(1), rates.per_booking, cents(rates.per_booking)))
    if rates.per_hour:
        quantity = hours_of(length)
        found.append(Part("time", quantity, rates.per_hour, cents(quantity * rates.per_hour)))
    missing = cents(rates.minimum) - sum((part.net for part in found), NOTHING)
    if missing > 0:
        found.append(Part("minimum", Decimal(1), missing, missing))
    return found


def sun_part(found: Iterable[Part], discount_pct: Decimal) -> Part | None:
    """What is taken off for a sunny time: so many per cent of the other parts, below nothing; None where that is
    nothing."""
    net = cents(net_of(found) * discount_pct / HUNDRED)
    return Part("sun", discount_pct, NOTHING, -net) if net > 0 else None


def net_of(found: Iterable[Part]) -> Decimal:
    """What the parts come to."""
    return sum((part.net for part in found), NOTHING)


def tax_on(net: Decimal, tax_pct: Decimal) -> Decimal:
    """The tax that comes on top of a net amount."""
    return cents(net * tax_pct / HUNDRED)


def split(gross: Decimal, tax_pct: Decimal) -> tuple[Decimal, Decimal]:
    """An amount with tax as net and tax; the two are exactly the amount."""
    net = cents(gross * HUNDRED / (HUNDRED + tax_pct))
    return net, gross - net


def energy(kwh: float, rate: Decimal) -> Decimal:
    """What measured energy costs, without tax; the meter's float is read to the watt-hour."""
    return cents(Decimal(str(round(kwh, 3))) * rate)


class Scoped(Protocol):
    """Something set for all of a lab, a class or a machine, and perhaps for one role."""

    machine_id: int | None
    cls: str
    role: str
    pk: int


T = TypeVar("T", bound=Scoped)


def nearest(rows: Sequence[T], *, machine: int, cls: str, role: str) -> T | None:
    """The row nearest to the machine, by the same order as rules: machine, class, lab; then the one for the role."""
    fitting = [
        row
        for row in rows
        if (row.machine_id == machine if row.machine_id is not None else row.cls in {"", cls})
        and row.role in {"", role}
    ]
    return max(
        fitting,
        key=lambda row: (2 if row.machine_id is not None else 1 if row.cls else 0, bool(row.role), row.pk),
        default=None,
    )


def faded(balance: Decimal, keep_pct: Decimal) -> Decimal:
    """How many of unused points fade when a new week begins; what is owed does not."""
    return max(balance, NOTHING) - cents(max(balance, NOTHING) * keep_pct / HUNDRED)
