"""What decisions bring to a person's own pages: votes that wait for them, their dates, a first step.

Whether somebody voted is known to themselves and to the roll; what they voted is asked nowhere here.
"""

import datetime as dt
from collections.abc import Iterator, Sequence

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons import sockets as house
from commons.decisions.models import Motion
from commons.decisions.queries import decider, voted_by
from commons.mine import sockets
from commons.mine.sockets import Dated, Item, Part, Step
from commons.notices import kinds as notices
from commons.people.models import User

MOST = 5
QUARTER = dt.timedelta(minutes=15)
S = Motion.State


def waiting(person: User) -> Sequence[Item]:
    """Open votes on whose roll the person stands and in which they have not voted, the first to close first; then what
    is talked over in their bodies."""
    known = voted_by(person)
    todo = known["roll"] - known["cast"]
    found = []
    rows = Motion.objects.filter(pk__in=todo).select_related("body").order_by("closes_at")
    for motion in rows[:MOST]:
        who = decider(motion.body, person)
        url = reverse("rooms:decision", args=[motion.pk])
        found.append(Item(motion.title, url, who.name if who else "", "", "", waits=True, by=motion.closes_at))
    for motion in _of_bodies(person).filter(state=S.TALK).order_by("opens_at")[: MOST - len(found)]:
        url = reverse("rooms:decision", args=[motion.pk])
        found.append(Item(motion.title, url, str(motion.get_state_display()), "", "", by=motion.opens_at))
    return found


def _of_bodies(person: User) -> "QuerySet[Motion]":
    mine = Q(pk=None)
    for kind in house.deciding_bodies:
        keys = list(kind.keys_of(person))
        if keys:
            mine |= Q(body__kind=kind.slug, body__key__in=keys)
    return Motion.objects.filter(mine).select_related("body")


def dates(person: User, since: dt.datetime) -> Iterator[Dated]:
    """When votes of the person's bodies open and close and until when they may be objected to: the quarter of an hour
    before a deadline, the one after an opening."""
    for motion in _of_bodies(person).filter(closes_at__gte=since).exclude(state=S.WITHDRAWN):
        moments = [
            ("opens", motion.opens_at, _("Vote opens: %(title)s")),
            ("closes", motion.closes_at - QUARTER, _("Vote closes: %(title)s")),
        ]
        if motion.objections_until and motion.state == S.OBJECTIONS:
            moments.append(("objections", motion.objections_until - QUARTER, _("Last moment to object: %(title)s")))
        for what, start, words in moments:
            yield Dated(
                f"decision-{motion.pk}-{what}",
                start,
                start + QUARTER,
                words % {"title": motion.title},
                reverse("rooms:decision", args=[motion.pk]),
                motion.created_at,
                gone=motion.state == S.STOPPED,
                busy=False,
            )


def has_taken_part(person: User) -> bool:
    """Whether the person has proposed something, or voted by roll call."""
    return Motion.objects.filter(Q(author=person) | Q(roll__person=person, roll__ballot__isnull=False)).exists()


def kinds() -> None:
    """The kinds of notices of this room, as a person may switch them."""
    notices.register(
        ("decisions.talk", lazy("A body of yours talks something over")),
        ("decisions.open", lazy("A vote of yours opens")),
        ("decisions.objections", lazy("A vote has passed and may be objected to")),
        ("decisions.passed", lazy("A vote has passed")),
        ("decisions.kept", lazy("A vote leaves things as they are")),
        ("decisions.enacted", lazy("A decision comes into force"), True),
        ("decisions.stopped", lazy("A decision is stopped")),
        ("decisions.delegated", lazy("Somebody votes for you, or you for them")),
    )


def register() -> None:
    """Fill the sockets."""
    kinds()
    sockets.parts.register(
        Part(
            "decisions",
            lazy("Decisions"),
            "decisions",
            waiting,
            "rooms:decisions",
            lazy("No vote waits for you."),
            "rooms:decisions",
            lazy("See what is being decided"),
            25,
        )
    )
    sockets.dates.register(sockets.Dates("decisions", dates))
    sockets.steps.register(
        Step(
            "neighbour-decide",
            "neighbour",
            lazy("Take part in a decision"),
            lazy("Vote in your community, or propose something that sets a rule, a quota or a price."),
            lambda _person: reverse("rooms:decisions"),
            has_taken_part,
            order=50,
        )
    )
