"""Large files: taking their bytes, giving them to forks, locks, and sweeping what nobody holds."""

import contextlib
import datetime as dt
import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import Handle, User
from commons.web.disk import Watched, force_folder
from designs.errors import LargeFileMissing, LargeFileWrong, Locked, NotYours, TooLarge
from designs.git.names import check_path
from designs.git.serve import PIECE, Source
from designs.models import Design, LfsLink, LfsLock, LfsObject
from designs.policies import check_not_mirrored, may_manage, may_push
from designs.queries.lfs import path_of
from designs.queries.room import counted, left_bytes
from designs.services.index import index_later, open_run
from designs.services.room import check_room

#: How long bytes stay that no design holds any more; a fork or a push may be on its way.
GRACE = dt.timedelta(days=14)
MAX_LOCKS = 1000


def take(*, design: Design, oid: str, body: Source, by: User) -> LfsObject:
    """Read the bytes of an object, check them, keep them on disk for good, and link them to the design.

    The bytes are asked for even when the city has them: only who has the file gets it, not who knows its hash. Raises
    NotYours, TooLarge (OverQuota when the owner of the design has no room for it) or LargeFileWrong; then nothing is
    kept.
    """
    check_not_mirrored(design)
    if not may_push(by, design):
        raise NotYours(_("Only people who may push to this design can send it large files."))
    incoming = Path(settings.LFS_DIR) / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as draft:
        try:
            sha1, size = _receive(body, oid, draft, owner=None if counted(design.owner, [oid]) else design.owner)
            kept = _link(design, LfsObject(oid=oid, sha1=sha1, size=size), Path(draft.name), bounded=True)
        finally:
            Path(draft.name).unlink(missing_ok=True)
    if design.head and not design.indexed_tips and open_run(design) is None:  # its pointers were there before it
        index_later(design=design, by=by, pushed=False)
    return kept


