"""What tells, after a crash between a branch and its row, that a change is merged: by whom, how, and as which commit.

Before a merge moves the branch it writes a hidden ref that names the new commit, and in its name the way and the
person. A branch that holds such a commit holds the change, also as a squash, which shares no commit with what was
offered.
"""

from dataclasses import dataclass

from commons.people.models import User
from designs import git
from designs.git import merging
from designs.models import Proposal
from designs.queries.proposals import branch_tip


@dataclass(frozen=True, slots=True)
class Landing:
    """A merge that reached the branch. `method` is empty and `by` None when it was pushed with git."""

    commit: str
    method: str = ""
    by: int | None = None


def mark_of(proposal: Proposal, *, method: str, by: User) -> str:
    """The hidden ref that a merge writes before it moves the branch."""
    return f"{_marks(proposal)}/{method}-{by.pk}"


def landing_of(proposal: Proposal) -> Landing | None:
    """How the change came to be in its branch; None when it is not there."""
    onto = branch_tip(proposal.design, proposal.target_branch)
    if not onto:
        return None
    repository = git.of(proposal.design.repository)
    for name, commit in merging.marked(repository, _marks(proposal)).items():
        method, _dash, person = name.partition("-")
        if method in Proposal.Method.values and person.isdecimal() and repository.is_ancestor(commit, onto):
            return Landing(commit, method, int(person))
    return Landing(proposal.head) if repository.is_ancestor(proposal.head, onto) else None


def _marks(proposal: Proposal) -> str:
    return f"{merging.INTERNAL}landing/{proposal.number}"
