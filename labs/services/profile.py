"""What a lab tells of itself: profile, hours, days that differ, circuits, who stands behind it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from commons.people.models import Organisation
from labs.engine import hours
from labs.errors import BadHours
from labs.errors.catalogue import BadProfile
from labs.models import Backer, Circuit, Lab, OpeningException

FIELDS = frozenset({
    "name", "about", "address", "lat", "lon", "opening_hours", "access", "status", "house_rules", "directions",
    "wheelchair", "email", "phone", "website", "languages", "takes_orders", "okw",
})  # fmt: skip
LONGEST = dt.timedelta(days=366)


@transaction.atomic
def change_lab(*, lab: Lab, **facts: Any) -> Lab:
    """Change what the lab tells. Raises BadHours, BadProfile; then nothing is changed."""
    if unknown := set(facts) - FIELDS:
        raise BadProfile(_("A lab has no “%(name)s”.") % {"name": min(unknown)})
    held = Lab.objects.select_for_update(no_key=True).get(pk=lab.pk)
    if "opening_hours" in facts:
        check_week(facts["opening_hours"])
    if (facts.get("lat", held.lat) is None) != (facts.get("lon", held.lon) is None):
        raise BadProfile(_("A position has a latitude and a longitude; give both or neither."))
    if facts.get("lat") is not None and not (-90 <= facts["lat"] <= 90 and -180 <= facts["lon"] <= 180):
        raise BadProfile(_("A latitude is from −90 to 90, a longitude from −180 to 180."))
    if not str(facts.get("name", held.name)).strip():
        raise BadProfile(_("A lab has a name."))
    for name, value in facts.items():
        setattr(held, name, value)
    held.save(update_fields=list(facts))
    return held


def check_week(week: Mapping[str, Sequence[Sequence[str]]]) -> None:
    """Refuse a week that cannot be read. Raises BadHours."""
    try:
        hours.check(week)
    except ValueError as day:
        raise BadHours(
            _("The opening hours of “%(day)s” cannot be read; write them as 09:00 to 21:00, in order.") % {"day": day}
        ) from None


@transaction.atomic
def add_exception(
    *, lab: Lab, first: dt.date, last: dt.date | None = None, spans: Sequence[Sequence[str]] = (), note: str = "",
    demo: bool = False,
) -> OpeningException:  # fmt: skip
    """Days that differ from the week; no hours mean closed. Bookings there stay, so look at them. Raises BadHours."""
    last = last or first
    if last < first or last - first > LONGEST:
        raise BadHours(_("The last day comes after the first, within a year."))
    try:
        hours.check_day(spans)
    except ValueError:
        raise BadHours(_("These hours cannot be read; write them as 10:00 to 16:00, in order.")) from None
    lab.__dict__.pop("_exceptions", None)
    return OpeningException.objects.create(
        lab=lab, first=first, last=last, spans=[list(span) for span in spans], note=note[:120], demo=demo
    )


def remove_exception(*, lab: Lab, number: int) -> int:
    """Let those days follow the week again; how many were taken away."""
    lab.__dict__.pop("_exceptions", None)
    return lab.opening_exceptions.filter(pk=number).delete()[0]


@transaction.atomic
def add_circuit(*, lab: Lab, name: str, limit_w: int, machines: Sequence[int] = (), demo: bool = False) -> Circuit:
    """A circuit and the machines on it. Raises BadProfile."""
    if not name.strip() or limit_w <= 0:
        raise BadProfile(_("A circuit has a name and a limit in W."))
    try:
        with transaction.atomic():
            circuit = Circuit.objects.create(lab=lab, name=name.strip()[:60], limit_w=limit_w, demo=demo)
    except IntegrityError:
        raise BadProfile(_("The lab has a circuit “%(name)s” already.") % {"name": name}) from None
    lab.machines.filter(pk__in=machines).update(circuit=circuit)
    return circuit


def remove_circuit(*, lab: Lab, number: int) -> int:
    """Take a circuit away; its machines stay. How many."""
    return lab.circuits.filter(pk=number).delete()[0]


@transaction.atomic
def add_backer(*, lab: Lab, name: str = "", handle: str = "", url: str = "", part: str = "partner") -> Backer:
    """An organisation behind the lab: one of the city by its handle, or a name. Raises BadProfile."""
    organisation = None
    if handle.strip():
        organisation = Organisation.objects.filter(handle__name=handle.strip().lower()).first()
        if organisation is None:
            raise BadProfile(_("There is no organisation “%(name)s” here.") % {"name": handle[:40]})
    if part not in Backer.Part.values or not (organisation or name.strip()):
        raise BadProfile(_("Name the organisation and what it does for the lab."))
    return Backer.objects.create(lab=lab, organisation=organisation, name=name.strip()[:120], url=url, part=part)


def remove_backer(*, lab: Lab, number: int) -> int:
    """Take an organisation away; how many."""
    return lab.backers.filter(pk=number).delete()[0]
