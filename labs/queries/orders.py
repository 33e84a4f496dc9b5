"""Reads of orders: one's own, a lab's queue with its load, who may see and do what."""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from commons.people.models import User
from labs import policies
from labs.errors.orders import UnknownOrder
from labs.models import Job, Lab, MakeOrder
from labs.queries import jobs

S = MakeOrder.Status

#: Each step: who takes it, from which states, to which.
STEPS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "quote": ("lab", (S.ASKED, S.QUOTED), S.QUOTED),
    "accept": ("person", (S.QUOTED,), S.ACCEPTED),
    "queue": ("lab", (S.ACCEPTED,), S.QUEUED),
    "start": ("lab", (S.ACCEPTED, S.QUEUED), S.MAKING),
    "ready": ("lab", (S.ACCEPTED, S.QUEUED, S.MAKING), S.READY),
    "hand-over": ("lab", (S.READY,), S.HANDED_OVER),
    "decline": ("lab", (S.ASKED, S.QUOTED, S.ACCEPTED, S.QUEUED), S.DECLINED),
    "withdraw": ("person", (S.ASKED, S.QUOTED, S.ACCEPTED, S.QUEUED), S.WITHDRAWN),
}


@dataclass(frozen=True, slots=True)
class Sides:
    """On which sides of an order a person stands; on both when one orders from one's own lab."""

    person: bool
    lab: bool

    def may(self, order: MakeOrder, step: str) -> bool:
        """Whether the step can be taken now, by this person."""
        side, states, _then = STEPS[step]
        return getattr(self, side) and order.status in states


def rows() -> QuerySet[MakeOrder]:
    """Orders with what a list needs."""
    return MakeOrder.objects.select_related("lab__place", "lab__organisation", "person", "design__owner", "release")


def sides(order: MakeOrder, viewer: User | None) -> Sides:
    """Where the viewer stands."""
    if viewer is None:
        return Sides(False, False)
    return Sides(order.person_id == viewer.pk, policies.may_make(viewer, order.lab))


def find(order: uuid.UUID | str, viewer: User | None) -> tuple[MakeOrder, Sides]:
    """The order, if the viewer is on one of its sides. Raises UnknownOrder."""
    found = rows().filter(pk=order).first()
    held = sides(found, viewer) if found else None
    if found is None or held is None or not (held.person or held.lab):
        raise UnknownOrder(_("There is no such order, or it is not yours."))
    return found, held


def of_person(person: User) -> QuerySet[MakeOrder]:
    """A person's orders, newest first."""
    return rows().filter(person=person)


def seen_by(person: User) -> QuerySet[MakeOrder]:
    """Orders of the person and of the labs whose orders they make."""
    return rows().filter(Q(person=person) | Q(lab__in=policies.labs_that_make(person)))


def queue(lab: Lab) -> QuerySet[MakeOrder]:
    """What a lab has to do, by deadline, those without one last."""
    return rows().filter(lab=lab, status__in=MakeOrder.OPEN).order_by(F("deadline").asc(nulls_last=True), "created_at")


def past(lab: Lab) -> QuerySet[MakeOrder]:
    """What a lab has done or not, newest first."""
    return rows().filter(lab=lab).exclude(status__in=MakeOrder.OPEN).order_by("-updated_at")


def load_h(lab: Lab) -> Decimal:
    """Hours that were promised and are not done."""
    promised = (S.ACCEPTED, S.QUEUED, S.MAKING)
    total = MakeOrder.objects.filter(lab=lab, status__in=promised).aggregate(hours=Sum("hours"))["hours"]
    return total or Decimal(0)


def jobs_of(order: MakeOrder) -> QuerySet[Job]:
    """What machines did in the bookings of an order."""
    return jobs.rows().filter(booking__order_booking__order=order).order_by("started_at")


def due_words(order: MakeOrder, today: dt.date) -> int | None:
    """Days until the deadline; negative when it is past."""
    return (order.deadline - today).days if order.deadline else None
