"""The files that districts were made from, kept under their SHA-256 so that a worker, or a later engine,
reads the same bytes.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.utils.translation import gettext as _

from commons.web.disk import force_folder, watched
from twin.engine.errors import Unreadable
from twin.engine.reading import format_of
from twin.errors import TooLarge, unreadable

LARGEST_BYTES = 512 * 1024 * 1024


class Kept(TypedDict):
    """A kept file: its own name and its content's address."""

    name: str
    sha256: str
    size: int


def folder() -> Path:
    """Where they are kept."""
    return Path(settings.DATA_DIR) / "sources"


def path(kept: Kept) -> Path:
    """The kept file; its format stays in its name, because readers go by it."""
    return folder() / kept["sha256"][:2] / f"{kept['sha256']}{format_of(kept['name'])}"


def keep(name: str, chunks: Iterable[bytes]) -> Kept:
    """Write a file once under its hash. Refuses names of unknown format, empty files and files beyond 512
    MB.
    """
    name = Path(name).name
    try:
        format_of(name)
        kept = _written(name, chunks)
        if not kept["size"]:
            raise Unreadable("empty", name)
    except Unreadable as fault:
        raise unreadable(fault) from fault
    return kept


def _written(name: str, chunks: Iterable[bytes]) -> Kept:
    folder().mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    handle, temporary = tempfile.mkstemp(dir=folder())
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in watched(chunks, folder()):
                digest.update(chunk)
                size += len(chunk)
                if size > LARGEST_BYTES:
                    raise TooLarge(_("%(name)s is larger than 512 MB; cut a smaller extract.") % {"name": name})
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        kept: Kept = {"name": name, "sha256": digest.hexdigest(), "size": size}
        if size:
            path(kept).parent.mkdir(exist_ok=True)
            Path(temporary).replace(path(kept))
            force_folder(path(kept).parent)
        return kept
    finally:
        Path(temporary).unlink(missing_ok=True)


def keep_path(source: Path) -> Kept:
    """Keep a file of this machine."""
    with source.open("rb") as handle:
        return keep(source.name, iter(lambda: handle.read(1 << 20), b""))


def forget(kept: Kept) -> None:
    """Remove a kept file."""
    path(kept).unlink(missing_ok=True)
    with suppress(OSError):  # others share its folder
        path(kept).parent.rmdir()
