"""Commits made on the objects, without a work tree: hash-object, a temporary index, commit-tree, update-ref."""

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from designs.errors import BranchMoved
from designs.git import environment, process
from designs.git.names import check_path, check_revision
from designs.git.repository import BRANCHES, Repository

NO_COMMIT = "0" * 40


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a commit. `email` may be an address that receives nothing."""

    name: str
    email: str


def commit(
    repository: Repository,
    *,
    branch: str,
    files: Mapping[str, bytes | None],
    message: str,
    author: Author,
    at: dt.datetime,
) -> str:
    """Put the files (None deletes one) on the branch in one commit; its id.

    Raises BranchMoved when somebody wrote to the branch meanwhile; then nothing has changed.
    """
    parent = repository.head(check_revision(branch))
    with tempfile.TemporaryDirectory(prefix="lc-index-") as folder:
        env = environment.clean(GIT_INDEX_FILE=str(Path(folder) / "index"))
        if parent:
            process.run(["read-tree", parent], repository=repository.path, env=env)
        lines = [_index_line(repository, path, content) for path, content in sorted(files.items())]
        process.run(["update-index", "-z", "--index-info"], repository=repository.path, env=env, stdin=b"".join(lines))
        tree = process.run(["write-tree"], repository=repository.path, env=env).decode().strip()
    parents = (parent,) if parent else ()
    made = commit_tree(repository, tree=tree, parents=parents, message=message, author=author, at=at)
    move(repository, branch=branch, to=made, expected=parent or NO_COMMIT)
    return made


def _index_line(repository: Repository, path: str, content: bytes | None) -> bytes:
    name = check_path(path).encode()
    if content is None:
        return b"0 " + NO_COMMIT.encode() + b"\t" + name + b"\0"
    oid = process.run(["hash-object", "-w", "--stdin"], repository=repository.path, stdin=content).strip()
    return b"100644 " + oid + b"\t" + name + b"\0"


def commit_tree(
    repository: Repository, *, tree: str, parents: Sequence[str], message: str, author: Author, at: dt.datetime
) -> str:
    """A commit of a tree; no branch names it yet."""
    when = f"{int(at.timestamp())} +0000"
    name = author.name.replace("<", "").replace(">", "").replace("\n", " ").strip() or "Somebody"
    email = author.email.replace("<", "").replace(">", "").replace("\n", "").strip()
    env = environment.clean(
        GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=email, GIT_AUTHOR_DATE=when,
        GIT_COMMITTER_NAME=name, GIT_COMMITTER_EMAIL=email, GIT_COMMITTER_DATE=when,
    )  # fmt: skip
    named = [word for parent in parents for word in ("-p", parent)]
    arguments = ["commit-tree", tree, *named, "-F", "-"]
    return process.run(arguments, repository=repository.path, env=env, stdin=message.encode()).decode().strip()


def move(repository: Repository, *, branch: str, to: str, expected: str) -> None:
    """Let the branch name `to`, if it still names `expected` (NO_COMMIT: if there is none). Raises BranchMoved."""
    code, _out, complaint = process.attempt(
        ["update-ref", f"{BRANCHES}{branch}", to, expected], repository=repository.path
    )
    if code != 0:
        raise BranchMoved(
            _("Somebody changed “%(branch)s” meanwhile (%(words)s). Load the page again; what you sent is not lost.")
            % {"branch": branch, "words": process.last_line(complaint)}
        )
