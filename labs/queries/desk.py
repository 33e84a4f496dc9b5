"""What waits for those who run a lab, one line for each kind of thing."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import F
from django.urls import reverse
from django.utils.translation import ngettext

from labs.models import Fault, Joining, Lab, MakeOrder
from labs.queries import bookings, learning, maintenance


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of what wait, in words, and where they are answered; `pressing` when somebody's plans hang on it."""

    count: int
    words: str
    url: str
    pressing: bool = False


def waiting(lab: Lab, *, manages: bool, now: dt.datetime) -> list[Waiting]:
    """What waits for a trainer of the lab and, where they manage it, for a manager; what presses comes first."""
    found = [_orders(lab), _faults(lab), _maintenance(lab, now), _stock(lab), *_learners(lab)]
    if manages:
        found += [_requests(lab, now), _joinings(lab)]
    return sorted((one for one in found if one.count), key=lambda one: not one.pressing)


def _requests(lab: Lab, now: dt.datetime) -> Waiting:
    n = len(bookings.requests(lab, now))
    words = ngettext("%(n)s booking asks for your yes", "%(n)s bookings ask for your yes", n) % {"n": n}
    return Waiting(n, words, reverse("rooms:lab_bookings", args=[lab.slug]), pressing=True)


def _orders(lab: Lab) -> Waiting:
    waits = (MakeOrder.Status.ASKED, MakeOrder.Status.ACCEPTED)
    n = MakeOrder.objects.filter(lab=lab, status__in=waits).count()
    words = ngettext("%(n)s order waits for the lab's next step", "%(n)s orders wait for the lab's next step", n)
    return Waiting(n, words % {"n": n}, reverse("rooms:lab_orders", args=[lab.slug]), pressing=True)


def _faults(lab: Lab) -> Waiting:
    n = Fault.objects.filter(machine__lab=lab, status=Fault.Status.OPEN, keeper=None).count()
    words = ngettext("Nobody looks after %(n)s fault", "Nobody looks after %(n)s faults", n) % {"n": n}
    return Waiting(n, words, reverse("rooms:lab_faults", args=[lab.slug]), pressing=True)


def _maintenance(lab: Lab, now: dt.datetime) -> Waiting:
    n = sum(standing.due.state == "due" for standing in maintenance.of_lab(lab, now))
    words = ngettext("%(n)s machine's maintenance is due", "Maintenance is due %(n)s times", n) % {"n": n}
    return Waiting(n, words, reverse("rooms:lab_maintenance", args=[lab.slug]))


def _stock(lab: Lab) -> Waiting:
    n = lab.consumables.filter(stock__lte=F("low")).count()
    words = ngettext("%(n)s consumable runs out", "%(n)s consumables run out", n) % {"n": n}
    return Waiting(n, words, reverse("rooms:lab_consumables", args=[lab.slug]))


def _learners(lab: Lab) -> list[Waiting]:
    """Who has passed the lessons and wants to show it to a trainer, course by course."""
    found = []
    for teaching in learning.teachings(lab).filter(ended_at=None):
        n = len(learning.ready(teaching))
        words = ngettext("%(n)s person is ready for “%(course)s”", "%(n)s people are ready for “%(course)s”", n)
        url = reverse("rooms:teaching", args=[lab.slug, teaching.pk])
        found.append(Waiting(n, words % {"n": n, "course": teaching.course.title}, url))
    return found


def _joinings(lab: Lab) -> Waiting:
    asked = lab.joinings.filter(state=Joining.State.OPEN, kind=Joining.Kind.ASKED)
    n = asked.count()
    words = ngettext("%(n)s person asks to join", "%(n)s people ask to join", n) % {"n": n}
    return Waiting(n, words, reverse("rooms:lab_people", args=[lab.slug]))
