"""Take labs over from Open Know-Where documents, and give ours away as such."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from commons.people.models import Organisation, User
from commons.people.services import create_organisation
from labs.errors.catalogue import BadProfile
from labs.materials import normal
from labs.models import Backer, Lab, Machine
from labs.okw import Equipment, Facility
from labs.okw.facility import Agent
from labs.services import catalogue, equipment, profile


@dataclass(slots=True)
class Taken:
    """What was taken over: the lab, whether it is new, and the names of machines made and changed."""

    lab: Lab
    new: bool
    made: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def facility_of(lab: Lab) -> Facility:
    """A lab as other networks are told of it: no people, no bookings."""
    agents = tuple(
        Agent(backer.title, backer.url, backer.part)
        for backer in lab.backers.select_related("organisation")
        if backer.part != Backer.Part.OWNER
    )
    return Facility(
        name=lab.name,
        about=lab.about,
        address=lab.address,
        lat=lab.lat,
        lon=lab.lon,
        directions=lab.directions,
        week=lab.opening_hours,
        access=lab.access,
        status=lab.status,
        wheelchair=lab.wheelchair,
        email=lab.email,
        phone=lab.phone,
        website=lab.website,
        languages=tuple(lab.languages),
        owner=lab.organisation.name,
        agents=agents,
        equipment=tuple(_equipment(machine) for machine in lab.machines.order_by("pk")),
        more=_still_true(lab),
    )


def _still_true(lab: Lab) -> dict[str, Any]:
    """What an imported document said besides; its address in pieces only while the lab's is still that."""
    more = dict(lab.okw)
    if more.pop("address_line", lab.address) != lab.address:
        more.pop("address", None)
    return more


def _equipment(machine: Machine) -> Equipment:
    volume = machine.volume_mm or (None, None, None)
    return Equipment(
        name=machine.name,
        cls=machine.cls,
        process=machine.process,
        make=machine.maker,
        model=machine.model,
        notes=machine.about,
        power_w=machine.rated_w,
        x_mm=volume[0],
        y_mm=volume[1],
        z_mm=volume[2],
        tolerance_mm=machine.tolerance_mm,
        materials=tuple(machine.materials),
        working=machine.state == Machine.State.OK,
        more=machine.okw,
    )


@transaction.atomic
def take_over(*, facilities: Sequence[Facility], by: User | None, lab: Lab | None = None) -> list[Taken]:
    """All of a document or nothing of it. Into `lab` when it is given (then there is one facility), else each becomes
    a lab of an organisation of its own, founded by `by`; one that was taken over before is brought up to date.

    Raises BadProfile, and what labs and machines refuse with.
    """
    if lab is not None and len(facilities) != 1:
        raise BadProfile(_("Into one lab goes one facility; the document has %(n)d.") % {"n": len(facilities)})
    return [_take(one, lab or _lab_of(one, by), new=lab is None) for one in facilities]


def _lab_of(facility: Facility, by: User | None) -> Lab:
    handle = slugify(facility.name)[:39].strip("-")
    if not handle:
        raise BadProfile(_("“%(name)s” cannot be an address; give it another name.") % {"name": facility.name})
    found = Lab.objects.select_related("organisation").filter(slug=handle).first()
    if found is not None:
        if found.name != facility.name:
            raise BadProfile(_("There is another lab at the address “%(name)s”.") % {"name": handle})
        return found
    organisation = create_organisation(
        handle=handle, name=facility.owner or facility.name, kind=Organisation.Kind.LAB, founder=by
    )
    return catalogue.open_lab(organisation=organisation, name=facility.name)


def _take(facility: Facility, lab: Lab, *, new: bool) -> Taken:
    taken = Taken(lab, new and not lab.machines.exists())
    facts: dict[str, Any] = {
        name: value
        for name, value in (
            ("name", facility.name),
            ("about", facility.about),
            ("address", facility.address),
            ("directions", facility.directions),
            ("opening_hours", facility.week),
            ("access", facility.access),
            ("status", facility.status),
            ("wheelchair", facility.wheelchair),
            ("email", facility.email),
            ("phone", facility.phone),
            ("website", facility.website),
            ("languages", list(facility.languages)),
        )
        if value not in ("", None, [])
    }
    if facility.lat is not None:
        facts |= {"lat": facility.lat, "lon": facility.lon}
    facts["okw"] = {**lab.okw, **facility.more, "address_line": facility.address or lab.address}
    taken.lab = profile.change_lab(lab=lab, **facts)
    known = {(backer.title, backer.part) for backer in lab.backers.select_related("organisation")}
    for agent in facility.agents:
        if (agent.name, agent.part) not in known:
            profile.add_backer(lab=lab, name=agent.name, url=agent.url, part=agent.part)
    for one in facility.equipment:
        for nth in range(one.quantity):
            _machine(taken, one, one.name if one.quantity == 1 else f"{one.name} {nth + 1}")
    return taken


def _machine(taken: Taken, one: Equipment, name: str) -> None:
    """Make the machine, or bring the one of that name up to date with what the document says."""
    facts: dict[str, Any] = {
        key: value
        for key, value in (
            ("maker", one.make),
            ("model", one.model),
            ("about", one.notes),
            ("rated_w", one.power_w),
            ("volume_x_mm", one.x_mm),
            ("volume_y_mm", one.y_mm),
            ("volume_z_mm", one.z_mm),
            ("tolerance_mm", one.tolerance_mm),
            ("process", one.process),
            ("materials", list(dict.fromkeys(normal(word) for word in one.materials))),
        )
        if value not in ("", None, [])
    }
    if one.more:
        facts["okw"] = dict(one.more)
    found = taken.lab.machines.filter(name=name).first()
    if found is not None:
        equipment.change_machine(machine=found, **facts)
        taken.changed.append(name)
        return
    cls = one.cls or _class_for(one.process)
    made = catalogue.add_machine(lab=taken.lab, name=name, cls=str(cls), slug=_free_slug(taken.lab, name), **facts)
    if not one.working:
        catalogue.set_state(machine=made, state=Machine.State.REPAIR, note=_("As the imported document says."))
    taken.made.append(name)


def _class_for(process: str) -> str:
    """The class of a machine of which only the process is known; hand work tells of none."""
    if process == Machine.Process.HAND:
        return Machine.Kind.OTHER
    return next((cls for cls, own in catalogue.PROCESS_OF.items() if own == process), Machine.Kind.OTHER)


def _free_slug(lab: Lab, name: str) -> str:
    """An address that no machine of the lab has, from the name."""
    base = slugify(name)[:50] or "machine"
    taken = set(lab.machines.values_list("slug", flat=True)) | catalogue.RESERVED
    slug, nth = base, 2
    while slug in taken:
        slug, nth = f"{base}-{nth}", nth + 1
    return slug