def _receive(body: Source, oid: str, file: IO[bytes], owner: Handle | None = None) -> tuple[str, int]:
    """Write the body to the file and fsync it; its SHA-1 and size. Raises when it is not what `oid` says, and as soon
    as it is more than the owner, if one is given, has room for."""
    room = None if owner is None else left_bytes(owner)
    body = Watched(body, settings.LFS_DIR)
    # Names of content that other systems use, not a defence.
    sha1, sha256, size = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), 0
    while piece := body.read(PIECE):
        size += len(piece)
        if size > settings.LFS_MAX_BYTES:
            raise TooLarge(_("A large file may have up to %(n)d MB here.") % {"n": settings.LFS_MAX_BYTES // 1_000_000})
        if owner is not None and room is not None and size > room:
            check_room(owner=owner, more_bytes=size)
        sha1.update(piece)
        sha256.update(piece)
        file.write(piece)  # all of it: `os.write` takes what a full disk has room for, and says nothing
    if sha256.hexdigest() != oid:
        raise LargeFileWrong(
            _("The %(size)d bytes that came are not those of %(oid)s; send the file again.")
            % {"size": size, "oid": oid[:12]}
        )
    file.flush()
    os.fsync(file.fileno())
    return sha1.hexdigest(), size


def _settle(draft: Path, target: Path) -> None:
    """Move the file to its place so that it survives a power cut."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(target)
    for folder in (target.parent, target.parent.parent):
        force_folder(folder)


@transaction.atomic
def _link(design: Design, found: LfsObject, draft: Path, *, bounded: bool = False) -> LfsObject:
    """Keep the bytes and link them. The row is locked before the file moves, so that a sweep cannot come between; with
    `bounded` its owner too, so that several uploads at once cannot go over their room. Raises OverQuota."""
    if bounded:
        owner = Handle.objects.select_for_update(no_key=True).get(pk=design.owner_id)
        if not counted(owner, [found.oid]):
            check_room(owner=owner, more_bytes=found.size)
    kept = _keep(found, draft)
    if kept.unused_since is not None:
        kept.unused_since = None
        kept.save(update_fields=["unused_since"])
    LfsLink.objects.get_or_create(design=design, object=kept)
    return kept


@transaction.atomic
def _keep(found: LfsObject, draft: Path) -> LfsObject:
    """Keep the bytes. The row is locked before the file moves, so that a sweep cannot come between."""
    kept, _made = LfsObject.objects.select_for_update().get_or_create(
        oid=found.oid, defaults={"sha1": found.sha1, "size": found.size}
    )
    _settle(draft, path_of(found.oid))
    return kept


def keep_unlinked(*, oid: str, body: Source) -> LfsObject:
    """Read the bytes of an object for a design that is not there yet; `hold` links them, else they are swept.

    Raises TooLarge, LargeFileWrong or what reading raises; then nothing is kept.
    """
    incoming = Path(settings.LFS_DIR) / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as draft:
        try:
            sha1, size = _receive(body, oid, draft)
            return _keep(LfsObject(oid=oid, sha1=sha1, size=size), Path(draft.name))
        finally:
            Path(draft.name).unlink(missing_ok=True)


@transaction.atomic
def hold(*, design: Design, oids: Iterable[str]) -> int:
    """Let the design hold objects whose bytes were got for it; how many. The caller knows that it had the bytes."""
    found = list(LfsObject.objects.select_for_update().filter(oid__in=set(oids)))
    LfsObject.objects.filter(pk__in=[one.pk for one in found]).update(unused_since=None)
    rows = [LfsLink(design=design, object=one) for one in found]
    return len(LfsLink.objects.bulk_create(rows, ignore_conflicts=True))


def add_file(*, design: Design, source: Path) -> LfsObject:
    """Keep a file of this machine as a large file of the design: what an import brings along."""
    with source.open("rb") as file:
        oid = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        incoming = Path(settings.LFS_DIR) / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as draft:
            try:
                sha1, size = _receive(file, oid, draft)
                return _link(design, LfsObject(oid=oid, sha1=sha1, size=size), Path(draft.name))
            finally:
                Path(draft.name).unlink(missing_ok=True)


def share(*, source: Design, target: Design, oids: Iterable[str] | None = None) -> int:
    """Let `target` hold large files of `source` too (all, or those given): for a fork, or a change that is merged."""
    links = LfsLink.objects.filter(design=source)
    if oids is not None:
        links = links.filter(object__oid__in=set(oids))
    rows = [LfsLink(design=target, object_id=pk) for pk in links.values_list("object", flat=True)]
    return len(LfsLink.objects.bulk_create(rows, ignore_conflicts=True))


def lock(*, design: Design, path: str, by: User) -> LfsLock:
    """Say that `by` works on the file. Raises NotYours, BadPath, TooLarge or Locked (with `lock`)."""
    _check_pusher(design, by)
    check_path(path)
    if design.lfs_locks.count() >= MAX_LOCKS:
        raise TooLarge(_("This design has %(n)d locks; unlock some first.") % {"n": MAX_LOCKS})
    try:
        with transaction.atomic():
            return LfsLock.objects.create(design=design, path=path, owner=by)
    except IntegrityError:
        held = LfsLock.objects.filter(design=design, path=path).select_related("owner").first()
        if held is None:  # unlocked in between
            return lock(design=design, path=path, by=by)
        raise Locked(
            _("%(person)s works on “%(path)s”.") % {"person": held.owner, "path": path[:80]}, lock=held.pk
        ) from None


def unlock(*, design: Design, number: int, by: User, force: bool = False) -> LfsLock:
    """Take one's own lock away, or with `force` anybody's as the design's owner. Raises LargeFileMissing, NotYours."""
    _check_pusher(design, by)
    held = LfsLock.objects.filter(design=design, pk=number).select_related("owner").first()
    if held is None:
        raise LargeFileMissing(_("There is no lock %(n)d in this design.") % {"n": number})
    if held.owner != by and not (force and may_manage(by, design)):
        raise NotYours(
            _("%(person)s holds this lock; only they, or the design's owner with --force, can take it away.")
            % {"person": held.owner}
        )
    LfsLock.objects.filter(pk=held.pk).delete()
    return held


def _check_pusher(design: Design, by: User) -> None:
    check_not_mirrored(design)
    if not may_push(by, design):
        raise NotYours(_("Only people who may push to this design can lock its files."))


def sweep(*, now: dt.datetime | None = None) -> int:
    """Delete bytes that no design has held for the grace time; how many objects went."""
    now = now or timezone.now()
    LfsObject.objects.filter(links__isnull=True, unused_since=None).update(unused_since=now)
    LfsObject.objects.filter(links__isnull=False).exclude(unused_since=None).update(unused_since=None)
    gone = 0
    for kept in LfsObject.objects.filter(unused_since__lt=now - GRACE):
        with transaction.atomic():
            held = LfsObject.objects.select_for_update().filter(pk=kept.pk).first()
            if held is None or held.links.exists():
                continue
            held.delete()
            path_of(kept.oid).unlink(missing_ok=True)
            gone += 1
    _forget_drafts(now)
    return gone


def _forget_drafts(now: dt.datetime) -> None:
    """Halves of uploads whose process was killed."""
    incoming = Path(settings.LFS_DIR) / "incoming"
    for draft in incoming.iterdir() if incoming.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            if now.timestamp() - draft.stat().st_mtime > 86_400:
                draft.unlink()
