"""Taking back what a commit brought, on the objects: the three-way merge of `git revert`, without a work tree."""

import datetime as dt

from designs.git import commits, merging, process
from designs.git.commits import NO_COMMIT, Author
from designs.git.names import check_revision
from designs.git.repository import BRANCHES, Repository


def revert(
    repository: Repository,
    *,
    commit: str,
    before: str,
    onto: str,
    branch: str,
    message: str,
    author: Author,
    at: dt.datetime,
) -> str:
    """A new branch on top of `onto` in which the files are as if `commit` had left them as they are in `before`.

    A commit with the files of `before` is put on top of `commit` and merged into `onto`; `commit` is then what both
    come from, so that only its own work is taken back. Raises MergeConflict when later work stands on it, or
    BranchMoved when there is a branch of this name; then nothing has changed.
    """
    asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{before}^{{tree}}"]
    tree = process.run(asked, repository=repository.path).decode().split()[-1]
    away = commits.commit_tree(repository, tree=tree, parents=(commit,), message=message, author=author, at=at)
    commits.move(repository, branch=check_revision(branch), to=onto, expected=NO_COMMIT)
    try:
        return merging.merge(repository, branch=branch, theirs=away, message=message, author=author, at=at, squash=True)
    except Exception:
        process.run(["update-ref", "-d", f"{BRANCHES}{branch}", onto], repository=repository.path)
        raise
