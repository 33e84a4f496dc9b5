"""Designs from manifests alone: a repository that holds the manifest, for things whose files stand elsewhere."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from commons.errors import CityError
from commons.people.models import Handle
from designs import git, licences, okh
from designs.errors import BadSource
from designs.git import commits
from designs.models import Design
from designs.okh.documents import MAX_BYTES
from designs.services.designs import KEPT, create_design
from designs.services.index import index_now

MOST_FILES = 5_000


@dataclass(frozen=True, slots=True)
class Planned:
    """A manifest's file with the design that it would make, or the `fault` why it makes none."""

    source: Path
    raw: bytes = b""
    path: str = ""
    slug: str = ""
    name: str = ""
    summary: str = ""
    licence: str = ""
    written_licence: str = ""
    fault: str = ""


def plan(sources: list[Path]) -> list[Planned]:
    """What importing these files would make, each with an address of its own. Reads, writes nothing."""
    taken: set[str] = set()
    planned = []
    for source in sources:
        item = _read(source)
        if not item.fault:
            slug = _free(item.slug, taken)
            taken.add(slug)
            item = Planned(source, item.raw, item.path, slug, item.name, item.summary, item.licence,
                           item.written_licence)  # fmt: skip
        planned.append(item)
    return planned


def files_in(source: Path) -> list[Path]:
    """The file, or the files of a folder by name. Raises BadSource."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise BadSource(_("“%(source)s” is neither a file nor a folder.") % {"source": source})
    found = sorted(path for path in source.iterdir() if path.is_file() and not path.is_symlink())
    if len(found) > MOST_FILES:
        raise BadSource(_("The folder holds more than %(n)d files.") % {"n": MOST_FILES})
    return found


def _read(source: Path) -> Planned:
    with source.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    try:
        reading = okh.read(raw, source.name if source.suffix in {".toml", ".yml", ".yaml"} else "")
    except okh.Unreadable as fault:
        place = _(" (line %(line)d)") % {"line": fault.line} if fault.line else ""
        return Planned(source, fault=f"{fault.sentence}{place}")
    manifest = reading.manifest
    name = " ".join(manifest.name.split())[:120]
    if not name:
        return Planned(source, fault=_("It names nothing: “name” or “title” is missing."))
    return Planned(
        source, raw, "okh.toml" if reading.syntax == "toml" else "okh.yml", slugify(name)[:56].strip("-_"), name,
        " ".join(manifest.function.split())[:400], licences.normalise(manifest.licence), manifest.licence,
    )  # fmt: skip


def _free(slug: str, taken: set[str]) -> str:
    wanted = slug or "thing"
    return next(word for word in _numbered(wanted) if word not in taken and word not in KEPT)


def _numbered(word: str) -> Iterator[str]:
    yield word
    number = 2
    while True:
        yield f"{word}-{number}"
        number += 1


def import_planned(*, planned: Planned, owner: Handle, at: dt.datetime | None = None) -> tuple[Design, bool]:
    """(the design of a manifest, whether it is new): made with the manifest as its one file, bytes as they were. One
    that has it already is left as it is.

    Raises what `create_design` raises; then nothing has changed.
    """
    there = Design.objects.filter(owner=owner, slug=planned.slug).first()
    if there is not None and _holds(there, planned.raw):
        return there, False
    design = create_design(
        owner=owner, name=planned.name, slug=planned.slug, licence=planned.licence, summary=planned.summary, by=None
    )
    try:
        commits.commit(
            git.of(design.repository), branch=design.default_branch, files={planned.path: planned.raw},
            message=f"Import {planned.path}",
            author=commits.Author(owner.title, f"{owner.name}@users.livingcity.invalid"), at=at or timezone.now(),
        )  # fmt: skip
    except CityError:
        with transaction.atomic():
            design.delete()
        raise
    return index_now(design=design, by=None), True


def _holds(design: Design, raw: bytes) -> bool:
    """Whether a version of the design has exactly this manifest."""
    repository = git.of(design.repository)
    head = repository.head(design.default_branch)
    entries = repository.files(head) if head else []
    return any(
        entry.size == len(raw) and repository.read(entry.oid, limit=MAX_BYTES) == raw
        for entry in entries
        if entry.path in {"okh.toml", "okh.yml"}
    )
