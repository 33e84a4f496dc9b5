"""What a member's energy costs in a period: exact amounts first, cents last (docs/energy-statements.md).

Energies come as whole units of 1e-6 kWh and prices as whole millionths of the currency for a kWh, so every amount is a
whole number of 1e-12 of the currency and exact. Cents are made once, by the largest remainder, so that what members pay
for shared power is to the cent what others are paid for it. Pure Python: no floats, no clock.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from typing import Literal

CENT, NOTHING, HUNDRED = Decimal("0.01"), Decimal("0.00"), Decimal(100)
SMALLEST = Decimal("1e-12")
MILLIONTH = Decimal("0.000001")
PRECISION = 60

#: What a line is for, in the order of a statement. Those in CREDITS are paid to the member.
Code = Literal[
    "energy", "energy_no_price", "grid_fee", "levies", "shared", "shared_grid_fee", "shared_levies", "base",
    "given", "feed_in", "feed_in_no_price",
]  # fmt: skip
CODES: tuple[Code, ...] = (
    "energy", "energy_no_price", "grid_fee", "levies", "shared", "shared_grid_fee", "shared_levies", "base",
    "given", "feed_in", "feed_in_no_price",
)  # fmt: skip
CREDITS = frozenset({"given", "feed_in", "feed_in_no_price"})
#: Lines that one member pays and another is paid: their cents must be the same.
INSIDE = ("shared", "given")


@dataclass(frozen=True, slots=True)
class Price:
    """A price for each kWh in millionths of the currency: the same in every step, or `steps`, one for each step of the
    period, None where none is known: then `flat` holds and the statement says so.
    """

    flat: int
    steps: Sequence[int | None] | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """A version of a tariff. Prices without tax; `base_fee` for a month, `tax_pct` on everything that is bought."""

    energy: Price
    grid_fee: int
    levies: int
    feed_in: Price
    base_fee: Decimal
    tax_pct: Decimal


@dataclass(frozen=True, slots=True)
class Rules:
    """A version of a scheme: what a shared kWh costs (and earns), and what the grid fee and levies on it are less."""

    price: int
    grid_fee_relief_pct: Decimal
    levies_relief_pct: Decimal
    taxed: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps of a period (first inclusive, until exclusive) and their local days, under one tariff and rules."""

    first: int
    until: int
    first_day: dt.date
    last_day: dt.date
    prices: Prices
    rules: Rules

    @property
    def days(self) -> int:
        """How many local days."""
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True, slots=True)
class Energies:
    """A member's energies by step, in units of 1e-6 kWh."""

    from_grid: Sequence[int]
    received: Sequence[int]
    given: Sequence[int]
    to_grid: Sequence[int]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a statement. `units` are of 1e-6 kWh (0 for the base fee, which has `days`); `rate` millionths of the
    currency for a kWh, None where it changes by the step; `exact` the amount without tax, below zero for a credit.
    """

    code: Code
    first_day: dt.date
    last_day: dt.date
    units: int
    days: int
    rate: int | None
    tax_pct: Decimal
    exact: Decimal

    @property
    def kwh(self) -> Decimal:
        """The energy."""
        return Decimal(self.units) * MILLIONTH


def millionths(price: Decimal) -> int:
    """A price as whole millionths, half away from zero."""
    return int((price / MILLIONTH).quantize(Decimal(1), ROUND_HALF_UP))


def relieved(rate: int, relief_pct: Decimal) -> int:
    """A rate less a relief, in whole millionths."""
    return int((Decimal(rate) * (HUNDRED - relief_pct) / HUNDRED).quantize(Decimal(1), ROUND_HALF_UP))


def lines(energies: Energies, stretches: Sequence[Stretch]) -> list[Line]:
    """All lines of a member, in the order of a statement and of time; lines of the same kind and rate are one. Lines
    without energy are left out.
    """
    found: list[Line] = []
    for stretch in stretches:
        found += _of_stretch(energies, stretch)
    merged: dict[tuple[str, int | None, Decimal], Line] = {}
    for line in found:
        key = (line.code, line.rate, line.tax_pct)
        held = merged.get(key)
        merged[key] = line if held is None else _joined(held, line)
    return sorted(merged.values(), key=lambda line: (CODES.index(line.code), line.first_day))


def _joined(one: Line, other: Line) -> Line:
    with localcontext(prec=PRECISION):
        exact = one.exact + other.exact
    units, days = one.units + other.units, one.days + other.days
    return Line(one.code, one.first_day, other.last_day, units, days, one.rate, one.tax_pct, exact)


def _of_stretch(energies: Energies, stretch: Stretch) -> list[Line]:
    prices, rules, tax = stretch.prices, stretch.rules, stretch.prices.tax_pct
    span = slice(stretch.first, stretch.until)
    grid, received = _total(energies.from_grid[span]), _total(energies.received[span])
    given = _total(energies.given[span])
    shared_tax = tax if rules.taxed else NOTHING
    parts: list[Line] = [
        *_priced(("energy", "energy_no_price"), energies.from_grid, prices.energy, stretch, tax_pct=tax, sign=1),
        _flat("grid_fee", grid, prices.grid_fee, stretch, tax_pct=tax),
        _flat("levies", grid, prices.levies, stretch, tax_pct=tax),
        _flat("shared", received, rules.price, stretch, tax_pct=shared_tax),
        _flat("shared_grid_fee", received, relieved(prices.grid_fee, rules.grid_fee_relief_pct), stretch, tax_pct=tax),
        _flat("shared_levies", received, relieved(prices.levies, rules.levies_relief_pct), stretch, tax_pct=tax),
        _base(stretch),
        _flat("given", given, rules.price, stretch, tax_pct=NOTHING, sign=-1),
        *_priced(("feed_in", "feed_in_no_price"), energies.to_grid, prices.feed_in, stretch, tax_pct=NOTHING, sign=-1),
    ]
    return [line for line in parts if line.exact or (line.units and line.rate != 0)]


def _total(values: Sequence[int]) -> int:
    return sum(int(value) for value in values)


def _amount(product: int) -> Decimal:
    """Units of 1e-6 kWh times millionths of the currency, as an amount: exact at any size."""
    with localcontext(prec=PRECISION):
        return Decimal(product) * SMALLEST


def _flat(code: Code, units: int, rate: int, stretch: Stretch, *, tax_pct: Decimal, sign: int = 1) -> Line:
    exact = _amount(sign * units * rate)
    return Line(code, stretch.first_day, stretch.last_day, units, 0, rate, tax_pct, exact)


def _priced(
    codes: tuple[Code, Code], values: Sequence[int], price: Price, stretch: Stretch, *, tax_pct: Decimal, sign: int
) -> list[Line]:
    """A line at one price, or one at the price of each step and another for the steps that have none."""
    span = range(stretch.first, stretch.until)
    code, without = codes
    if price.steps is None:
        units = sum(int(values[t]) for t in span)
        return [_flat(code, units, price.flat, stretch, tax_pct=tax_pct, sign=sign)]
    known = [(int(values[t]), at) for t in span if (at := price.steps[t]) is not None]
    missing = sum(int(values[t]) for t in span if price.steps[t] is None)
    units, product = sum(energy for energy, _at in known), sum(energy * at for energy, at in known)
    line = Line(code, stretch.first_day, stretch.last_day, units, 0, None, tax_pct, _amount(sign * product))
    return [line, _flat(without, missing, price.flat, stretch, tax_pct=tax_pct, sign=sign)]


def _base(stretch: Stretch) -> Line:
    """The base fee of a month by its days."""
    first = stretch.first_day
    month = ((first.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - first.replace(day=1)).days
    exact = (stretch.prices.base_fee * stretch.days / month).quantize(SMALLEST, ROUND_HALF_UP)
    rate, tax = millionths(stretch.prices.base_fee), stretch.prices.tax_pct
    return Line("base", first, stretch.last_day, 0, stretch.days, rate, tax, exact)


def cents(amount: Decimal) -> Decimal:
    """The amount in whole cents, half away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def apportion(exact: Sequence[Decimal], total: Decimal, kept: Mapping[int, Decimal] | None = None) -> list[Decimal]:
    """Amounts in whole cents that come to `total` (whole cents): each exact amount cut down, and the cents that lack
    given one by one to the largest remainders, the first first. Those in `kept` (position: cents) stay as they are,
    so that what was stated once does not move because a neighbour's reading did.
    """
    kept = kept or {}
    free = [i for i in range(len(exact)) if i not in kept]
    found = dict(kept)
    left = total - sum(kept.values(), NOTHING)
    floors = {i: exact[i].quantize(CENT, ROUND_FLOOR) for i in free}
    order = sorted(free, key=lambda i: (floors[i] - exact[i], i))
    lacking = int((left - sum(floors.values(), NOTHING)) / CENT)
    whole, rest = divmod(lacking, len(free)) if free else (0, 0)
    for place, i in enumerate(order):
        found[i] = floors[i] + CENT * (whole + (1 if place < rest else 0))
    return [found[i] for i in range(len(exact))]


