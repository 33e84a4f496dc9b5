"""Judging a change."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from designs.errors import BadVerdict, ChangeMoved, NothingSaid, NotYours
from designs.models import Proposal, Review
from designs.policies import may_talk
from designs.services.pace import check_reviews
from designs.services.proposals.common import held, still_open, tell_about, words_of

TOLD = {
    Review.Verdict.APPROVE: gettext_lazy("%(who)s agrees with “%(title)s”"),
    Review.Verdict.ASK: gettext_lazy("%(who)s asks for more in “%(title)s”"),
    Review.Verdict.REMARK: gettext_lazy("%(who)s has a remark on “%(title)s”"),
}


@transaction.atomic
def review(*, proposal: Proposal, by: User, verdict: str, body: str = "", head: str = "") -> Review:
    """Say what one thinks of the newest version; `head` is the one that was looked at.

    Nobody agrees with a change of their own. Raises NotYours, ChangeOver, Archived, TooMany, BadVerdict, NothingSaid
    (asking for more needs words), or ChangeMoved when there is a newer version than `head`.
    """
    change = held(proposal)
    still_open(change)
    if not may_talk(by, change.design):
        raise NotYours(_("You cannot review changes of this design."))
    check_reviews(by)
    if verdict not in Review.Verdict.values:
        raise BadVerdict(_("A review agrees, asks for more or remarks, not “%(what)s”.") % {"what": verdict[:20]})
    if change.author_id == by.pk and verdict != Review.Verdict.REMARK:
        raise NotYours(_("This change is your own; somebody else agrees with it or asks for more."))
    text = words_of(body)
    if not text and verdict != Review.Verdict.APPROVE:
        raise NothingSaid(_("Say what you ask for."), field="body")
    same_version(change, head)
    made = Review.objects.create(proposal=change, author=by, verdict=verdict, body=text, commit=change.head)
    tell_about(change, kind="change-review", actor=by, text=TOLD[Review.Verdict(verdict)], who=by)
    return made


def same_version(change: Proposal, head: str) -> None:
    """Raises ChangeMoved when what was looked at is not what is offered now. Nothing given asks for nothing."""
    if head and head != change.head:
        raise ChangeMoved(
            _("A newer version was offered meanwhile. Look at it first; nothing has happened."), head=change.head
        )
