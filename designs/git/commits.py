"""Commits made on the objects, without a work tree: hash-object, a temporary index, commit-tree, update-ref."""

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from designs.errors import BranchMoved
from designs.git import environment, moving, process
from designs.git.names import check_path, check_revision
from designs.git.repository import BRANCHES, Repository

NO_COMMIT = "0" * 40


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a commit. `email` may be an address that receives nothing."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A content that the repository has already: a file that only changes its path."""

    oid: str
    mode: str


#: What a file shall hold: bytes, a file of this machine, something that is there already, or None to delete it.
Content = bytes | Path | Kept | None


def commit(
    repository: Repository,
    *,
    branch: str,
    files: Mapping[str, Content],
    message: str,
    author: Author,
    at: dt.datetime,
    onto: str | None = None,
) -> str:
    """Put the files on the branch in one commit; its id. `onto` is the head that the caller has looked at.

    Raises BranchMoved when somebody wrote to the branch meanwhile; then nothing has changed.
    """
    parent = repository.head(check_revision(branch)) if onto is None else onto
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


def _index_line(repository: Repository, path: str, content: Content) -> bytes:
    name, mode = check_path(path).encode(), "100644"
    if content is None:
        return b"0 " + NO_COMMIT.encode() + b"\t" + name + b"\0"
    if isinstance(content, Kept):
        oid, mode = content.oid, content.mode
    else:
        oid = _stored(repository, content)
    return f"{mode} {oid}".encode() + b"\t" + name + b"\0"


def _stored(repository: Repository, content: bytes | Path) -> str:
    """git's id of the content, which is in the repository now; a file of any size is streamed."""
    arguments = ["hash-object", "-w", "--stdin"]
    if isinstance(content, bytes):
        return process.run(arguments, repository=repository.path, stdin=content).decode().strip()
    with content.open("rb") as file:
        return process.run(arguments, repository=repository.path, stdin=file).decode().strip()


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
    note = moving.announce(repository.path)
    code, _out, complaint = process.attempt(
        ["update-ref", f"{BRANCHES}{branch}", to, expected], repository=repository.path
    )
    if code != 0:
        moving.forget([note])
        raise BranchMoved(
            _("Somebody changed “%(branch)s” meanwhile (%(words)s). Load the page again; what you sent is not lost.")
            % {"branch": branch, "words": process.last_line(complaint)}
        )


def drop(repository: Repository, *, branch: str, expected: str) -> None:
    """Take the branch away, if it still names `expected`. Raises BranchMoved."""
    note = moving.announce(repository.path)
    code, _out, complaint = process.attempt(
        ["update-ref", "-d", f"{BRANCHES}{check_revision(branch)}", expected], repository=repository.path
    )
    if code != 0:
        moving.forget([note])
        raise BranchMoved(
            _("Somebody changed “%(branch)s” meanwhile (%(words)s).")
            % {"branch": branch, "words": process.last_line(complaint)}
        )
