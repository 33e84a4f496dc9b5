"""Annotated tags of releases, and the hidden refs that keep their commits and tell the push hook what is fixed."""

import datetime as dt

from django.utils.translation import gettext as _

from designs.errors import BranchMoved
from designs.git import moving, process
from designs.git.commits import NO_COMMIT, Author
from designs.git.names import check_revision
from designs.git.repository import TAGS, Repository

#: No push and no gc touches what is under here; `incoming.py` refuses to move a tag of the same name.
FIXED = "refs/internal/releases/"


def release_tag(
    repository: Repository, *, name: str, commit: str, message: str, author: Author, at: dt.datetime
) -> None:
    """Tag the commit and fix the tag. A tag of that name that already names the commit is kept as it is.

    Raises BranchMoved when the tag names another commit; then nothing has changed.
    """
    check_revision(name)
    there = repository.refs().get(f"{TAGS}{name}", "")
    if there and there != commit:
        raise BranchMoved(
            _("There is a tag “%(name)s” on another version (%(commit)s). Choose another version, or delete the tag.")
            % {"name": name, "commit": there[:10]}
        )
    lines = (
        []
        if there
        else [
            f"create {TAGS}{name} {_tag(repository, name=name, commit=commit, message=message, author=author, at=at)}"
        ]
    )
    lines.append(f"create {FIXED}{name} {commit}")
    note = moving.announce(repository.path)
    code, _out, complaint = process.attempt(
        ["update-ref", "--stdin"], repository=repository.path, stdin="".join(f"{line}\n" for line in lines).encode()
    )
    if code != 0:
        moving.forget([note])
        raise BranchMoved(
            _("The tag “%(name)s” could not be made: %(words)s.")
            % {"name": name, "words": process.last_line(complaint)}
        )


def _tag(repository: Repository, *, name: str, commit: str, message: str, author: Author, at: dt.datetime) -> str:
    who = author.name.replace("<", "").replace(">", "").replace("\n", " ").strip() or "Somebody"
    email = author.email.replace("<", "").replace(">", "").replace("\n", "").strip()
    text = (
        f"object {commit}\ntype commit\ntag {name}\ntagger {who} <{email}> {int(at.timestamp())} +0000\n\n"
        f"{message.strip()}\n"
    )
    return process.run(["mktag"], repository=repository.path, stdin=text.encode()).decode().strip()


def drop(repository: Repository, *, name: str, commit: str) -> None:
    """Take back a tag that was made for a release which then could not be written down."""
    tag = f"{TAGS}{name}"
    for ref in (tag, f"{FIXED}{name}"):
        if ref != tag or repository.refs().get(tag) == commit:
            process.attempt(["update-ref", "-d", ref], repository=repository.path)


def is_fixed(repository: Repository, name: str) -> bool:
    """Whether a release fixes the tag of this name."""
    code, out, _err = process.attempt(
        ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{FIXED}{check_revision(name)}"],
        repository=repository.path,
    )
    return code == 0 and out.strip().decode() != NO_COMMIT
