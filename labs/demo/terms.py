"""What the demo's labs ask for: one lends its laser and its router for money, the other for points; both have rules."""

from collections.abc import Mapping
from decimal import Decimal

from commons.people.models import User
from labs.engine.prices import Rates
from labs.models import BookingRule, Lab, Tariff, Till
from labs.services import ledger, rules, tills
from labs.services.rules import Scope

RULES: Mapping[str, tuple[tuple[str, str, Scope], ...]] = {
    "kamppi-open-lab": (
        ("cancel_until_min", "120", Scope()),
        ("late_refund_pct", "50", Scope()),
        ("per_week_h", "30", Scope(role="guest")),
        ("free_hours", "mon-fri 18:00-21:00", Scope()),
        ("blackout", "wed 17:00-19:00", Scope(cls="laser-cutter")),
        ("circuit_budget", "yes", Scope()),
    ),
    "library-workshop": (
        ("points_week", "25", Scope()),
        ("points_week", "40", Scope(role="member")),
        ("points_keep_pct", "50", Scope()),
        ("horizon_days", "30", Scope()),
        ("longest_h", "4", Scope(cls="sewing-machine")),
    ),
}
TARIFFS: Mapping[str, tuple[tuple[Rates, Scope], ...]] = {
    "kamppi-open-lab": (
        (Rates(per_hour=Decimal("6.00"), per_kwh=Decimal("0.30")), Scope(cls="laser-cutter")),
        (Rates(per_hour=Decimal("14.00"), per_kwh=Decimal("0.30")), Scope(cls="laser-cutter", role="guest")),
        (Rates(per_hour=Decimal("8.00"), minimum=Decimal("4.00")), Scope(cls="cnc-router")),
    ),
    "library-workshop": ((Rates(per_hour=Decimal(1)), Scope(cls="3d-printer")),),
}
PAID_IN = {"leila": 60, "mikko": 80, "otto": 40, "sanna": 50}


def set_terms(lab: Lab, people: Mapping[str, User]) -> None:
    """Rules, tariffs and a first payment of the demo's people, where there is none yet."""
    boss = people["sanna" if lab.slug == "library-workshop" else "aino"]
    if not BookingRule.objects.filter(lab=lab).exists():
        for name, text, scope in RULES.get(lab.slug, ()):
            rules.set_rule(lab=lab, name=name, text=text, by=boss, scope=scope)
    if Till.objects.filter(lab=lab).exists() or lab.slug not in TARIFFS:
        return
    if lab.slug == "library-workshop":
        tills.set_till(lab=lab, mode=Till.Mode.POINTS)
    else:
        seller = f"{lab.name}\n{lab.address}"
        tills.set_till(lab=lab, mode=Till.Mode.MONEY, tax_pct=Decimal("25.5"), seller=seller, no_show_fee=Decimal(5))
    if not Tariff.objects.filter(lab=lab).exists():
        for rates, scope in TARIFFS[lab.slug]:
            tills.set_tariff(lab=lab, rates=rates, by=boss, scope=scope)
    if lab.slug == "kamppi-open-lab":
        for name, euros in PAID_IN.items():
            ledger.pay_in(lab=lab, user=people[name], sum_=Decimal(euros), by=boss, memo="receipt")
