"""Consumables: what came in, what was used, what a count found; people are told when little is left."""

from collections.abc import Sequence
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from labs.errors.catalogue import BadStock
from labs.models import Consumable, Lab, Machine, MaintenanceRecord, StockEntry
from labs.policies import TRAINING

MOST = Decimal(100_000_000)


@transaction.atomic
def add_consumable(
    *, lab: Lab, name: str, unit: str = "pcs", low: Decimal = Decimal(0), where: str = "",
    machines: Sequence[Machine] = (), demo: bool = False,
) -> Consumable:  # fmt: skip
    """Something that machines of the lab use up. Raises BadStock."""
    if not name.strip() or not 0 <= low < MOST:
        raise BadStock(_("A consumable has a name, and a mark of 0 or more."))
    try:
        with transaction.atomic():
            made = Consumable.objects.create(
                lab=lab, name=name.strip()[:120], unit=unit.strip()[:16] or "pcs", low=low, where=where[:120], demo=demo
            )
    except IntegrityError:
        raise BadStock(_("The lab has “%(name)s” already.") % {"name": name}) from None
    made.machines.set(machines)
    return made


@transaction.atomic
def enter(
    *,
    consumable: Consumable,
    why: str,
    amount: Decimal,
    by: User | None,
    note: str = "",
    machine: Machine | None = None,
    record: MaintenanceRecord | None = None,
) -> StockEntry:
    """Write down what came in, was used or was counted; `amount` is positive, or for a count what there is.

    Raises BadStock when more is used than there is.
    """
    held = Consumable.objects.select_for_update(of=("self",)).select_related("lab").get(pk=consumable.pk)
    if why not in StockEntry.Why.values or not 0 <= amount < MOST or (amount == 0 and why != StockEntry.Why.COUNTED):
        raise BadStock(_("Write an amount above 0."))
    change = {"came": amount, "used": -amount, "counted": amount - held.stock}[why]
    if held.stock + change < 0:
        words = {"name": held.name, "stock": f"{held.stock.normalize():f}", "unit": held.unit}
        raise BadStock(_("There are only %(stock)s %(unit)s of %(name)s; count anew if there are more.") % words)
    was_low = held.is_low
    held.stock += change
    held.save(update_fields=["stock"])
    entry = StockEntry.objects.create(
        consumable=held, amount=change, why=why, note=note[:200], machine=machine, record=record, by=by
    )
    if held.is_low and not was_low:
        _tell_low(held, by)
    return entry


def _tell_low(consumable: Consumable, by: User | None) -> None:
    lab = consumable.lab
    people = User.objects.filter(memberships__organisation=lab.organisation_id, memberships__role__in=TRAINING)
    words = {"name": consumable.name, "lab": lab.name, "stock": f"{consumable.stock.normalize():f}",
             "unit": consumable.unit}  # fmt: skip
    tell(
        people=people.distinct(),
        kind="labs.low_stock",
        text=_("%(name)s runs low in %(lab)s: %(stock)s %(unit)s left.") % words,
        url=reverse("rooms:lab_consumables", args=[lab.slug]),
        about=f"consumable:{consumable.pk}",
    )
