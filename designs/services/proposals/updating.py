"""Bringing the target into the source: what makes an old change mergeable again."""

from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from designs import git
from designs.errors import ChangeOver, NotYours
from designs.git import merging
from designs.models import Design, Proposal
from designs.policies import may_push, seen_by
from designs.queries.proposals import branch_tip
from designs.services.files import author_of
from designs.services.index import index_later
from designs.services.proposals.common import still_open
from designs.services.proposals.following import look, newest_of, write


def update_source(*, proposal: Proposal, by: User) -> Proposal:
    """Merge the target's branch into the branch that is offered, where `by` may push.

    Raises NotYours, ChangeOver, Archived, MergeConflict or BranchMoved; then nothing has changed.
    """
    still_open(proposal)
    source = _theirs(proposal, by)
    design, onto = proposal.design, branch_tip(proposal.design, proposal.target_branch)
    if source.is_public and not design.is_public:
        raise NotYours(_("The design is private and the fork is not; its files cannot be brought there."))
    if source.pk != design.pk and onto:
        merging.bring(
            git.of(source.repository), git.of(design.repository), commit=onto, ref=f"refs/internal/upstream/{onto}"
        )
    where = proposal.target_branch if source.pk == design.pk else f"{design.owner.name}/{design.slug}"
    merging.merge(
        git.of(source.repository), branch=proposal.source_branch, theirs=onto,
        message=f"Bring {where} up to date", author=author_of(by), at=timezone.now(),
    )  # fmt: skip
    index_later(design=source, by=by)
    return take_newest(proposal=proposal, by=by)


def take_newest(*, proposal: Proposal, by: User) -> Proposal:
    """Offer what the source's branch holds now: for a private source, whose pushes join no change by themselves.

    Raises NotYours, ChangeOver or Archived.
    """
    still_open(proposal)
    _theirs(proposal, by)
    seen = look(proposal, take_newest=True)
    return write(proposal=proposal, seen=seen)


def has_newer(proposal: Proposal) -> bool:
    """Whether the source's branch holds something that is not offered yet."""
    tip = newest_of(proposal) if proposal.is_open else ""
    return bool(tip) and tip != proposal.head


def _theirs(proposal: Proposal, by: User) -> Design:
    """The source, if the person may push to its branch. Raises ChangeOver or NotYours."""
    source = proposal.source
    if source is None or source.deleted_at is not None or not branch_tip(source, proposal.source_branch):
        raise ChangeOver(_("The branch that this change comes from is gone; what was offered is kept here."))
    seen = Design.objects.filter(seen_by(by), pk=source.pk).exists()
    if not seen or not may_push(by, source):
        raise NotYours(_("Only who may push to the branch can do this."))
    return source
