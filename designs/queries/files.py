"""What a version of a design holds: its files with what is known of each, and its texts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q

from designs import git, sheets
from designs.engine import formats
from designs.git.repository import Commit, Entry
from designs.models import Blob, Design
from designs.queries import formers, lfs
from designs.queries.cautions import cautions
from designs.queries.scripts import LIBRARY, composed, uses
from designs.sheets import Sheet

README_NAMES = ("readme.md", "readme.markdown", "readme.txt", "readme")
MAX_TEXT = 512 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """A file of a version. `blob` is None until the index has read it."""

    entry: Entry
    blob: Blob | None

    @property
    def path(self) -> str:
        """Where it is in the design."""
        return self.entry.path

    @property
    def size(self) -> int:
        """Bytes of the file itself, also where git holds only a pointer to it."""
        return self.blob.size if self.blob is not None else self.entry.size

    @property
    def is_large(self) -> bool:
        """Whether git holds a pointer, and the bytes lie beside it (Git LFS)."""
        return self.blob is not None and self.blob.lfs != ""

    @property
    def format(self) -> str:
        """Its format by name, or nothing."""
        return self.blob.format if self.blob and self.blob.format else formats.of_name(self.entry.path)

    @property
    def status(self) -> str:
        """ready, pending, failed or none."""
        if self.blob is not None:
            # A library for other scripts has no shape of its own, which is no fault.
            return "none" if self.blob.reason == LIBRARY else self.blob.preview
        return "pending" if self.format in formats.DRAWN else "none"

    @property
    def cautions(self) -> list[str]:
        """What a maker should know before printing it."""
        return cautions(self.blob.facts) if self.blob and self.blob.facts else []

    @property
    def is_drawn(self) -> bool:
        """Whether it has a picture or a model."""
        return (
            self.blob is not None and self.blob.preview == Blob.Preview.READY and bool(self.blob.png or self.blob.glb)
        )


def files_at(design: Design, commit: str) -> list[File]:
    """The files of a version, by path, each with what is shown of it there."""
    return composed(contents_at(design, commit))


def contents_at(design: Design, commit: str) -> list[File]:
    """The same with what is known of each content alone, not of scripts and what they include."""
    return with_blobs(design, git.of(design.repository).files(commit)) if commit else []


def with_blobs(design: Design, entries: Iterable[Entry]) -> list[File]:
    """Entries with what the index knows of each; nothing of a pointer whose large file the design does not hold."""
    listed = list(entries)
    known = {blob.oid: blob for blob in Blob.objects.filter(oid__in={entry.oid for entry in listed})}
    for oid in lfs.without_bytes(design, known.values()):
        del known[oid]
    return [File(entry, known.get(entry.oid)) for entry in listed]


def file_at(design: Design, commit: str, path: str) -> File:
    """One file of a version. Raises DesignNotFound."""
    found = with_blobs(design, [git.of(design.repository).entry(commit, path)])[0]
    if uses(found.blob) and not found.entry.is_symlink:
        return next((file for file in files_at(design, commit) if file.path == path), found)
    return found


def text_of(design: Design, file: File) -> str | None:
    """The file as text when it is one and not too long, else None."""
    if file.size > MAX_TEXT:
        return None
    raw = _whole(design, file)
    if not formats.is_text(raw):
        return None
    return raw.decode("utf-8", "replace")


def _whole(design: Design, file: File) -> bytes:
    if file.is_large:
        return b"".join(content(design, file))
    return git.of(design.repository).read(file.entry.oid, limit=MAX_TEXT)


def sheet_of(design: Design, file: File) -> Sheet | None:
    """The file as a table, or None where it is none. Of a long one its first rows."""
    raw, pieces = bytearray(), content(design, file)
    for piece in pieces:
        raw += piece
        if len(raw) > sheets.MAX_BYTES:
            break
    return sheets.read(bytes(raw))


def content(design: Design, file: File) -> Iterator[bytes]:
    """The bytes of a file in pieces: of the large file itself where git holds a pointer."""
    if file.blob is not None and file.blob.lfs:
        return lfs.stream(lfs.find(design, file.blob.lfs).oid)
    return git.of(design.repository).stream(file.entry.oid)


def readme(files: Iterable[File]) -> File | None:
    """The file that tells what the design is."""
    tops = {file.path.lower(): file for file in files if "/" not in file.path}
    return next((tops[name] for name in README_NAMES if name in tops), None)


def history(design: Design, commit: str, *, limit: int, skip: int = 0, path: str = "") -> list[Commit]:
    """Commits that led to a version, newest first."""
    if not commit:
        return []
    return formers.shown(git.of(design.repository).history(commit, limit=limit, skip=skip, path=path))


def holds_all(design: Design, oids: Iterable[str]) -> bool:
    """Whether each of these contents is in some version of the design, or in a change that was offered to it."""
    wanted = set(oids)
    held = Q(file_versions__design=design) | Q(offered__proposal__design=design)
    found = list(Blob.objects.filter(held, oid__in=wanted).distinct())
    return len(found) == len(wanted) and not lfs.without_bytes(design, found)


def holds_blob(design: Design, oid: str) -> Blob | None:
    """The blob of that id if any version of the design holds it, or a change that was offered to it."""
    held = Q(file_versions__design=design) | Q(offered__proposal__design=design)
    found = Blob.objects.filter(held, oid=oid).first()
    return None if found is None or lfs.without_bytes(design, [found]) else found
