"""Files written in the browser or by the city: each write is a commit."""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from designs import git
from designs.errors import NotYours, TooLarge
from designs.git import commits
from designs.git.environment import MAX_BLOB_BYTES
from designs.models import Design
from designs.policies import may_push
from designs.services.room import check_room, measure


def author_of(user: User) -> commits.Author:
    """How a person signs commits that they make here; the address is not their own, so it can be public."""
    return commits.Author(str(user), f"{user.username}@users.livingcity.invalid")


def write_files(
    *,
    design: Design,
    files: Mapping[str, bytes | None],
    message: str,
    author: User,
    by: User | None,
    at: dt.datetime | None = None,
    branch: str = "",
) -> str:
    """Put files on a branch in one commit (None deletes one); the commit's id. The index is not touched.

    Raises NotYours, BadPath, TooLarge, OverQuota or BranchMoved; then nothing has changed.
    """
    if by is not None and not may_push(by, design):
        raise NotYours(_("Only the owner of this design can change its files."))
    for path, content in files.items():
        if content is not None and len(content) > MAX_BLOB_BYTES:
            raise TooLarge(
                _("“%(path)s” is larger than %(n)d MB.") % {"path": path[:80], "n": MAX_BLOB_BYTES // 1_000_000}
            )
    if by is not None:
        check_room(owner=design.owner, more_bytes=sum(len(content or b"") for content in files.values()))
    made = commits.commit(
        git.of(design.repository),
        branch=branch or design.default_branch,
        files=files,
        message=message.strip() or _("Change files"),
        author=author_of(author),
        at=at or timezone.now(),
    )
    measure(design=design)
    return made
