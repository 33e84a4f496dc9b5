"""Reads of what a lab tells of itself: its people, its circuits with what they carry, requests to join."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import Membership, User
from commons.web import numbers
from labs.engine import hours
from labs.errors.catalogue import UnknownThing
from labs.models import Circuit, Consumable, Joining, Lab, Machine
from labs.queries.board import STALE, Tile
from labs.queries.circuits import circuit_watts


@dataclass(frozen=True, slots=True)
class Load:
    """A circuit with what its machines draw now, in W (None when none has said), and what they could at most."""

    circuit: Circuit
    watts: float | None
    rated_w: int
    machines: list[Machine]
    running: int
    metered: bool = False

    @property
    def share(self) -> float:
        """Of the limit."""
        return min((self.watts or 0.0) / self.circuit.limit_w, 1.0)

    @property
    def over(self) -> bool:
        """Whether more is drawn than the circuit should carry."""
        return (self.watts or 0.0) > self.circuit.limit_w

    @property
    def left_w(self) -> float:
        """What can still be drawn."""
        return max(self.circuit.limit_w - (self.watts or 0.0), 0.0)

    @property
    def words(self) -> str:
        """What it means for who wants to start a job there."""
        if self.over:
            return _("More than the circuit should carry: end a job or wait with the next.")
        left = {"left": numbers.watts(self.left_w), "rated": numbers.watts(self.rated_w)}
        if self.rated_w > self.circuit.limit_w:
            return _("All its machines at once want %(rated)s; %(left)s are left now.") % left
        return _("%(left)s are left now.") % left


def loads(tiles: list[Tile], now: dt.datetime | None = None) -> list[Load]:
    """The circuits that the machines of a board hang on, with their load: what a meter of the circuit says, and where
    none does, what its machines say together. Two queries."""
    circuits = {tile.machine.circuit for tile in tiles if tile.machine.circuit is not None}
    metered = circuit_watts(circuits, now or timezone.now(), within=STALE)
    found = []
    for circuit in sorted(circuits, key=lambda one: (one.name, one.pk)):
        mine = [tile for tile in tiles if tile.machine.circuit_id == circuit.pk]
        told = [tile.power.watts for tile in mine if tile.power.watts is not None and not tile.power.old]
        found.append(
            Load(
                circuit=circuit,
                watts=metered.get(circuit.pk, sum(told) if told else None),
                metered=circuit.pk in metered,
                rated_w=sum(tile.machine.rated_w or 0 for tile in mine),
                machines=[tile.machine for tile in mine],
                running=sum(tile.running for tile in mine),
            )
        )
    return found


def week(lab: Lab) -> list[tuple[str, str]]:
    """The days of the week with their hours as people write them; nothing when the lab never closes."""
    if not lab.opening_hours:
        return []
    names = [_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")]
    return [
        (name, hours.write_day(lab.opening_hours.get(day, ()))) for name, day in zip(names, hours.DAYS, strict=True)
    ]


def people(lab: Lab) -> list[Membership]:
    """Those who belong to a lab, who runs it first."""
    order = {"owner": 0, "manager": 1, "trainer": 2, "steward": 3, "member": 4}
    rows = Membership.objects.filter(organisation=lab.organisation_id, user__is_active=True).select_related("user")
    return sorted(rows, key=lambda m: (order.get(m.role, 9), str(m.user).casefold()))


def open_joinings(lab: Lab) -> QuerySet[Joining]:
    """Requests and invitations that wait, oldest first."""
    return lab.joinings.filter(state=Joining.State.OPEN).select_related("user", "by")


def joining_of(lab: Lab, user: User | None) -> Joining | None:
    """The person's open request or invitation."""
    return lab.joinings.filter(state=Joining.State.OPEN, user=user).first() if user else None


def find_joining(lab: Lab, number: str) -> Joining:
    """An open request or invitation of a lab. Raises UnknownThing."""
    found = open_joinings(lab).filter(pk=_number(number)).first()
    if found is None:
        raise UnknownThing(_("There is no such request, or it was answered."))
    return found


def consumables(lab: Lab) -> QuerySet[Consumable]:
    """What the lab's machines use up."""
    return lab.consumables.prefetch_related("machines")


def find_consumable(lab: Lab, number: str) -> Consumable:
    """A consumable of a lab. Raises UnknownThing."""
    found = lab.consumables.filter(pk=_number(number)).first()
    if found is None:
        raise UnknownThing(_("The lab has no such consumable."))
    return found


def today(lab: Lab, now: dt.datetime) -> dt.date:
    """The day by the lab's calendar."""
    return now.astimezone(lab.zone).date()


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0
