"""What the demo's labs have besides machines: a profile, circuits, stock, a day that differs."""

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from labs.demo import stock
from labs.models import Consumable, Lab, Machine
from labs.services import profile
from labs.services import stock as stocks


def furnish(lab: Lab) -> None:
    """Make what is missing; running it again is harmless."""
    if not lab.house_rules:
        profile.change_lab(lab=lab, **stock.PROFILES[lab.slug])
    for name, millimetres in stock.TOLERANCES_MM.items():
        Machine.objects.filter(lab=lab, name=name, tolerance_mm=None).update(tolerance_mm=millimetres)
    for name, limit_w, machines in stock.CIRCUITS[lab.slug]:
        if not lab.circuits.filter(name=name).exists():
            keys = list(lab.machines.filter(name__in=machines).values_list("pk", flat=True))
            profile.add_circuit(lab=lab, name=name, limit_w=limit_w, machines=keys, demo=True)
    for name, unit, low, there, where, machines in stock.CONSUMABLES[lab.slug]:
        if not Consumable.objects.filter(lab=lab, name=name).exists():
            made = stocks.add_consumable(
                lab=lab, name=name, unit=unit, low=Decimal(low), where=where, demo=True,
                machines=list(lab.machines.filter(name__in=machines)),
            )  # fmt: skip
            stocks.enter(consumable=made, why="came", amount=Decimal(str(there)), by=None)
    today = timezone.now().astimezone(lab.zone).date()
    if lab.opening_hours and not lab.opening_exceptions.filter(last__gte=today).exists():
        day = today + dt.timedelta(days=20)
        profile.add_exception(lab=lab, first=day, note="We tidy up together, everybody is welcome", demo=True)
