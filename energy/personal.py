"""What energy brings to a person's own pages: their home's last day, first steps. Theirs alone (energy-privacy.md)."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.mine import sockets
from commons.mine.sockets import Item, Part, Step
from commons.notices import kinds as notices
from commons.people.models import User
from commons.web import numbers
from energy import policies
from energy.models import Asset, Community, MeterDay, MeterPoint, Participant
from energy.queries.participants import of_person

MOST = 4


class Measured(NamedTuple):
    """The last day of a meter."""

    direction: str
    day: dt.date
    kwh: float
    missing: int


def homes(person: User) -> Sequence[Item]:
    """Each of the person's own homes with the last day that was measured: used and made."""
    own = [one for one in of_person(person) if one.left_on is None and one.person_id == person.pk][:MOST]
    days = MeterDay.objects.filter(meter__participant__in=own, current=True).exclude(
        meter__proof=MeterPoint.Proof.CLAIMED
    )
    rows = days.order_by("meter_id", "-day").distinct("meter_id")
    by_home: dict[int, list[Measured]] = {}
    for row in rows.values_list("meter__participant", "meter__direction", "day", "kwh", "missing"):
        by_home.setdefault(row[0], []).append(Measured(*row[1:]))
    return [_item(one, by_home.get(one.pk, [])) for one in own]


def _item(home: Participant, measured: Sequence[Measured]) -> Item:
    url = reverse("rooms:community_mine", args=[home.community.slug])
    if not measured:
        return Item(home.name, url, _("%(community)s, not measured yet") % {"community": home.community.name})
    last = max(one.day for one in measured)
    words = {
        MeterPoint.Direction.USE: _("%(kwh)s from the grid"),
        MeterPoint.Direction.FEED_IN: _("%(kwh)s sent on"),
        MeterPoint.Direction.SOLAR: _("%(kwh)s of sun made"),
    }
    newest = sorted((one for one in measured if one.day == last), key=lambda one: one.direction, reverse=True)
    said = [words[MeterPoint.Direction(one.direction)] % {"kwh": numbers.kwh(one.kwh)} for one in newest]
    gaps = _("with gaps") if any(one.missing for one in newest) else ""
    return Item(home.name, url, f"{numbers.day(last)}: {', '.join(said)}", gaps, "warn")


def kinds() -> None:
    """The kinds of notices of this room, as a person may switch them."""
    notices.register(
        ("energy.joined", lazy("Somebody joins your community")),
        ("energy.left", lazy("Somebody leaves your community")),
        ("energy.statement", lazy("Your statement is there"), True),
    )


def register() -> None:
    """Fill the sockets."""
    kinds()
    sockets.parts.register(
        Part(
            "homes",
            lazy("My home’s day"),
            "energy",
            homes,
            "rooms:energy_homes",
            lazy("No home of yours belongs to an energy community."),
            "rooms:energy",
            lazy("See the communities"),
            70,
        )
    )
    sockets.steps.register(
        Step(
            "neighbour-join",
            "neighbour",
            lazy("Join your energy community"),
            lazy("With the code of an invitation, or found one with your neighbours."),
            _where_to_join,
            lambda person: Participant.objects.filter(person=person, left_on=None).exists(),
            order=20,
        )
    )
    sockets.steps.register(
        Step(
            "neighbour-things",
            "neighbour",
            lazy("Say what your home has"),
            lazy("A meter, a roof, a battery or a car: with it your share and your advice are your own."),
            _where_home_is,
            lambda person: (
                Asset.objects.filter(participant__person=person).exists()
                or MeterPoint.objects.filter(participant__person=person).exists()
            ),
            order=30,
        )
    )


def _where_to_join(person: User) -> str:
    near = Q(place=person.home_id) if person.home_id else Q()
    found: Community | None = policies.visible(person).filter(near, place__isnull=False).first()
    return reverse("rooms:community", args=[found.slug]) if found else reverse("rooms:energy")


def _where_home_is(person: User) -> str:
    found = Participant.objects.filter(person=person, left_on=None).select_related("community").first()
    return reverse("rooms:community_setup", args=[found.community.slug]) if found else reverse("rooms:energy_homes")
