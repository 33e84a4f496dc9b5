"""Offering a change, and giving it other words."""

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from designs import git
from designs.errors import AlreadyOffered, Archived, NotYours
from designs.git import merging
from designs.models import Design, Proposal
from designs.policies import check_not_mirrored, may_steer, may_talk
from designs.queries.proposals import Offer, preview
from designs.services.pace import check_changes
from designs.services.proposals.common import held, internal_ref, tell_about, title_of, words_of
from designs.services.proposals.following import follow


def open_proposal(
    *,
    design: Design,
    source: Design,
    source_branch: str,
    title: str,
    by: User,
    body: str = "",
    target_branch: str = "",
) -> Proposal:
    """Offer a branch of `source` (a fork, or the design itself) to a branch of the design.

    What is offered is copied into the design's repository under a hidden ref, so it stays whatever becomes of the
    source. Numbers have no gaps. Raises Archived, Mirrored, NotYours, TooMany, BadName, NothingSaid,
    AlreadyOffered or what `queries.proposals.preview` raises; then nothing has changed.
    """
    if design.is_archived:
        raise Archived(_("“%(design)s” is archived and can only be read.") % {"design": design.name})
    check_not_mirrored(design)
    if not may_talk(by, design):
        raise NotYours(_("You cannot offer changes to this design."))
    check_changes(by)
    title, body = title_of(title), words_of(body)
    target_branch = target_branch or design.default_branch
    offer = preview(design=design, source=source, branch=source_branch, target_branch=target_branch, visitor=by)
    try:
        with transaction.atomic():
            proposal = _write(offer, title=title, body=body, by=by)
            merging.bring(
                git.of(design.repository), git.of(source.repository), commit=offer.head,
                ref=internal_ref(proposal, offer.head),
            )  # fmt: skip
            tell_about(
                proposal, kind="change", actor=by, who=by,
                text=gettext_lazy("%(who)s offers a change to %(design)s: %(title)s"),
            )  # fmt: skip
            follow(proposal=proposal, by=by)
    except IntegrityError:
        raise _offered(offer) from None
    return proposal


def _write(offer: Offer, *, title: str, body: str, by: User) -> Proposal:
    """The row, with the next number of the design; the lock on the design lets one at a time count."""
    design = Design.objects.select_for_update(no_key=True, of=("self",)).get(pk=offer.design.pk)
    last = design.proposals.aggregate(last=Max("number"))["last"] or 0
    return Proposal.objects.create(
        design=offer.design,
        number=last + 1,
        title=title,
        body=body,
        author=by,
        source=offer.source,
        source_branch=offer.source_branch,
        target_branch=offer.target_branch,
        base=offer.base,
        head=offer.head,
        versions=[{"head": offer.head, "base": offer.base, "at": timezone.now().isoformat()}],
    )


def _offered(offer: Offer) -> AlreadyOffered:
    there = offer.design.proposals.filter(
        state=Proposal.State.OPEN, source=offer.source, source_branch=offer.source_branch
    ).first()
    return AlreadyOffered(
        _("“%(branch)s” is offered already; what you push to it joins that change.") % {"branch": offer.source_branch},
        number=there.number if there else None,
    )


@transaction.atomic
def edit(*, proposal: Proposal, by: User, title: str | None = None, body: str | None = None) -> Proposal:
    """Give a change other words. Raises NotYours, BadName or NothingSaid."""
    change = held(proposal)
    if not may_steer(by, change):
        raise NotYours(_("Only the author of a change, or who may merge it, can give it other words."))
    change.title = change.title if title is None else title_of(title)
    change.body = change.body if body is None else words_of(body)
    change.save(update_fields=["title", "body", "updated_at"])
    return change
