"""Plugs and meters of a lab: each is tied to one machine, or to a circuit that several share."""

from django.db import transaction
from django.utils.translation import gettext as _

from commons.devices import services as devices
from labs.errors.catalogue import BadProfile, UnknownThing
from labs.models import Circuit, Lab, Machine, PowerMeter


@transaction.atomic
def add_meter(
    *, lab: Lab, name: str, machine: int | None = None, circuit: int | None = None, class_pct: float = 2.0,
    demo: bool = False,
) -> tuple[PowerMeter, devices.ShownCode]:  # fmt: skip
    """A meter with the one-time code that lets it in. Raises BadProfile, UnknownThing."""
    if not name.strip() or (machine is None) == (circuit is None):
        raise BadProfile(_("Give the meter a name, and say which machine or which circuit it measures."))
    if not 0 <= class_pct <= 50:
        raise BadProfile(_("How far off a meter may be is 0 to 50 per cent."))
    of_machine = Machine.objects.filter(lab=lab, pk=machine).first() if machine is not None else None
    of_circuit = Circuit.objects.filter(lab=lab, pk=circuit).first() if circuit is not None else None
    if of_machine is None and of_circuit is None:
        raise UnknownThing(_("This lab has no such machine or circuit."))
    device = devices.create_device(
        name=name.strip()[:120], kind="plug", place=lab.place, organisation=lab.organisation, demo=demo
    )
    made = PowerMeter.objects.create(
        device=device, machine=of_machine, circuit=of_circuit, class_pct=class_pct, demo=demo
    )
    return made, devices.create_enrolment_code(device=device)


@transaction.atomic
def drop_meter(*, lab: Lab, number: int) -> None:
    """Untie a meter: its device is let in no more, and figures that stand stay. Raises UnknownThing."""
    rows = PowerMeter.objects.select_for_update(of=("self",)).select_related("device")
    found = next((m for m in rows.filter(pk=number) if lab_of(m) == lab.pk), None)
    if found is None:
        raise UnknownThing(_("This lab has no such meter."))
    devices.revoke_device(device=found.device)
    found.delete()


def lab_of(meter: PowerMeter) -> int:
    """The key of the lab that the meter stands in."""
    thing = meter.machine or meter.circuit
    assert thing is not None  # noqa: S101 a constraint holds it
    return thing.lab_id
