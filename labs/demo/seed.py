"""Make the demo's labs, bring them up to date, take them away."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from commons.devices import services as devices
from commons.devices.models import Device
from commons.devices.queries.state import QUIET
from commons.devices.services.demo import report
from commons.people.models import Handle, Organisation, User
from commons.people.services import create_organisation, create_user, set_role
from commons.places.models import Place
from labs.demo import asking, deciding, floor, furnishing, learning, meters, stock, terms, work
from labs.models import Badge, Lab, Machine
from labs.services import catalogue, sunshine

Say = Callable[[str], None]
PAST = dt.timedelta(days=10)
COARSE_S, FINE_S = 240, 30
FINE = dt.timedelta(hours=6)
BOOKED_DAYS = 3


def seed(say: Say) -> None:
    """Make what is missing, and let each machine tell what it has not told; running it again is harmless."""
    people = {name: _person(name) for name in stock.NAMES}
    badges = {
        slug: catalogue.create_badge(slug=slug, name=name, about=about, demo=True)
        for slug, (name, about) in stock.BADGES.items()
    }
    place = Place.objects.filter(slug="kamppi").first()
    now = timezone.now()
    labs = [_lab(slug, facts, place, people) for slug, facts in stock.LABS.items()]
    learning.grant(badges, stock.HOLDS, people)
    for lab in labs:
        readings = messages = booked = 0
        machines = _machines(lab, badges)
        terms.set_terms(lab, people)
        floor.seed_past(lab, people)
        for machine in machines:
            readings += _past(machine, now)
            messages += work.tell(machine, start=now - PAST, now=timezone.now())
            booked += work.book_ahead(machine, people=list(people.values()), now=now, days_ahead=BOOKED_DAYS)
        furnishing.furnish(lab)
        readings += meters.tie(lab, now - PAST, now)
        floor.seed(lab, people)
        asking.seed(lab, people)
        deciding.seed(lab, people)
        say(
            f"{lab.name}: {lab.machines.count()} machines, {readings} readings, {messages} job messages, "
            f"{booked} bookings to come"
        )
    learning.seed(say, people)
    say(f"{meters.settle()} passports")
    say(f"the share of sun on {sum(_sun_days(lab, now) for lab in labs)} days of labs")


def _sun_days(lab: Lab, now: dt.datetime) -> int:
    """What the clock would have worked out on each of the past nights."""
    today = now.astimezone(lab.zone).date()
    return sum(sunshine.settle_day(lab, today - dt.timedelta(days=nth), now) for nth in range(PAST.days, 0, -1))


def _person(name: str) -> User:
    found = User.objects.filter(username=name).first()
    return found or create_user(username=name, name=stock.NAMES[name], demo=True)


@transaction.atomic
def _lab(slug: str, facts: dict[str, Any], place: Place | None, people: dict[str, User]) -> Lab:
    found = Lab.objects.select_related("organisation", "place").filter(slug=slug).first()
    if found is None:
        handle = Handle.objects.filter(name=slug, organisation__isnull=False).select_related("organisation").first()
        organisation = handle.organisation if handle else None
        if organisation is None:
            organisation = create_organisation(
                handle=slug, name=facts["name"], kind=Organisation.Kind.LAB, about=facts["about"], demo=True
            )
        found = catalogue.open_lab(organisation=organisation, place=place, demo=True, **facts)
    if found.demo:
        Lab.objects.filter(pk=found.pk).update(open_bookings_max=60, place=place)
        for name, role in stock.ROLES[slug].items():
            set_role(organisation=found.organisation, user=people[name], role=role)
    found.refresh_from_db()
    return found


def _machines(lab: Lab, badges: dict[str, Badge]) -> list[Machine]:
    for facts in stock.MACHINES[lab.slug]:
        if not lab.machines.filter(name=facts["name"]).exists():
            _machine(lab, facts, badges)
    rows = Machine.objects.filter(lab=lab, demo=True).select_related("lab__place", "device").order_by("pk")
    return list(rows)


@transaction.atomic
def _machine(lab: Lab, facts: dict[str, Any], badges: dict[str, Badge]) -> None:
    """A machine with its device, enrolled by a real one-time code; a silent one has none."""
    own = {"badges", "silent", "quiet"}
    machine = catalogue.add_machine(
        lab=lab,
        required_badges=[badges[slug] for slug in facts.get("badges", ())],
        demo=True,
        **{name: value for name, value in facts.items() if name not in own},
    )
    if not facts.get("silent"):
        code = catalogue.enrolment_code(machine=machine)
        kind = f"{QUIET}{machine.cls}" if facts.get("quiet") else machine.cls
        devices.enrol(code=str(code), kind=kind, hardware_id=f"demo-{lab.slug}-{machine.slug}")


def _past(machine: Machine, now: dt.datetime) -> int:
    """The last ten days of readings of a device that has told none; how many."""
    device = machine.device
    if device is None or device.kind.startswith(QUIET) or device.last_values.exists():
        return 0
    devices.ensure_days(work.days(now - PAST, now))
    told = report(device=device, start=now - PAST, end=now - FINE, step_s=COARSE_S)
    return told + report(device=device, start=now - FINE + dt.timedelta(seconds=FINE_S), end=now, step_s=FINE_S)


def remove(say: Say) -> None:
    """Take the demo's labs, machines, jobs and devices away, with everything that hangs on them."""
    labs = list(Lab.objects.filter(demo=True))
    tied = Q(machine__lab__in=labs) | Q(power_meter__machine__lab__in=labs) | Q(power_meter__circuit__lab__in=labs)
    found = list(Device.objects.filter(tied, demo=True).distinct())
    learning.remove()
    organisations = Organisation.objects.filter(lab__in=labs, demo=True)
    with transaction.atomic():
        devices.delete_devices(devices=found)
        Organisation.objects.filter(pk__in=[o.pk for o in organisations]).delete()
        Lab.objects.filter(demo=True).delete()
        Badge.objects.filter(demo=True).delete()
    say(f"{len(labs)} labs and {len(found)} machines' devices taken away")
