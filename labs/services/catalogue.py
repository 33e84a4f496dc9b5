"""Labs, machines and badges: open, add, take out of service, give, tie a device to it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from commons.devices import services as devices
from commons.devices.models import Device
from commons.people.models import Organisation, User
from commons.places.models import Place
from labs.errors import BadMachine
from labs.models import Badge, BadgeGrant, Lab, Machine
from labs.services import badges, interlocks
from labs.services.profile import check_week

PROCESS_OF = {
    Machine.Kind.PRINTER: Machine.Process.FFF,
    Machine.Kind.RESIN: Machine.Process.SLA,
    Machine.Kind.LASER: Machine.Process.LASER,
    Machine.Kind.ROUTER: Machine.Process.MILLING,
    Machine.Kind.MILL: Machine.Process.MILLING,
    Machine.Kind.LATHE: Machine.Process.TURNING,
    Machine.Kind.VINYL: Machine.Process.KNIFE,
    Machine.Kind.PCB: Machine.Process.PCB,
    Machine.Kind.PLACER: Machine.Process.ASSEMBLY,
    Machine.Kind.SEWING: Machine.Process.SEWING,
    Machine.Kind.EMBROIDERY: Machine.Process.EMBROIDERY,
    Machine.Kind.TEXTILE: Machine.Process.TEXTILE,
    Machine.Kind.SCANNER: Machine.Process.SCANNING,
    Machine.Kind.BENCH: Machine.Process.HAND,
    Machine.Kind.TOOLS: Machine.Process.HAND,
    Machine.Kind.OTHER: Machine.Process.HAND,
}

#: Names under a lab's address that are pages of the lab, so no machine may carry them.
_PAGES = """
about badges book bookings calendar.ics consumables courses desk faults import incidents interlocks invoices join kiosk
labels learn live log machines maintenance members money new okw orders people prices rules settings standing status
tasks trust waitlist wallets week
"""
RESERVED = frozenset(_PAGES.split())


@transaction.atomic
def open_lab(
    *,
    organisation: Organisation,
    name: str,
    about: str = "",
    address: str = "",
    lat: float | None = None,
    lon: float | None = None,
    place: Place | None = None,
    opening_hours: Mapping[str, Sequence[Sequence[str]]] | None = None,
    demo: bool = False,
) -> Lab:
    """The lab of an organisation, under its handle. Raises BadHours."""
    week = dict(opening_hours or {})
    check_week(week)
    return Lab.objects.create(
        organisation=organisation,
        slug=organisation.handle.name,
        name=name,
        about=about,
        address=address,
        lat=lat,
        lon=lon,
        place=place,
        opening_hours=week,
        demo=demo,
    )


@transaction.atomic
def add_machine(
    *,
    lab: Lab,
    name: str,
    cls: str,
    slug: str = "",
    required_badges: Sequence[Badge] = (),
    demo: bool = False,
    **facts: Any,
) -> Machine:
    """A machine of the lab; its process follows from its class unless given. Raises BadMachine."""
    if cls not in Machine.Kind.values:
        known = ", ".join(Machine.Kind.values)
        raise BadMachine(_("“%(cls)s” is no class of machine; there are %(known)s.") % {"cls": cls, "known": known})
    slug = slug or slugify(name)
    if not slug or slug in RESERVED:
        raise BadMachine(_("“%(name)s” cannot be an address; choose another name.") % {"name": name})
    facts.setdefault("process", PROCESS_OF[Machine.Kind(cls)])
    try:
        with transaction.atomic():
            machine = Machine.objects.create(lab=lab, name=name, slug=slug, cls=cls, demo=demo, **facts)
    except IntegrityError:
        raise BadMachine(
            _("%(lab)s has a machine called “%(name)s” already.") % {"lab": lab.name, "name": name}
        ) from None
    machine.required_badges.set(required_badges)
    return machine


@transaction.atomic
def set_state(*, machine: Machine, state: str, note: str = "", back_on: dt.date | None = None) -> Machine:
    """Take a machine out of service, with the reason and the day it is back, or put it in order again."""
    held = Machine.objects.select_for_update(no_key=True).get(pk=machine.pk)
    held.state = Machine.State(state)
    out = held.state == Machine.State.REPAIR
    held.state_note, held.back_on = (note, back_on) if out else ("", None)
    held.save(update_fields=["state", "state_note", "back_on"])
    interlocks.look_at(held)
    return held


@transaction.atomic
def device_of(*, machine: Machine) -> Device:
    """The machine's device, made on first use: it belongs to the lab's organisation and place."""
    held = (
        Machine.objects.select_for_update(no_key=True, of=("self",)).select_related("lab", "device").get(pk=machine.pk)
    )
    if held.device is None:
        held.device = devices.create_device(
            kind=held.cls,
            name=f"{held.lab.name}: {held.name}",
            place=held.lab.place,
            organisation=held.lab.organisation,
            demo=held.demo,
            public=True,
        )
        held.save(update_fields=["device"])
    return held.device


@transaction.atomic
def enrolment_code(*, machine: Machine) -> devices.ShownCode:
    """A one-time code that lets the machine's agent in; shown once, good for ten minutes."""
    return devices.create_enrolment_code(device=device_of(machine=machine))


@transaction.atomic
def create_badge(*, slug: str, name: str, about: str = "", lab: Lab | None = None, demo: bool = False) -> Badge:
    """A badge, made once."""
    badge, _made = Badge.objects.get_or_create(
        slug=slug, defaults={"name": name, "about": about, "lab": lab, "demo": demo}
    )
    return badge


def grant_badge(
    *,
    badge: Badge,
    user: User,
    by: User | None = None,
    expires_at: dt.datetime | None = None,
    given_in: Lab | None = None,
) -> BadgeGrant:
    """Give a person a badge. A good one that lasts as long is kept rather than doubled. Raises BadBadge."""
    return badges.give(badge=badge, user=user, by=by, expires_at=expires_at, given_in=given_in)


@transaction.atomic
def revoke_badge(*, badge: Badge, user: User) -> int:
    """Take a badge back; how many grants ended."""
    held = list(BadgeGrant.objects.filter(badge=badge, user=user, revoked_at=None))
    for grant in held:
        badges.take_back(grant=grant)
    return len(held)
