"""What people say about designs, and about changes to them: threads of one level, with notices to whom it concerns."""

import datetime as dt
import math
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.notices.services import tell
from commons.people.models import User
from commons.said import said
from designs import markdown
from designs.errors import BadAnchor, DesignNotFound, NothingSaid, NotYours, TooMany
from designs.git.names import path_fault
from designs.models import Comment, Design, Proposal
from designs.policies import check_not_archived, may_maintain, may_manage, may_talk
from designs.queries.audience import audience, seeing

MAX_BODY = 20_000
MAX_IN_TEN_MINUTES = 30
SIDES = ("old", "new")


@transaction.atomic
def say(
    *,
    design: Design,
    author: User,
    body: str,
    proposal: Proposal | None = None,
    anchor: Mapping[str, Any] | None = None,
    answers: Comment | None = None,
    commit: str = "",
) -> Comment:
    """A comment on the design, or on a change to it; those whom it concerns hear of it.

    An answer to an answer joins the same thread. Raises Archived, NotYours, NothingSaid, BadAnchor, DesignNotFound (an
    answer to what is not here) or TooMany.
    """
    check_may_talk(author, design)
    body = check_body(body)
    root = _root(design, proposal, answers)
    _not_too_many(author)
    comment = Comment.objects.create(
        design=design, proposal=proposal, author=author, body=body, answers=root, commit=commit[:40],
        anchor=check_anchor(anchor),
    )  # fmt: skip
    _announce(comment)
    return comment


@transaction.atomic
def edit(*, comment: Comment, by: User, body: str) -> Comment:
    """Other words for a comment of one's own; who is named anew hears of it. Raises as `say` does."""
    if comment.author_id != by.pk or comment.removed_at is not None:
        raise NotYours(_("Only who said it can change the words."))
    check_may_talk(by, comment.design)
    before = set(markdown.names_in(comment.body))
    comment.body, comment.edited_at = check_body(body), timezone.now()
    comment.save(update_fields=["body", "edited_at"])
    _tell_named(comment, but=before)
    return comment


@transaction.atomic
def remove(*, comment: Comment, by: User) -> None:
    """Take a comment away: one's own, or on a design that one looks after. Answers to it stay, under an empty place.

    Raises NotYours or Archived.
    """
    if comment.author_id != by.pk and not may_manage(by, comment.design):
        raise NotYours(_("Only who said it, or the design's owner, can take it away."))
    check_not_archived(comment.design)
    if comment.replies.exists():
        comment.body, comment.anchor, comment.removed_at = "", None, timezone.now()
        comment.save(update_fields=["body", "anchor", "removed_at"])
        return
    root = comment.answers
    comment.delete()
    if root is not None and root.removed_at is not None and not root.replies.exists():
        root.delete()


@transaction.atomic
def resolve(*, comment: Comment, by: User, resolved: bool = True) -> Comment:
    """Say that a thread is dealt with, or open it again: who began it, who offered the change, who may push.

    Raises NotYours or Archived.
    """
    root = comment.answers or comment
    check_not_archived(root.design)
    offered = root.proposal.author_id if root.proposal is not None else None
    if by.pk not in {root.author_id, offered} and not may_maintain(by, root.design):
        raise NotYours(_("Only those in this thread who may change the design can settle it."))
    root.resolved_at = timezone.now() if resolved else None
    root.save(update_fields=["resolved_at"])
    return root


def check_may_talk(person: User, design: Design) -> None:
    """Raises Archived or NotYours."""
    check_not_archived(design)
    if not may_talk(person, design):
        raise NotYours(_("You cannot comment on this design."))


def check_body(body: str) -> str:
    """The words without what surrounds them. Raises NothingSaid."""
    body = body.replace("\r\n", "\n").replace("\x00", "").strip()
    if not body:
        raise NothingSaid(_("Write something first."))
    if len(body) > MAX_BODY:
        raise NothingSaid(
            _("A comment has up to %(n)d characters; this one has %(m)d.") % {"n": MAX_BODY, "m": len(body)}
        )
    return body


