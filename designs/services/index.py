"""The index of what repositories hold, so that any bytes lead back to design, path and commit.

It is a function of the repository alone: `rebuild` makes the same rows from git. What grew by a push is added; when
history was rewritten, the whole is made again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from commons.said import said
from designs import git
from designs.engine import formats
from designs.git import moving, pointers
from designs.git.names import path_fault
from designs.git.repository import Digest, Entry, Introduced, Repository
from designs.models import Blob, Design, FileVersion, LfsObject
from designs.queries import lfs
from designs.services import cards, covers, declared

MAX_VERSIONS = 50_000
BATCH = 1000
#: Between a note and the request for the index lies the move of a ref, and what is measured after it.
MISSED_AFTER_S = 15.0
#: A git whose server was killed has nothing left to do but to move its refs.
GIT_ENDS_WITHIN_S = 120.0
NEVER_MADE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at a repository found: to be written in one transaction."""

    tips: tuple[str, ...]
    head: str
    whole: bool
    introduced: tuple[Introduced, ...]
    digests: tuple[Digest, ...]
    files: tuple[Entry, ...]
    cut: bool


def look(design: Design, *, whole: bool = False) -> Found:
    """Read what the repository holds that the index does not. Writes nothing."""
    repository = git.of(design.repository)
    tips = tuple(sorted(set(repository.refs().values())))
    known = [] if whole else list(design.indexed_tips)
    if any(not _still_there(repository, old, tips) for old in known):
        known, whole = [], True
    introduced: tuple[Introduced, ...] = ()
    if tips:
        brought = repository.introduced(tips=tips, known=known, limit=MAX_VERSIONS + 1)
        introduced = tuple(item for item in brought if not path_fault(item.path))
    cut = len(introduced) > MAX_VERSIONS
    introduced = introduced[:MAX_VERSIONS]
    wanted = {item.blob for item in introduced}
    have = _known_blobs(wanted)
    digests = tuple(repository.digests(sorted(wanted - have))) if wanted - have else ()
    head = repository.head(design.default_branch)
    files = tuple(repository.files(head)) if head else ()
    return Found(tips, head, whole or not known, introduced, digests, files, cut)


def _still_there(repository: Repository, old: str, tips: Sequence[str]) -> bool:
    """Whether history only grew since `old` was a tip."""
    return old in tips or any(repository.is_ancestor(old, tip) for tip in tips)


def _known_blobs(oids: set[str]) -> set[str]:
    known: set[str] = set()
    listed = sorted(oids)
    for start in range(0, len(listed), BATCH):
        known |= set(Blob.objects.filter(oid__in=listed[start : start + BATCH]).values_list("oid", flat=True))
    return known


@transaction.atomic
def write(*, design: Design, found: Found) -> list[Blob]:
    """Make the index say what was found; the blobs that want a preview. Locks the design."""
    design = Design.objects.select_for_update(no_key=True).get(pk=design.pk)
    names = _names(found.introduced)
    Blob.objects.bulk_create(blobs_of(found.digests, names), BATCH, ignore_conflicts=True)
    if found.whole:
        design.file_versions.all().delete()
    missing = _write_versions(design, found)
    _mark_current(design, found)
    design.head, design.indexed_tips = found.head, [] if missing else list(found.tips)
    design.index_note = _note(found, missing)
    design.cover = covers.choose(design)
    design.save(update_fields=["head", "indexed_tips", "index_note", "cover"])
    declared.refresh(design=design, entries=found.files)
    cards.refresh(design)
    return list(
        Blob.objects.filter(file_versions__design=design, file_versions__current=True, preview=Blob.Preview.PENDING)
        .distinct()
        .order_by("size")
    )


def _note(found: Found, missing: int) -> str:
    if missing:
        return f"{missing} large files (Git LFS) were not sent here"
    return f"only the newest {MAX_VERSIONS} file versions are indexed" if found.cut else ""


def _large_files(digests: Sequence[Digest]) -> dict[str, LfsObject]:
    """The large files that pointers among the blobs name, by git's id of the pointer."""
    named = {digest.oid: pointer.oid for digest in digests if (pointer := pointers.read(digest.head))}
    kept = {one.oid: one for one in LfsObject.objects.filter(oid__in=set(named.values()))}
    return {oid: kept[lfs_oid] for oid, lfs_oid in named.items() if lfs_oid in kept}


def _names(introduced: Sequence[Introduced]) -> dict[str, str]:
    """A path for each blob: the one whose ending says most."""
    names: dict[str, str] = {}
    for item in introduced:
        if item.blob not in names or (formats.of_name(item.path) and not formats.of_name(names[item.blob])):
            names[item.blob] = item.path
    return names


def blobs_of(digests: Sequence[Digest], names: Mapping[str, str]) -> list[Blob]:
    """Rows of contents that are new to the city, not written. `names` has a path for each, which says its format; a
    pointer to a large file that nobody sent has no row."""
    large = _large_files(digests)
    return [
        _blob(digest, names.get(digest.oid, ""), large)
        for digest in digests
        if digest.oid in large or not pointers.read(digest.head)
    ]


