"""Gathering what the checks of a change look at: git's answers, the facts of the files, the licences."""

import re
from collections.abc import Mapping, Sequence

from django.conf import settings

from designs import git
from designs.checks import ChangedFile, Material, Side
from designs.engine import formats
from designs.errors import LicenceForbids
from designs.git import comparing, merging
from designs.git.comparing import Change
from designs.git.repository import Repository
from designs.licences import derive
from designs.models import Blob, Design
from designs.okh import check
from designs.queries import diffs

MAX_OTHERS = 5000
MAX_MANIFEST_BYTES = 256 * 1024
MANIFEST = re.compile(r"(okh([-_.][\w.-]*)?|[\w.-]+\.okh)\.(toml|ya?ml)")


def material_of(
    design: Design, source: Design | None, *, base: str, head: str, onto: str, changes: Sequence[Change]
) -> Material:
    """What `checks.find` wants to know about a change from `base` to `head` that shall go onto `onto`."""
    repository = git.of(design.repository)
    touched = {change.path for change in changes}
    entries = [entry for entry in repository.files(head)[:MAX_OTHERS] if formats.of_name(entry.path) in formats.SOLID]
    oids = {oid for change in changes for oid in (change.old_oid, change.new_oid) if oid}
    known = {blob.oid: blob for blob in Blob.objects.filter(oid__in=oids | {entry.oid for entry in entries})}
    compared = _compared(design, base, head)
    source_licence = source.licence if source is not None and source.pk != design.pk else ""
    return Material(
        files=[_file(change, known, compared.get((change.old_oid, change.new_oid), "")) for change in changes],
        others={e.path: _side(e.path, e.oid, e.size, known) for e in entries if e.path not in touched},
        conflicts=conflicts_with(design, onto, head),
        behind=comparing.count_between(repository, onto, head)[0] if onto else 0,
        licence=design.licence,
        source_licence=source_licence,
        licence_forbids=forbidden(design, source),
        okh=_okh(repository, head),
    )


def conflicts_with(design: Design, onto: str, head: str) -> Sequence[str]:
    """The paths that do not merge by themselves; none into a branch that has nothing yet."""
    if not onto:
        return ()
    return merging.conflicts(git.of(design.repository), onto, head)


def forbidden(design: Design, source: Design | None) -> str:
    """Why the licence of the source does not let its files go into the design; empty when it does."""
    try:
        check_licences(design, source)
    except LicenceForbids as refusal:
        return str(refusal.sentence)
    return ""


def check_licences(design: Design, source: Design | None) -> None:
    """Raises LicenceForbids, with the clause, when what stands under the source's licence may not go into the design.

    A private source is not named, since people see the sentence who may not know of it.
    """
    if source is None or source.pk == design.pk or source.licence == design.licence:
        return
    derive.check(design.licence, [source if source.is_public else source.licence], shared=design.is_public)


def _okh(repository: Repository, head: str) -> list[str] | None:
    """What is wrong with the manifest of that version; None where it has none."""
    entries = repository.files(head)
    found = next((entry for entry in entries if MANIFEST.fullmatch(entry.path.lower())), None)
    if found is None or found.size > MAX_MANIFEST_BYTES:
        return None
    paths = {entry.path for entry in entries}
    checked = check.check(
        repository.read(found.oid, limit=MAX_MANIFEST_BYTES),
        found.path,
        has_file=lambda path: path in paths,
        site=settings.PUBLIC_URL,
    )
    return [
        f"{found.path}:{finding.line}: {finding.sentence}"
        for finding in checked.findings
        if finding.level == check.ERROR
    ]


def _compared(design: Design, base: str, head: str) -> dict[tuple[str, str], str]:
    """How each pair of shapes was compared, as `ChangedFile.compared` says it; by the two contents."""
    found = {}
    for file in diffs.comparison(design, base, head).files:
        if file.kind == "solid" and file.wants_shape:
            words = file.method if file.status == "ready" else file.status
            found[file.change.old_oid, file.change.new_oid] = words
    return found


def _file(change: Change, known: Mapping[str, Blob], compared: str) -> ChangedFile:
    before = _side(change.old_path, change.old_oid, change.old_size, known) if change.old_oid else None
    after = _side(change.path, change.new_oid, change.new_size, known) if change.new_oid else None
    return ChangedFile(change.path, before, after, compared)


def _side(path: str, oid: str, size: int, known: Mapping[str, Blob]) -> Side:
    blob = known.get(oid)
    file_format = formats.of_name(path)
    if blob is None:
        return Side(file_format, size, "pending" if file_format in formats.DRAWN else "none")
    return Side(blob.format or file_format, size, blob.preview, blob.reason, blob.facts)
