"""How a change ends: merged, closed, opened again, undone.

A merge holds the design's lock, so two of them here follow each other; against pushes with git the branch itself
decides (`update-ref` with the expected commit), and a merge that came second is tried again on top of the newer one.
"""

import datetime as dt
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from designs import git
from designs.errors import AlreadyOffered, BadMethod, BranchMoved, ChangeOver, NeedsApproval, NotYours
from designs.git import merging, reverting
from designs.git.commits import Author
from designs.git.repository import Commit
from designs.models import Proposal
from designs.policies import check_not_mirrored, may_push, may_steer
from designs.queries.proposals import branch_tip, commits_in, is_approved
from designs.services.files import author_of
from designs.services.index import index_later
from designs.services.proposals.common import held, still_open, tell_about, words_of
from designs.services.proposals.following import follow, land, share_large_files
from designs.services.proposals.landing import landing_of, mark_of
from designs.services.proposals.material import check_licences
from designs.services.proposals.opening import open_proposal
from designs.services.proposals.reviews import same_version

TRIES = 3


@transaction.atomic
def merge(
    *,
    proposal: Proposal,
    by: User,
    method: str = Proposal.Method.MERGE,
    message: str = "",
    head: str = "",
    at: dt.datetime | None = None,
    decided: str = "",
) -> Proposal:
    """Bring the change into its branch, by a merge commit, or as one commit that names everybody who worked on it.

    `head` is the version that was looked at, `at` when it is merged, now without it. `decided` is the address of a vote
    of those who may merge, which stands for somebody's agreement. One that is in the branch already,
    since a process died before it wrote so down, is written down and not merged again. Raises NotYours, Archived,
    Mirrored, ChangeOver, ChangeMoved, NeedsApproval, BadMethod, LicenceForbids, MergeConflict (with
    `paths`) or BranchMoved; then nothing has changed.
    """
    change, at = held(proposal), at or timezone.now()
    design = change.design
    still_open(change)
    check_not_mirrored(design)
    if not may_push(by, design):
        raise NotYours(_("Only people who may push to this design can merge changes."))
    same_version(change, head)
    if design.merge_needs_approval and not decided and not is_approved(change):
        raise NeedsApproval(_("Somebody who may merge must agree to the newest version first."))
    if landing := landing_of(change):
        return land(change, landing)
    check_licences(design, change.source)
    if method not in Proposal.Method.values:
        raise BadMethod(_("A change is merged as “merge” or “squash”, not as “%(what)s”.") % {"what": method[:20]})
    squash = method == Proposal.Method.SQUASH
    change.method = Proposal.Method.SQUASH if squash else Proposal.Method.MERGE
    change.merged_commit = _merged(change, by, squash=squash, message=words_of(message), at=at)
    change.state, change.ended_by, change.ended_at = Proposal.State.MERGED, by, at
    change.save(update_fields=["state", "method", "merged_commit", "ended_by", "ended_at", "updated_at"])
    share_large_files(change)
    tell_about(change, kind="change-merged", actor=by, text=gettext_lazy("“%(title)s” is in %(design)s now"))
    index_later(design=design, by=by)
    return change


def _merged(change: Proposal, by: User, *, squash: bool, message: str, at: dt.datetime) -> str:
    """The commit that the branch names after the merge; a branch that moved meanwhile is merged into as it is then."""
    repository = git.of(change.design.repository)
    brought = commits_in(change)
    author = _main_author(brought, by) if squash else author_of(by)
    text = _message(change, message, brought if squash else (), author)
    for attempt in range(TRIES):
        try:
            return merging.merge(
                repository, branch=change.target_branch, theirs=change.head, message=text, author=author,
                at=at, squash=squash, mark=mark_of(change, method=change.method, by=by),
            )  # fmt: skip
        except BranchMoved:
            if attempt + 1 == TRIES:
                raise
    raise AssertionError("unreachable")


