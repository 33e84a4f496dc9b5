"""Files written in the browser or by the city: each write is a commit."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.web.disk import check_disk
from designs import git
from designs.errors import DesignNotFound, FileChanged, TooLarge
from designs.git import commits
from designs.git.environment import MAX_BLOB_BYTES
from designs.git.names import check_path
from designs.git.repository import Repository
from designs.models import Design
from designs.policies import check_may_push
from designs.services.room import check_room, measure


def author_of(user: User) -> commits.Author:
    """How a person signs commits that they make here; the address is not their own, so it can be public."""
    return commits.Author(str(user), f"{user.username}@users.livingcity.invalid")


def write_files(
    *,
    design: Design,
    files: Mapping[str, commits.Content],
    message: str,
    author: User,
    by: User | None,
    at: dt.datetime | None = None,
    branch: str = "",
    seen: Mapping[str, str] | None = None,
) -> str:
    """Put files on a branch in one commit (None deletes one); the commit's id. The index is not touched.

    `seen` names the git id that the author saw at a path (empty: no file there). Raises Archived, NotYours, BadPath,
    TooLarge, OverQuota, FileChanged or BranchMoved; then nothing has changed.
    """
    if by is not None:
        check_may_push(by, design)
        check_room(owner=design.owner, more_bytes=sum(_size(content) for content in files.values()))
        check_disk(settings.REPOSITORIES_DIR, more_bytes=sum(_size(content) for content in files.values()))
    for path, content in files.items():
        _small_enough(path, content)
    repository, branch = git.of(design.repository), branch or design.default_branch
    head = repository.head(branch)
    for path, oid in (seen or {}).items():
        _same(repository, head, path, oid)
    made = commits.commit(
        repository,
        branch=branch,
        files=files,
        message=message.strip() or _("Change files"),
        author=author_of(author),
        at=at or timezone.now(),
        onto=head,
    )
    measure(design=design)
    return made


def move_file(*, design: Design, path: str, to: str, by: User, message: str = "", branch: str = "") -> str:
    """Give a file another path; the commit's id. Raises DesignNotFound, and what `write_files` raises."""
    repository = git.of(design.repository)
    entry = repository.entry(repository.commit_of(branch or design.default_branch), path)
    return write_files(
        design=design,
        files={path: None, check_path(to): commits.Kept(entry.oid, entry.mode)},
        message=message or _("Move %(path)s to %(to)s") % {"path": path, "to": to},
        author=by,
        by=by,
        branch=branch,
        seen={path: entry.oid, to: ""},
    )


def _size(content: commits.Content) -> int:
    if isinstance(content, bytes):
        return len(content)
    return content.stat().st_size if isinstance(content, Path) else 0


def _small_enough(path: str, content: commits.Content) -> None:
    if _size(content) > MAX_BLOB_BYTES:
        raise TooLarge(
            _("“%(path)s” is larger than %(n)d MB; bring it with Git LFS.")
            % {"path": path[:80], "n": MAX_BLOB_BYTES // 1_000_000}
        )


def _same(repository: Repository, head: str, path: str, seen: str) -> None:
    """Raises FileChanged when there is something else at the path than was seen."""
    try:
        now = repository.entry(head, path).oid if head else ""
    except DesignNotFound:
        now = ""
    if now == seen:
        return
    if not seen:
        raise FileChanged(_("There is a file “%(path)s” already; choose another name.") % {"path": path[:80]}, blob=now)
    raise FileChanged(
        _("“%(path)s” was changed by somebody else meanwhile; nothing was written and what you sent is not lost.")
        % {"path": path[:80]},
        blob=now,
    )