def tax_of(amounts: Sequence[tuple[Decimal, Decimal]]) -> dict[Decimal, Decimal]:
    """The tax of a statement for each rate, from (amount in cents, rate in per cent): on the sum of the rate, as the
    rules of invoices want it; rates of nothing are left out.
    """
    sums: dict[Decimal, Decimal] = {}
    for amount, rate in amounts:
        if rate:
            sums[rate] = sums.get(rate, NOTHING) + amount
    return {rate: cents(amount * rate / HUNDRED) for rate, amount in sorted(sums.items())}


def in_cents(
    members: Sequence[Sequence[Line]], kept: Mapping[int, Sequence[Decimal]] | None = None
) -> list[list[Decimal]]:
    """The lines of all members in cents. For each kind of line the members' cents come to the rounded sum of the exact
    amounts, and what is paid for shared power is what is earned by it. `kept`: the cents of members whose lines are
    what was stated before.
    """
    kept = kept or {}
    answer = [[NOTHING] * len(found) for found in members]
    paid: Decimal | None = None
    for code in CODES:
        places = [(m, k) for m, found in enumerate(members) for k, line in enumerate(found) if line.code == code]
        if not places:
            continue
        exact = [members[m][k].exact for m, k in places]
        with localcontext(prec=PRECISION):
            total = cents(sum(exact, NOTHING))
        if code == "shared":
            paid = total
        if code == "given" and paid is not None and abs(total + paid) <= CENT:
            total = -paid
        stay = {at: kept[m][k] for at, (m, k) in enumerate(places) if m in kept}
        for (m, k), amount in zip(places, apportion(exact, total, stay), strict=True):
            answer[m][k] = amount
    return answer
