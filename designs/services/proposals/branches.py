"""What becomes of the branch of a change once it is merged: taken away, and brought back when it is wanted again.

The commits of a change stay in its design's repository under a hidden ref whatever happens to the branch, so a branch
that was taken away can be brought back for as long as the change is there.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from commons.people.models import User
from designs import git
from designs.errors import BranchNeeded, ChangeOver, NotYours
from designs.git import commits, merging
from designs.models import Design, Proposal
from designs.policies import may_push, seen_by
from designs.queries.proposals import branch_tip
from designs.services.index import index_later
from designs.services.proposals.common import held


@transaction.atomic
def drop_branch(*, proposal: Proposal, by: User) -> Proposal:
    """Take the branch of a merged change away, where `by` may push.

    Raises NotYours, ChangeOver (it is not merged, or its branch is gone), BranchNeeded or BranchMoved; then nothing has
    changed.
    """
    change = held(proposal)
    source = _source(change, by)
    tip = branch_tip(source, change.source_branch)
    if not tip:
        raise ChangeOver(_("“%(branch)s” is gone already.") % {"branch": change.source_branch})
    if why := needed(change, source, tip):
        raise BranchNeeded(why)
    commits.drop(git.of(source.repository), branch=change.source_branch, expected=tip)
    index_later(design=source, by=by, pushed=False)
    return change


@transaction.atomic
def bring_branch_back(*, proposal: Proposal, by: User) -> Proposal:
    """Let the branch of a merged change name again what was merged, where `by` may push.

    Raises NotYours, ChangeOver (it is not merged) or BranchMoved (there is a branch of that name).
    """
    change = held(proposal)
    source = _source(change, by)
    kept = f"{merging.INTERNAL}back/{change.design.pk}-{change.number}"
    here = git.of(source.repository)
    merging.bring(here, git.of(change.design.repository), commit=change.head, ref=kept)
    try:
        commits.move(here, branch=change.source_branch, to=change.head, expected=commits.NO_COMMIT)
    finally:
        merging.forget(here, kept)
    index_later(design=source, by=by)
    return change


def needed(change: Proposal, source: Design, tip: str) -> str:
    """Why the branch must stay; empty when it may go."""
    branch = {"branch": change.source_branch}
    if change.source_branch == source.default_branch:
        return _("“%(branch)s” is the main branch of its design and stays.") % branch
    if tip != change.head:
        return _("“%(branch)s” holds work that is newer than what was merged.") % branch
    open_ones = Proposal.objects.filter(state=Proposal.State.OPEN)
    others = open_ones.filter(source=source, source_branch=change.source_branch)
    into = open_ones.filter(design=source, target_branch=change.source_branch)
    if others.exists() or into.exists():
        return _("Another open change comes from “%(branch)s” or goes into it.") % branch
    return ""


def branch_state(change: Proposal, person: User | None) -> str:
    """What the person may do with the branch of the change: "drop" it, bring it "back", or nothing."""
    source = change.source
    if change.state != Proposal.State.MERGED or source is None or not _is_theirs(source, person):
        return ""
    tip = branch_tip(source, change.source_branch)
    if not tip:
        return "back"
    return "" if needed(change, source, tip) else "drop"


def _is_theirs(source: Design, person: User | None) -> bool:
    return may_push(person, source) and Design.objects.filter(seen_by(person), pk=source.pk).exists()


def _source(change: Proposal, by: User) -> Design:
    source = change.source
    if source is None or not _is_theirs(source, by):
        raise NotYours(_("Only who may push to the branch can do this."))
    if change.state != Proposal.State.MERGED:
        raise ChangeOver(_("Change %(n)d is not merged, so its branch stays.") % {"n": change.number})
    return source