def _blob(digest: Digest, path: str, large: Mapping[str, LfsObject]) -> Blob:
    """What is known of a content before it is drawn; of a pointer, what is known of the file it stands for."""
    file_format = formats.of_name(path)
    drawn = file_format in formats.DRAWN
    real = large.get(digest.oid)
    return Blob(
        oid=digest.oid,
        sha1=real.sha1 if real else digest.sha1,
        sha256=real.oid if real else digest.sha256,
        size=real.size if real else digest.size,
        lfs=real.oid if real else "",
        format=file_format,
        preview=Blob.Preview.PENDING if drawn else Blob.Preview.NONE,
        reason="" if drawn else "There is no picture for this kind of file.",
    )


def _write_versions(design: Design, found: Found) -> int:
    """Add what was brought; how many pointers were left out because their large file is not here."""
    left_out: set[str] = set()
    for start in range(0, len(found.introduced), BATCH):
        batch = found.introduced[start : start + BATCH]
        blobs = list(Blob.objects.filter(oid__in={item.blob for item in batch}).only("pk", "oid", "lfs"))
        absent = lfs.without_bytes(design, blobs)
        pks = {blob.oid: blob.pk for blob in blobs if blob.oid not in absent}
        left_out |= {item.blob for item in batch if item.blob not in pks}
        FileVersion.objects.bulk_create(
            [
                FileVersion(
                    design=design, blob_id=pks[item.blob], path=item.path, commit=item.commit, committed_at=item.at
                )
                for item in batch
                if item.blob in pks
            ],
            BATCH,
            ignore_conflicts=True,
        )
    return len(left_out)


def _mark_current(design: Design, found: Found) -> None:
    """The newest version of each (path, content) that the default branch has now."""
    now = {(entry.path, entry.oid) for entry in found.files}
    newest: dict[tuple[str, str], int] = {}
    versions = design.file_versions.order_by("committed_at", "pk").values_list("pk", "path", "blob__oid")
    for pk, path, oid in versions.iterator(chunk_size=5000):
        if (path, oid) in now:
            newest[path, oid] = pk
    design.file_versions.filter(current=True).exclude(pk__in=newest.values()).update(current=False)
    design.file_versions.filter(current=False, pk__in=newest.values()).update(current=True)


def rebuild(*, design: Design) -> list[Blob]:
    """Make the index of a design anew from git."""
    return write(design=design, found=look(design, whole=True))


@transaction.atomic
def index_later(*, design: Design, by: User | None, pushed: bool = True) -> Run:
    """Ask a worker to read what a push brought and to draw it; from then on that is noted in the database."""
    notes = moving.announced(git.of(design.repository).path)
    transaction.on_commit(lambda: moving.forget(notes))
    if pushed:
        Design.objects.filter(pk=design.pk).update(pushed_at=timezone.now())
    return runs.start(
        kind="designs.index", inputs={"design": design.pk},
        title=said(gettext_lazy("Reading %(design)s"), design=design.name), subject=subject_of(design), owner=by,
        public=design.is_shown, demo=design.demo,
    )  # fmt: skip


def find_missed(*, older_than_s: float = MISSED_AFTER_S, last_look_s: float = GIT_ENDS_WITHIN_S) -> int:
    """Ask for the index of repositories in which something moved, or was about to, and whose mover did not come so
    far as to ask: it was killed, or the database was away; how many. Reading what is known already changes nothing.

    Each note is looked at twice, for its git may have moved the refs after the first time.
    """
    found = 0
    for repository, notes in moving.left_behind(older_than_s).items():
        last = [note for note in notes if moving.age_s(note) >= last_look_s]
        first = [note for note in notes if note not in last and not moving.is_seen(note)]
        design = Design.objects.filter(repository=repository).first()
        if design is None:  # it was never made, is gone, or is still on its way
            moving.forget(note for note in notes if moving.age_s(note) > NEVER_MADE_S)
        elif last or first:
            index_later(design=design, by=None)
            moving.forget(last)
            moving.mark_seen(first)
            found += 1
    return found


def index_now(*, design: Design, by: User | None, draw: bool = False, timeout_s: float = 1800.0) -> Design:
    """The same by this process, waiting for whoever holds the work; with `draw` also for the previews."""
    run = index_later(design=design, by=by)
    _finish(run, timeout_s)
    while draw:
        drawing = open_run(design)
        if drawing is None:
            break
        _finish(drawing, timeout_s)
    design.refresh_from_db()
    return design


def _finish(run: Run, timeout_s: float) -> None:
    do(run.pk)
    run.refresh_from_db()
    if not run.is_over:
        runs.wait(run=run, timeout_s=timeout_s)


def subject_of(design: Design) -> str:
    """What a run about a design is about."""
    return f"designs.design:{design.pk}"


def open_run(design: Design) -> Run | None:
    """The run that works on the design now, newest first."""
    return (
        Run.objects.filter(subject=subject_of(design), status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
        .order_by("-created_at")
        .first()
    )
