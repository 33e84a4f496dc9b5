"""Writes all that is open into a folder: each dataset's files with licence and attribution, the catalogue, an index.

Files are written piece by piece and never held in memory; a folder is whole or not there.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
from django.conf import settings
from django.utils import timezone, translation

from commons.errors import BadInput, NotFound
from commons.opendata import catalogue, licences, shelves
from commons.opendata.catalogue import Catalogue, Written
from commons.sockets import PublicData

INDEX = "index.json"
Say = Callable[[float, str], None]


def home() -> Path:
    """Where the weekly files stand."""
    return Path(settings.DATA_DIR) / "open-data"


class _Counted:
    """A file that counts and sums what is written to it."""

    def __init__(self, out: BinaryIO) -> None:
        self.out, self.bytes, self.sum = out, 0, hashlib.sha256()

    def write(self, piece: Any) -> int:
        """Pass it on."""
        self.bytes += len(piece)
        self.sum.update(piece)
        return self.out.write(piece)

    def flush(self) -> None:
        """Pass it on."""
        self.out.flush()

    closed = False

    def readable(self) -> bool:
        """It is for writing."""
        return False

    def writable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It only grows."""
        return False

    def tell(self) -> int:
        """How far it is."""
        return self.bytes


def write(folder: Path, *, part: str = "", say: Say | None = None) -> dict[str, Any]:
    """Write every public dataset (those of a piece of the city, where `part` names one) with a DCAT-AP catalogue.

    The folder must not be there, or be empty. Raises BadInput, and NotFound where the piece gives nothing away.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"“{folder}” is not empty. Name a folder that is new.", where="folder")
    found = list(shelves.everything(part))
    if part and not found:
        raise NotFound(f"There is no open data of “{part}”.")
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    fresh.mkdir(parents=True)
    try:
        with translation.override("en"):
            index = _filled(fresh, found, say or (lambda _share, _words: None))
        if folder.exists():
            folder.rmdir()
        fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return index


def _filled(folder: Path, found: list[PublicData], say: Say) -> dict[str, Any]:
    now = timezone.now()
    site = settings.PUBLIC_URL
    made = Catalogue(site, f"{site}/data/files", f"Open data of {settings.SITE_NAME}", str(settings.SITE_NAME), now)
    told = []
    for number, data in enumerate(found):
        say(number / max(len(found), 1), str(data.title))
        files = _one(folder, data)
        made.add(data, files)
        told.append(_indexed(data, files))
    names = (("catalog.jsonld", catalogue.json_ld), ("catalog.ttl", catalogue.turtle))
    for name, form in names:
        (folder / name).write_bytes(form(made.statements))
    index = {"made_at": now.isoformat(), "datasets": told, "catalogue": [name for name, _form in names]}
    (folder / INDEX).write_bytes(orjson.dumps(index, option=orjson.OPT_INDENT_2))
    return index


def _one(folder: Path, data: PublicData) -> list[Written]:
    """The files of a dataset, each with its sum; licence and attribution beside them."""
    own = folder / data.slug
    own.mkdir()
    files = []
    for form in data.forms:
        path = own / f"{data.slug}.{form.suffix}"
        with path.open("wb") as out:
            counted = _Counted(out)
            form.write(cast("BinaryIO", counted))
            out.flush()
            os.fsync(out.fileno())
        name = f"{data.slug}/{path.name}"
        files.append(Written(name, form.media_type, form.title, counted.bytes, counted.sum.hexdigest()))
    named = "".join(f"{name}: {address}\n" for name, address in licences.named(data.licence))
    (own / "LICENCE.txt").write_text(
        f"{data.title}\nLicence: {data.licence or 'not stated'}\n{named}", encoding="utf-8"
    )
    (own / "ATTRIBUTION.txt").write_text(f"{data.attribution or 'No attribution is asked for.'}\n", encoding="utf-8")
    return files


def _indexed(data: PublicData, files: list[Written]) -> dict[str, Any]:
    return {
        "slug": data.slug,
        "title": str(data.title),
        "part": data.part,
        "licence": data.licence,
        "attribution": data.attribution,
        "modified": data.modified.isoformat() if data.modified else None,
        "files": [asdict(file) for file in files],
    }


# --- the weekly files --------------------------------------------------------------------------------------------


def renew(say: Say | None = None) -> dict[str, Any]:
    """Write the weekly files anew and show them in place of the old ones, which then go."""
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"of-{timezone.now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    index = write(fresh, say=say)
    link = folder / f".link-{fresh.name}"
    link.symlink_to(fresh.name)
    link.replace(folder / "current")
    for old in folder.iterdir():
        if old.is_dir() and not old.is_symlink() and old != fresh and not old.name.startswith("."):
            shutil.rmtree(old, ignore_errors=True)
    return index


def current() -> dict[str, Any] | None:
    """The index of the weekly files; None before the first."""
    try:
        found: dict[str, Any] = orjson.loads((home() / "current" / INDEX).read_bytes())
    except (OSError, ValueError):
        return None
    return found


def kept(path: str) -> Path | None:
    """A weekly file by its path, if the index names it."""
    index = current()
    if index is None:
        return None
    names = {*index["catalogue"], *(file["path"] for data in index["datasets"] for file in data["files"])}
    names |= {f"{data['slug']}/{name}.txt" for data in index["datasets"] for name in ("LICENCE", "ATTRIBUTION")}
    found = home() / "current" / path
    return found if path in names and found.is_file() else None
