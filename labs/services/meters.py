"""Plugs and meters of a lab: each is tied to one machine, or to a circuit that several share."""

import uuid

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from commons.devices import services as devices
from commons.devices.models import Device
from labs.errors.catalogue import BadProfile, MachinesOwn, Pinned, UnknownThing
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
    of_machine, of_circuit = _named(lab, machine, circuit)
    device = devices.create_device(
        name=name.strip()[:120], kind="plug", place=lab.place, organisation=lab.organisation, demo=demo
    )
    made = PowerMeter.objects.create(
        device=device, machine=of_machine, circuit=of_circuit, class_pct=class_pct, pinned=True, demo=demo
    )
    return made, devices.create_enrolment_code(device=device)


def _named(lab: Lab, machine: int | None, circuit: int | None) -> tuple[Machine | None, Circuit | None]:
    of_machine = Machine.objects.filter(lab=lab, pk=machine).first() if machine is not None else None
    of_circuit = Circuit.objects.filter(lab=lab, pk=circuit).first() if circuit is not None else None
    if of_machine is None and of_circuit is None:
        raise UnknownThing(_("This lab has no such machine or circuit."))
    return of_machine, of_circuit


@transaction.atomic
def tie(*, lab: Lab, device: uuid.UUID, machine: int | None = None, circuit: int | None = None) -> PowerMeter:
    """Say what a plug of the lab measures from now on, whatever its agent says; figures that stand stay.

    Locks the device. Raises BadProfile, UnknownThing.
    """
    if (machine is None) == (circuit is None):
        raise BadProfile(_("Say which machine or which circuit it measures."))
    held = _plug(lab, device)
    of_machine, of_circuit = _named(lab, machine, circuit)
    meter = PowerMeter.objects.filter(device=held).first() or PowerMeter(device=held)
    meter.machine, meter.circuit, meter.pinned = of_machine, of_circuit, True
    meter.save()
    return meter


@transaction.atomic
def leave_to_agent(*, lab: Lab, device: uuid.UUID) -> None:
    """Let the plug's agent say which circuit it feeds: it stays with the circuit that it has until then, and with no
    machine. Locks the device. Raises UnknownThing."""
    held = _plug(lab, device)
    PowerMeter.objects.filter(device=held, circuit=None).delete()
    PowerMeter.objects.filter(device=held).update(pinned=False)


def _plug(lab: Lab, device: uuid.UUID) -> Device:
    """A plug or meter of the lab, locked. A device that is a machine's own is none."""
    rows = Device.objects.select_for_update(no_key=True, of=("self",)).filter(pk=device, revoked_at=None, machine=None)
    found = rows.first()
    meter = PowerMeter.objects.select_related("machine", "circuit").filter(device=found).first() if found else None
    mine = (
        lab_of(meter) == lab.pk
        if meter is not None
        else found is not None
        and found.kind == "plug"
        and lab.organisation_id is not None
        and found.organisation_id == lab.organisation_id
    )
    if found is None or not mine:
        raise UnknownThing(_("This lab has no such meter."))
    return found


def of_lab(lab: Lab) -> QuerySet[PowerMeter]:
    """What measures the lab's machines and circuits."""
    rows = PowerMeter.objects.filter(Q(machine__lab=lab) | Q(circuit__lab=lab))
    return rows.select_related("device", "machine", "circuit")


@transaction.atomic
def add_plug(*, lab: Lab, name: str) -> tuple[Device, devices.ShownCode]:
    """A plug whose agent will say which circuit it feeds, with the one-time code that lets it in. Raises BadProfile."""
    if not name.strip():
        raise BadProfile(_("Give the meter a name."))
    device = devices.create_device(name=name.strip()[:120], kind="plug", place=lab.place, organisation=lab.organisation)
    return device, devices.create_enrolment_code(device=device)


def untied(lab: Lab) -> QuerySet[Device]:
    """The lab's plugs of which nobody has said yet what they measure."""
    rows = Device.objects.filter(organisation=lab.organisation, kind="plug", revoked_at=None)
    return rows.filter(power_meter=None, machine=None).order_by("name")


@transaction.atomic
def forget_plug(*, lab: Lab, device: uuid.UUID) -> None:
    """Let a plug that measures nothing in no more. Raises UnknownThing."""
    found = untied(lab).filter(pk=device).first()
    if found is None:
        raise UnknownThing(_("This lab has no such meter."))
    devices.revoke_device(device=found)


@transaction.atomic
def feeds_circuit(*, device: Device, circuit: str) -> PowerMeter:
    """Tie a plug to the circuit that its agent's configuration names; what measures a machine stays with it.

    Locks the device. Raises MachinesOwn, UnknownThing, Pinned: a person said otherwise.
    """
    held = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    meter = PowerMeter.objects.select_related("machine", "circuit").filter(device=held).first()
    of_machine = meter.machine if meter is not None else Machine.objects.filter(device=held).first()
    if of_machine is not None:
        words = {"device": held.name, "machine": of_machine.name}
        raise MachinesOwn(_("%(device)s measures %(machine)s; untie it at the lab's desk first.") % words)
    lab = Lab.objects.filter(organisation=held.organisation_id).first() if held.organisation_id else None
    found = None
    if lab is not None:
        named = Circuit.objects.filter(lab=lab)
        found = named.filter(name=circuit).first() or named.filter(name__iexact=circuit.strip()).first()
    if lab is None or found is None:
        words = {"circuit": circuit, "names": ", ".join(c.name for c in lab.circuits.all()) if lab else ""}
        if words["names"]:
            raise UnknownThing(_("The lab has no circuit “%(circuit)s”; it has %(names)s.") % words)
        raise UnknownThing(_("The lab has no circuit “%(circuit)s”.") % words)
    if meter is None:
        return PowerMeter.objects.create(device=held, circuit=found)
    if meter.circuit_id != found.pk:
        if meter.pinned:
            words = {"device": held.name, "circuit": meter.circuit}
            raise Pinned(
                _("The lab says that %(device)s feeds %(circuit)s; change it on the lab's page of meters.") % words
            )
        meter.circuit = found
        meter.save(update_fields=["circuit"])
    return meter


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
