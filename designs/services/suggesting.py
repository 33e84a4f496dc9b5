"""Files that somebody offers to a design of another: a fork, a branch, a commit and a change in one step."""

from collections.abc import Mapping

from commons.people.models import User
from designs import git
from designs.git import commits, merging
from designs.git.repository import BRANCHES
from designs.models import Design, Proposal
from designs.services.files import write_files
from designs.services.forks import fork_design
from designs.services.index import index_later
from designs.services.proposals import open_proposal


def suggest_files(*, design: Design, files: Mapping[str, commits.Content], message: str, by: User) -> Proposal:
    """Offer files to a design of somebody else: on a new branch of one's fork, which is made if there is none.

    Raises what `fork_design`, `write_files` and `open_proposal` raise.
    """
    own = Design.objects.filter(forked_from=design, owner=by.handle, deleted_at=None, archived_at=None).first()
    fork = own or fork_design(design=design, owner=by.handle, by=by)
    head = git.of(design.repository).commit_of(design.default_branch)
    branch = _new_branch(fork, design, head)
    write_files(design=fork, files=files, message=message, author=by, by=by, branch=branch)
    index_later(design=fork, by=by)
    title, _newline, body = message.partition("\n")
    return open_proposal(
        design=design, source=fork, source_branch=branch, title=title[:160], body=body.strip(), by=by
    )  # fmt: skip


def _new_branch(fork: Design, design: Design, head: str) -> str:
    """A branch of the fork that begins at the design's own newest version."""
    target, kept = git.of(fork.repository), f"{merging.INTERNAL}suggested/{head}"
    merging.bring(target, git.of(design.repository), commit=head, ref=kept)
    names = {ref.removeprefix(BRANCHES) for ref in target.refs()}
    branch = next(name for n in range(1, len(names) + 2) if (name := f"change-{n}") not in names)
    commits.move(target, branch=branch, to=head, expected=commits.NO_COMMIT)
    merging.forget(target, kept)
    return branch
