"""A whole design as a .zip that somebody sends: small ones at once, others by a run."""

import secrets
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import Handle, User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from commons.web.disk import check_disk
from designs.errors import BadSource, NotYours, TooLarge
from designs.git.environment import MAX_PUSH_BYTES
from designs.models import Design, new_repository_id
from designs.policies import may_write_as
from designs.services import imports
from designs.services.imports import Wish
from designs.services.index import index_later
from designs.services.room import check_room
from designs.services.zips import unpacked_size

KIND = "designs.unpack"
#: What is not larger is unpacked while its sender waits.
SMALL_BYTES, SMALL_UNPACKED_BYTES = 4_000_000, 16_000_000


class Sent(Protocol):
    """A file as it was uploaded."""

    name: str | None
    size: int | None

    def chunks(self) -> Iterable[bytes]:
        """Its bytes in pieces."""
        ...


def take(
    *, file: Sent, owner: Handle, by: User, name: str = "", slug: str = "", summary: str = "", licence: str = "",
    visibility: str = Design.Visibility.PUBLIC,
) -> Design | Run:  # fmt: skip
    """The new design, or the run that unpacks a larger archive.

    Raises NotYours, BadName, NameTaken, BadLicence, BadSource, TooLarge or OverQuota; then nothing is left behind.
    """
    if not may_write_as(by, owner):
        raise NotYours(_("You cannot make designs as “%(owner)s”.") % {"owner": owner.name})
    if (file.size or 0) > MAX_PUSH_BYTES:
        raise TooLarge(_("An archive may have up to %(n)d MB.") % {"n": MAX_PUSH_BYTES // 1_000_000})
    token = secrets.token_hex(16)
    try:
        path = _keep(file, token)
        wanted = imports.wish(
            source=str(path), owner=owner, by=None, name=name, slug=slug, licence=licence, visibility=visibility,
            summary=summary,
        )  # fmt: skip
        size = _size(path, file.name or "")
        check_room(owner=owner, more_bytes=size)
        if path.stat().st_size > SMALL_BYTES or size > SMALL_UNPACKED_BYTES:
            return _later(wanted, token, by)
        made = unpack(wanted, by=by)
    except BaseException:
        forget(token)
        raise
    forget(token)
    return made


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "uploads"


def _keep(file: Sent, token: str) -> Path:
    """Write what was sent to a file of ours, under a name that is harmless."""
    check_disk(settings.DATA_DIR, more_bytes=2 * (file.size or 0))  # the archive, and what is in it
    stem = slugify((file.name or "").replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".zip"))[:60]
    path = _folder() / token / f"{stem or 'design'}.zip"
    path.parent.mkdir(parents=True)
    left = MAX_PUSH_BYTES
    with path.open("wb") as out:
        for piece in file.chunks():
            left -= len(piece)
            if left < 0:
                break
            out.write(piece)
    return path


def _size(path: Path, name: str) -> int:
    if not zipfile.is_zipfile(path):
        raise BadSource(_("“%(name)s” is no .zip archive that can be read.") % {"name": name[:80]})
    return unpacked_size(path)


def _later(wanted: Wish, token: str, by: User) -> Run:
    inputs = {
        "upload": token, "owner": wanted.owner.name, "name": wanted.name, "slug": wanted.slug,
        "summary": wanted.summary, "licence": wanted.licence, "visibility": wanted.visibility,
        "repository": new_repository_id(),
    }  # fmt: skip
    title = said(gettext_lazy("Unpacking %(design)s"), design=wanted.name)
    return runs.start(kind=KIND, inputs=inputs, title=title, owner=by)


def path_of(token: str) -> Path:
    """The archive of an upload. Raises BadSource when it is gone."""
    found = sorted((_folder() / Path(token).name).glob("*.zip"))
    if not found:
        raise BadSource(_("The archive is gone; send it again."))
    return found[0]


def unpack(wanted: Wish, *, by: User) -> Design:
    """Make the design of a small archive. Raises what `fetch` and `settle` of imports raise."""
    repository = imports.fetch(wanted, new_repository_id())
    try:
        with transaction.atomic():
            design = imports.settle(wanted, repository, by=by)
            index_later(design=design, by=by)
    except BaseException:
        repository.remove()
        raise
    return design


def forget(token: str) -> None:
    """Delete an upload."""
    shutil.rmtree(_folder() / Path(token).name, ignore_errors=True)


def forget_old() -> int:
    """Delete uploads whose run never came to its end, a day after; how many."""
    oldest = timezone.now().timestamp() - 86_400
    old = [one for one in _folder().glob("*") if one.is_dir() and one.stat().st_mtime < oldest]
    for one in old:
        shutil.rmtree(one, ignore_errors=True)
    return len(old)