def _main_author(brought: Iterable[Commit], by: User) -> Author:
    """Who made most of the commits, the earlier one when two made as many."""
    made: dict[tuple[str, str], int] = {}
    for commit in reversed(list(brought)):
        made[commit.author, commit.email] = made.get((commit.author, commit.email), 0) + 1
    if not made:
        return author_of(by)
    name, email = max(made, key=lambda who: made[who])
    return Author(name, email)


def _message(change: Proposal, message: str, brought: Iterable[Commit], author: Author) -> str:
    """The title with the change's number, the words, and the others who made it as Co-authored-by."""
    text = message or f"{change.title} (change {change.number})\n\n{change.body}".strip()
    others = dict.fromkeys((c.author, c.email) for c in reversed(list(brought)) if c.email != author.email)
    named = [f"Co-authored-by: {_one_line(name)} <{_one_line(email)}>" for name, email in others]
    return f"{text}\n\n" + "\n".join(named) + "\n" if named else f"{text}\n"


def _one_line(text: str) -> str:
    return " ".join(text.replace("<", "").replace(">", "").split())


@transaction.atomic
def close(*, proposal: Proposal, by: User) -> Proposal:
    """End the change without merging it. Raises NotYours, ChangeOver or Archived."""
    change = held(proposal)
    _may_end(change, by)
    still_open(change)
    change.state, change.ended_by, change.ended_at = Proposal.State.CLOSED, by, timezone.now()
    change.save(update_fields=["state", "ended_by", "ended_at", "updated_at"])
    tell_about(change, kind="change-closed", actor=by, text=gettext_lazy("%(who)s closed “%(title)s”"), who=by)
    return change


def reopen(*, proposal: Proposal, by: User) -> Proposal:
    """Open a closed change again. Raises NotYours, ChangeOver (it is merged or open), AlreadyOffered or Archived."""
    try:
        with transaction.atomic():
            change = held(proposal)
            _may_end(change, by)
            if change.state != Proposal.State.CLOSED:
                raise ChangeOver(_("Change %(n)d is not closed.") % {"n": change.number})
            change.state, change.ended_by, change.ended_at = Proposal.State.OPEN, None, None
            change.save(update_fields=["state", "ended_by", "ended_at", "updated_at"])
            tell_about(
                change, kind="change-opened", actor=by, text=gettext_lazy("%(who)s opened “%(title)s” again"), who=by
            )
            follow(proposal=change, by=by)
    except IntegrityError:
        raise AlreadyOffered(_("The same branch is offered by another open change.")) from None
    return change


def _may_end(change: Proposal, by: User) -> None:
    if not may_steer(by, change):
        raise NotYours(_("Only the author of a change, or who may merge it, can close and open it."))


def undo(*, proposal: Proposal, by: User) -> Proposal:
    """Offer a change that takes a merged one back, on a branch of its own. What came since stays.

    Raises NotYours, ChangeOver (it is not merged, or nothing of it is left), MergeConflict or AlreadyOffered.
    """
    design = proposal.design
    check_not_mirrored(design)
    if not may_push(by, design):
        raise NotYours(_("Only people who may push to this design can undo changes."))
    if proposal.state != Proposal.State.MERGED:
        raise ChangeOver(_("Only a merged change can be undone."))
    branch = f"undo-change-{proposal.number}"
    if not branch_tip(design, branch):
        reverting.revert(
            git.of(design.repository), commit=proposal.merged_commit, before=_before(proposal),
            onto=branch_tip(design, proposal.target_branch), branch=branch,
            message=f"Undo “{proposal.title}” (change {proposal.number})\n", author=author_of(by), at=timezone.now(),
        )  # fmt: skip
    return open_proposal(
        design=design, source=design, source_branch=branch, target_branch=proposal.target_branch, by=by,
        title=(_("Undo “%(title)s”") % {"title": proposal.title})[:160],
        body=_("Takes change %(n)d back.") % {"n": proposal.number},
    )  # fmt: skip


def _before(proposal: Proposal) -> str:
    """The commit whose files the undoing brings back: the first parent of what was merged, or where a change that was
    pushed had begun."""
    return proposal.base if not proposal.method else f"{proposal.merged_commit}^1"
