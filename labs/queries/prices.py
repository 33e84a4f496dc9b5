"""Reads of prices: what a lab asks for, what a time on a machine costs a person."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.web import numbers
from labs.engine import prices as engine
from labs.engine.hours import Span
from labs.engine.prices import NOTHING, Part, Rates
from labs.engine.rules import absolute
from labs.models import Lab, Machine, Tariff, Till
from labs.queries import rewards
from labs.queries.roles import role_of


@dataclass(frozen=True, slots=True)
class Price:
    """What a booking costs. `gross` is what the wallet pays; `per_kwh` (without tax) is asked for afterwards, for what
    the meter measured. `unit` is a currency, "points", or nothing where use is free."""

    unit: str = ""
    parts: Sequence[Part] = ()
    net: Decimal = NOTHING
    tax: Decimal = NOTHING
    gross: Decimal = NOTHING
    tax_pct: Decimal = NOTHING
    per_kwh: Decimal = NOTHING
    tariff: int | None = None
    discount_pct: Decimal = NOTHING
    """What is taken off because much local sun is expected; the time's `sun_share` decides."""
    sun_share: float | None = None

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing at all."""
        return not self.gross and not self.per_kwh

    @property
    def words(self) -> str:
        """The price in words: "12.40 €, and 0.30 € a kWh"."""
        if self.is_free:
            return _("free of charge")
        said = amount(self.gross, self.unit)
        if self.discount_pct:
            percent, share = numbers.number(self.discount_pct, 0), numbers.percent(self.sun_share)
            words = {"price": said, "percent": percent, "share": share}
            said = _("%(price)s, %(percent)s %% less for %(share)s expected local sun") % words
        if not self.per_kwh:
            return said
        return _("%(price)s, and %(rate)s for each measured kWh") % {
            "price": said,
            "rate": amount(self.per_kwh, self.unit),
        }


FREE = Price()


def amount(value: Decimal, unit: str) -> str:
    """An amount in words, always to the cent where there are cents: "12.40 €", "3 points"."""
    if unit != "points":
        sign = numbers.CURRENCIES.get(unit, unit)
        return numbers.with_unit(numbers.number(value, 2), sign)
    return _("%(n)s points") % {"n": numbers.number(value, 0 if value == value.to_integral_value() else 2)}


def till_of(lab: Lab | int) -> Till | None:
    """What the lab asks for; None where use is free."""
    return Till.objects.filter(lab=lab).exclude(mode=Till.Mode.NONE).first()


def tariff_for(machine: Machine, role: str, at: dt.datetime) -> Tariff | None:
    """The tariff that held at that time for the machine and the role; one query."""
    rows = Tariff.objects.filter(Q(until=None) | Q(until__gt=at), lab=machine.lab_id, since__lte=at)
    return engine.nearest(list(rows), machine=machine.pk, cls=machine.cls, role=role)


def rates_of(tariff: Tariff | None) -> Rates:
    """A tariff as the engine reads it."""
    if tariff is None:
        return Rates()
    return Rates(tariff.per_hour, tariff.per_booking, tariff.per_kwh, tariff.minimum)


def price_of(machine: Machine, user: User | None, span: Span, *, at: dt.datetime | None = None) -> Price:
    """What that time on the machine costs this person (a guest, if none is named) by today's tariff."""
    till = till_of(machine.lab_id)
    return FREE if till is None else price_in(till, machine, role_of(user, machine.lab), span, at=at)


def price_in(till: Till, machine: Machine, role: str, span: Span, *, at: dt.datetime | None = None) -> Price:
    """The same where the lab's till and the person's role are known; one query."""
    tariff = tariff_for(machine, role, at or timezone.now())
    rates, span = rates_of(tariff), absolute(span)
    found = engine.parts(rates, span.end - span.start)
    tax_pct = till.tax_pct if till.mode == Till.Mode.MONEY else NOTHING
    off, share = rewards.of_time(machine, span, at) if found else (NOTHING, None)
    less = engine.sun_part(found, off)
    found += [less] if less else []
    net = engine.net_of(found)
    tax = engine.tax_on(net, tax_pct)
    return Price(
        till.unit, found, net, tax, net + tax, tax_pct, rates.per_kwh, tariff.pk if tariff else None,
        off if less else NOTHING, share if less else None,
    )  # fmt: skip


def short(lab: Lab, costs: Decimal, holds: Decimal, unit: str) -> tuple[str, str]:
    """That a wallet does not hold enough, and what would help."""
    words = {"price": amount(costs, unit), "funds": amount(holds, unit), "lab": lab.name}
    said = _("This costs %(price)s, and your wallet in %(lab)s holds %(funds)s.") % words
    if unit == "points":
        return said, _("Choose less time, or wait for the points of next week.")
    return said, _("Choose less time, or pay in at the desk of %(lab)s.") % words


def tariff_words(tariff: Tariff, unit: str) -> str:
    """A tariff in words: "6.50 € an hour, 2.00 € a booking, at least 4.00 €"."""
    said = []
    if tariff.per_hour:
        said.append(_("%(sum)s an hour") % {"sum": amount(tariff.per_hour, unit)})
    if tariff.per_booking:
        said.append(_("%(sum)s a booking") % {"sum": amount(tariff.per_booking, unit)})
    if tariff.per_kwh:
        said.append(_("%(sum)s a measured kWh") % {"sum": amount(tariff.per_kwh, unit)})
    if tariff.minimum:
        said.append(_("at least %(sum)s") % {"sum": amount(tariff.minimum, unit)})
    return ", ".join(said) or _("free of charge")
