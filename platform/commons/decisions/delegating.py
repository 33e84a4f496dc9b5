"""Voting for others: in open ballots of bodies whose charter allows it, in one step, taken back at any time.

Asked for as a whole body's matter, resolved when a vote closes: whoever stands on the roll and has not voted is counted
as the person they named, if that one stands on the roll and has voted. The roll call says so.
"""

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.decisions import queries
from commons.decisions.errors import BadDelegation, NotAMember
from commons.decisions.models import Ballot, Body, Delegation, Motion, RollEntry
from commons.notices.services import tell
from commons.people.models import User
from commons.said import said

LONGEST = dt.timedelta(days=365)


def standing(body: Body, at: dt.datetime | None = None) -> dict[int, int]:
    """Who votes for whom: account ids, the one who delegated first."""
    at = at or timezone.now()
    rows = Delegation.objects.filter(body=body, since__lte=at, until__gt=at).filter(
        Q(ended_at=None) | Q(ended_at__gt=at)
    )
    return dict(rows.order_by("since").values_list("person_id", "to_id"))


def mine(body: Body, person: User) -> Delegation | None:
    """Whom a person lets vote for them in a body."""
    rows = Delegation.objects.filter(body=body, person=person, ended_at=None, until__gt=timezone.now())
    return rows.select_related("to").first()


def from_others(body: Body, person: User) -> list[User]:
    """For whom a person votes where those do not."""
    rows = Delegation.objects.filter(body=body, to=person, ended_at=None, until__gt=timezone.now())
    return [row.person for row in rows.select_related("person").order_by("person__username")]


@transaction.atomic
def delegate(*, body: Body, person: User, to: User, days: int = 365) -> Delegation:
    """Let another member vote for a person in open ballots, for a year at most; in place of whom they named before.

    Locks the body, so that no chain comes about by two at once. Raises BadDelegation, NotAMember.
    """
    Body.objects.select_for_update(no_key=True).get(pk=body.pk)
    version = queries.charter_now(body)
    if version is None or not version.rules.delegation:
        raise BadDelegation(_("The charter of this body lets nobody vote for another."))
    if not (queries.belongs(body, person) and queries.belongs(body, to)):
        raise NotAMember(_("Members let members vote for them."))
    if person.pk == to.pk:
        raise BadDelegation(_("You vote for yourself already."))
    now = timezone.now()
    held = standing(body, now)
    if to.pk in held:
        raise BadDelegation(
            _("%(name)s lets somebody else vote. There are no chains, so name somebody who votes.") % {"name": to}
        )
    if person.pk in held.values():
        raise BadDelegation(
            _("Others let you vote for them. There are no chains, so vote, or ask them to name another.")
        )
    take_back(body=body, person=person)
    try:
        with transaction.atomic():
            made = Delegation.objects.create(
                body=body, person=person, to=to, since=now, until=now + min(dt.timedelta(days=max(days, 1)), LONGEST)
            )
    except IntegrityError:
        raise BadDelegation(_("You have just named somebody; look again.")) from None
    tell(
        people=[to],
        kind="decisions.delegated",
        text=said(gettext_lazy("%(who)s lets you vote for them where they do not"), who=person.username),
        url=reverse("rooms:decision_body", args=[body.kind, body.key]),
        actor=person,
        about=f"delegation:{made.pk}",
    )
    return made


def take_back(*, body: Body, person: User) -> bool:
    """Vote for oneself again; whether there was anything to take back."""
    rows = Delegation.objects.filter(body=body, person=person, ended_at=None)
    return bool(rows.update(ended_at=timezone.now()))


def resolve(motion: Motion) -> int:
    """Write the ballots of those who let another vote; called once, when an open vote closes, in its transaction."""
    if motion.secret or motion.method == Motion.Method.CONSENT or not motion.charter.rules.delegation:
        return 0
    given = standing(motion.body, motion.closes_at)
    cast = {ballot.entry.person_id: ballot for ballot in
            Ballot.objects.filter(entry__motion=motion).select_related("entry")}  # fmt: skip
    waiting = RollEntry.objects.filter(motion=motion, person__in=given).exclude(person__in=cast)
    made = [
        Ballot(entry=entry, choice=cast[to].choice, through_id=to, cast_at=motion.closes_at)
        for entry in waiting
        if (to := given[entry.person_id]) in cast
    ]
    Ballot.objects.bulk_create(made)
    return len(made)
