"""Gathering what the checks of a change look at: git's answers, the facts of the files, the licences."""

from collections.abc import Mapping, Sequence

from designs import git
from designs.checks import ChangedFile, Material, Side
from designs.engine import formats
from designs.errors import LicenceForbids
from designs.git import comparing, merging
from designs.git.comparing import Change
from designs.licences import derive
from designs.models import Blob, Design

MAX_OTHERS = 5000


def material_of(
    design: Design, source: Design | None, *, base: str, head: str, onto: str, changes: Sequence[Change]
) -> Material:
    """What `checks.find` wants to know about a change from `base` to `head` that shall go onto `onto`."""
    repository = git.of(design.repository)
    touched = {change.path for change in changes}
    entries = [entry for entry in repository.files(head)[:MAX_OTHERS] if formats.of_name(entry.path) in formats.SOLID]
    oids = {oid for change in changes for oid in (change.old_oid, change.new_oid) if oid}
    known = {blob.oid: blob for blob in Blob.objects.filter(oid__in=oids | {entry.oid for entry in entries})}
    source_licence = source.licence if source is not None and source.pk != design.pk else ""
    return Material(
        files=[_file(change, known) for change in changes],
        others={e.path: _side(e.path, e.oid, e.size, known) for e in entries if e.path not in touched},
        conflicts=conflicts_with(design, onto, head),
        behind=comparing.count_between(repository, onto, head)[0] if onto else 0,
        licence=design.licence,
        source_licence=source_licence,
        licence_forbids=forbidden(design.licence, source_licence),
    )


def conflicts_with(design: Design, onto: str, head: str) -> Sequence[str]:
    """The paths that do not merge by themselves; none into a branch that has nothing yet."""
    if not onto:
        return ()
    return merging.conflicts(git.of(design.repository), onto, head)


def forbidden(licence: str, source_licence: str) -> str:
    """Why the licence of the source does not let its files go into a design under `licence`; empty when it does."""
    if not source_licence or source_licence == licence:
        return ""
    try:
        check_licences(licence, source_licence)
    except LicenceForbids as refusal:
        return str(refusal.sentence)
    return ""


def check_licences(licence: str, source_licence: str) -> None:
    """Raises LicenceForbids when what stands under `source_licence` may not go into a design under `licence`."""
    derive.check(licence, [source_licence])


def _file(change: Change, known: Mapping[str, Blob]) -> ChangedFile:
    before = _side(change.old_path, change.old_oid, change.old_size, known) if change.old_oid else None
    after = _side(change.path, change.new_oid, change.new_size, known) if change.new_oid else None
    return ChangedFile(change.path, before, after)


def _side(path: str, oid: str, size: int, known: Mapping[str, Blob]) -> Side:
    blob = known.get(oid)
    file_format = formats.of_name(path)
    if blob is None:
        return Side(file_format, size, "pending" if file_format in formats.DRAWN else "none")
    return Side(blob.format or file_format, size, blob.preview, blob.reason, blob.facts)