def check_anchor(anchor: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The place in a file that a comment is pinned to, with nothing else in it. Raises BadAnchor."""
    if not anchor:
        return None
    path = anchor.get("path")
    if not isinstance(path, str) or len(path) > 1000 or path_fault(path):
        raise BadAnchor(_("A comment is pinned to a file of the design."))
    found: dict[str, Any] = {"path": path}
    line, side, point = anchor.get("line"), anchor.get("side"), anchor.get("point")
    if line is not None:
        if isinstance(line, bool) or not isinstance(line, int) or not 1 <= line <= 10_000_000:
            raise BadAnchor(_("A line is a number from 1."))
        found |= {"line": line, "side": side if side in SIDES else "new"}
    if point is not None:
        if not isinstance(point, list | tuple) or len(point) != 3 or not all(_finite(value) for value in point):
            raise BadAnchor(_("A point has three numbers, in mm."))
        found["point"] = [round(float(value), 4) for value in point]
    return found


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e7


def _root(design: Design, proposal: Proposal | None, answers: Comment | None) -> Comment | None:
    if answers is None:
        return None
    root = answers.answers or answers
    if root.design_id != design.pk or root.proposal_id != (proposal.pk if proposal else None) or root.hidden_at:
        raise DesignNotFound(_("There is no such comment here."))
    return root


def _not_too_many(author: User) -> None:
    since = timezone.now() - dt.timedelta(minutes=10)
    if Comment.objects.filter(author=author, created_at__gte=since).count() >= MAX_IN_TEN_MINUTES:
        raise TooMany(_("That is a lot of comments in ten minutes. Wait a little, nothing is lost."))


# --- who hears of it ---------------------------------------------------------------------------------------------


def url_of(comment: Comment) -> str:
    """Where the comment stands, in the site's own language."""
    design, proposal = comment.design, comment.proposal
    with translation.override(settings.LANGUAGE_CODE):
        try:
            page = (
                reverse("rooms:design_change", args=[design.owner.name, design.slug, proposal.number])
                if proposal is not None
                else reverse("rooms:design_talk", args=[design.owner.name, design.slug])
            )
        except NoReverseMatch:
            page = reverse("rooms:design", args=[design.owner.name, design.slug])
    return f"{page}#comment-{comment.pk}"


def _participants(comment: Comment) -> list[User]:
    """Who has spoken in the same thread or change, and who offered the change."""
    about = Q(comments__proposal=comment.proposal_id) if comment.proposal_id else Q(pk=None)
    if comment.answers_id:
        about |= Q(comments__answers=comment.answers_id) | Q(comments=comment.answers_id)
    if comment.proposal is not None:
        about |= Q(proposals=comment.proposal_id)
    return list(User.objects.filter(about, is_active=True).distinct())


def _named(comment: Comment) -> list[User]:
    names = markdown.names_in(comment.body)
    return seeing(comment.design, User.objects.filter(username__in=names, is_active=True)) if names else []


def _announce(comment: Comment) -> None:
    named = _named(comment)
    heard = {person.pk for person in named}
    also = _participants(comment)
    listening = [p for p in audience(comment.design, also=also) if p.pk not in heard]
    text = said(gettext_lazy("%(name)s wrote about %(design)s"), name=comment.author, design=comment.design.name)
    about = f"designs.comment:{comment.answers_id or comment.pk}"
    tell(people=listening, kind="designs.comment", text=text, url=url_of(comment), actor=comment.author, about=about)
    _tell_named(comment)


def _tell_named(comment: Comment, but: Collection[str] = ()) -> None:
    people = [person for person in _named(comment) if person.username not in but]
    text = said(gettext_lazy("%(name)s named you in %(design)s"), name=comment.author, design=comment.design.name)
    tell(people=people, kind="designs.mention", text=text, url=url_of(comment), actor=comment.author)
