"""What a lab asks for: nothing, points or money; and its tariffs. A tariff is never rewritten, it ends."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.engine.prices import Rates, cents
from labs.errors.money import BadAmount
from labs.models import Account, Lab, Machine, Tariff, Till
from labs.services.rules import EVERYBODY, Scope

LARGEST = Decimal(100_000)


def read_amount(text: str, *, signed: bool = False) -> Decimal:
    """An amount as a person types it, "12,50". Raises BadAmount."""
    try:
        found = Decimal(text.strip().replace(",", ".").replace("\xa0", "").replace(" ", "") or "0")
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found) > LARGEST * 10 or found != cents(found) or (found < 0 and not signed):
        raise BadAmount(_("“%(text)s” is no amount; write for example 12.50.") % {"text": text[:30]})
    return cents(found)


@transaction.atomic
def set_till(*, lab: Lab, mode: str, **facts: Any) -> Till:
    """Say what the lab asks for: mode, and any of currency, tax_pct, credit, no_show_fee, seller, invoice_prefix.

    Wallets stay as they are, each in its own unit. Raises BadAmount.
    """
    if mode not in Till.Mode.values:
        raise BadAmount(_("A lab asks for none, points or money, not “%(mode)s”.") % {"mode": mode[:20]})
    currency = str(facts.get("currency", "EUR")).upper()
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise BadAmount(_("A currency has three letters, such as EUR."))
    for name in ("tax_pct", "credit", "no_show_fee"):
        value = facts.get(name, Decimal(0))
        most = Decimal(100) if name == "tax_pct" else LARGEST
        if not isinstance(value, Decimal) or not value.is_finite() or not 0 <= value <= most or value != cents(value):
            raise BadAmount(_("“%(name)s” is a number from 0 to %(most)s.") % {"name": name, "most": most}, field=name)
    known = {"currency": currency} | {k: v for k, v in facts.items() if k in _FACTS and k != "currency"}
    Till.objects.get_or_create(lab=lab, defaults={"demo": lab.demo})
    found = Till.objects.select_for_update(no_key=True).get(lab=lab)
    found.mode = mode
    for name, value in known.items():
        setattr(found, name, value)
    found.save()
    wallets = Account.objects.filter(lab=lab, kind=Account.Kind.WALLET, unit=found.unit)
    wallets.exclude(floor=-found.credit).update(floor=-found.credit)
    return found


_FACTS = frozenset({"currency", "tax_pct", "credit", "no_show_fee", "seller", "invoice_prefix"})


@transaction.atomic
def set_tariff(*, lab: Lab, rates: Rates, by: User | None, scope: Scope = EVERYBODY) -> Tariff:
    """Let a tariff hold from now on, in place of the one of the same scope and role. Raises BadAmount."""
    amounts = {name: getattr(rates, name) for name in ("per_hour", "per_booking", "per_kwh", "minimum")}
    if any(not v.is_finite() or not 0 <= v <= LARGEST or v != cents(v) for v in amounts.values()):
        raise BadAmount(_("A rate is from 0 to %(most)s, with at most two decimals.") % {"most": LARGEST})
    if scope.machine is not None and (scope.machine.lab_id != lab.pk or scope.cls):
        raise BadAmount(_("A tariff is for one machine of this lab, or for a class, or for all of it."))
    if scope.cls and scope.cls not in Machine.Kind.values:
        raise BadAmount(_("There is no class “%(cls)s”.") % {"cls": scope.cls[:40]})
    if scope.role and scope.role not in Tariff.Role.values:
        raise BadAmount(_("There is no role “%(role)s”.") % {"role": scope.role[:20]})
    Till.objects.get_or_create(lab=lab, defaults={"demo": lab.demo})
    Till.objects.select_for_update(no_key=True).get(lab=lab)
    now = timezone.now()
    held = Tariff.objects.filter(lab=lab, active=True, machine=scope.machine, cls=scope.cls, role=scope.role).first()
    if held is not None:
        if all(getattr(held, name) == value for name, value in amounts.items()):
            return held
        _end(held, by)
    return Tariff.objects.create(
        lab=lab, machine=scope.machine, cls=scope.cls, role=scope.role, since=now, by=by, **amounts
    )


@transaction.atomic
def end_tariff(*, lab: Lab, key: int, by: User | None) -> Tariff:
    """Let a tariff hold no longer; what is wider holds again. Raises BadAmount."""
    held = Tariff.objects.select_for_update().filter(lab=lab, pk=key, active=True).first()
    if held is None:
        raise BadAmount(_("This tariff has ended already, or it is another lab's."))
    return _end(held, by)


def _end(held: Tariff, by: User | None) -> Tariff:
    held.active, held.until, held.ended_by = False, timezone.now(), by
    held.save(update_fields=["active", "until", "ended_by"])
    return held
