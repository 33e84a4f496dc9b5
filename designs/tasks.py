"""Long work of the room: reading what a push brought, drawing it, and looking after the repositories at night."""

import tempfile
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.schedules import crontab
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.errors import BadInput, Conflict
from commons.people.models import Handle
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from designs import sandbox
from designs.engine import ENGINE_VERSION
from designs.engine.diff import DIFF_VERSION
from designs.errors import DesignNotFound, GitFailed, LargeFileMissing, TooLarge
from designs.models import Blob, Design, Release, ShapeDiff
from designs.queries import contents
from designs.queries.files import contents_at
from designs.queries.room import left_bytes
from designs.sandbox import photos
from designs.sandbox.results import Result
from designs.services import (
    boards,
    diffs,
    imports,
    index,
    lifecycle,
    makes,
    mirrors,
    previews,
    proposals,
    release_archives,
    releases,
    scripted,
    upkeep,
    uploads,
)
from designs.services import lfs as lfs_services
from designs.services.proposals import following

#: Rung by beat (livingcity.celery collects these).
BEAT = {
    "designs.sweep": {"task": "designs.sweep", "schedule": 86_400.0, "options": {"expires": 3600}},
    "designs.missed": {"task": "designs.missed", "schedule": 5.0, "options": {"expires": 10}},
    "designs.purge": {"task": "designs.purge", "schedule": 3600.0, "options": {"expires": 3000}},
    "designs.mirrors": {"task": "designs.mirrors", "schedule": 300.0, "options": {"expires": 280}},
    "designs.upkeep": {"task": "designs.upkeep", "schedule": crontab(hour=2, minute=40), "options": {"expires": 3600}},
}


@shared_task(name="designs.upkeep")
def night() -> None:
    """Every night: all repositories are checked, and packed where they need it."""
    if not Run.objects.filter(kind="designs.upkeep", status__in=[Run.Status.QUEUED, Run.Status.RUNNING]).exists():
        runs.start(kind="designs.upkeep", inputs={}, title=said(lazy("Looking after all repositories")))


@kind("designs.upkeep", queue="previews", engine_version="1")
def look_after_all(job: Job, _inputs: Inputs) -> Outcome:
    """Check every repository and pool; a round that was broken off goes on with those that were not reached."""
    done = damaged = 0
    for number, count, found in upkeep.round_of_all():
        done, damaged = number, damaged + bool(found is not None and found.fault)
        job.progress(number / count, said(lazy("Repository %(n)d of %(all)d"), n=number, all=count))
    return Outcome({"repositories": done, "damaged": damaged})


@shared_task(name="designs.missed")
def look_for_missed() -> int:
    """Every five seconds: versions that came in while the process that took them died."""
    return index.find_missed()


@shared_task(name="designs.sweep")
def sweep() -> None:
    """Once a day: forget large files that no design holds, and what imports left that came to nothing; look again at
    changes whose target moved unseen."""
    lfs_services.sweep()
    following.follow_missed()
    imports.forget_unsettled()
    uploads.forget_old()


def _design(inputs: Inputs) -> Design:
    design = Design.objects.filter(pk=inputs["design"]).select_related("created_by").first()
    if design is None:
        raise DesignNotFound(_("The design was deleted meanwhile."))
    return design


@kind("designs.index", queue="default", engine_version="1")
def read_pushed(job: Job, inputs: Inputs) -> Outcome:
    """Read what the repository holds that the index does not, then have it drawn."""
    design = _design(inputs)
    job.progress(0.1, said(lazy("Reading the files")))
    found = index.look(design)

    def effect() -> None:
        pending = index.write(design=design, found=found)
        if pending:
            previews.start(design=design, blobs=pending)
        proposals.follow_related(design=design, by=None)

    return Outcome({"head": found.head, "versions": len(found.introduced), "new_blobs": len(found.digests)}, effect)


@kind("designs.import", queue="default", engine_version="1")
def bring(job: Job, inputs: Inputs) -> Outcome:
    """Fetch a repository from elsewhere and make a design of it."""
    owner = Handle.objects.filter(name=inputs["owner"]).first()
    if owner is None:
        raise DesignNotFound(_("The owner was deleted meanwhile."))
    asked = {name: inputs[name] for name in ("source", "name", "slug", "licence", "visibility")}
    wanted = imports.wish(owner=owner, by=job.run.owner, **asked, **_since(inputs))
    room = left_bytes(owner)
    repository = imports.fetch(
        wanted, inputs["repository"], say=lambda share, stage: job.progress(share * 0.6, stage), room_bytes=room
    )
    large = imports.fetch_large(
        wanted, repository, room_bytes=room, say=lambda share, stage: job.progress(0.6 + share * 0.35, stage)
    )
    url = reverse("rooms:design", args=[owner.name, wanted.slug])

    def effect() -> None:
        design = imports.settle(wanted, repository, by=job.run.owner, large=large)
        index.index_later(design=design, by=job.run.owner)

    told = {"large_files": len(large.oids), "note": large.sentence} if large.oids or large.missing else {}
    return Outcome({"owner": owner.name, "slug": wanted.slug, "url": url, **told}, effect)


def _since(inputs: Inputs) -> dict[str, Any]:
    """What runs that were started by an older version do not say."""
    return {"follow_hours": inputs.get("follow_hours", 0), "summary": inputs.get("summary", "")}


@kind(uploads.KIND, queue="default", engine_version="1")
def unpack(job: Job, inputs: Inputs) -> Outcome:
    """Make a design of an archive that somebody sent."""
    owner = Handle.objects.filter(name=inputs["owner"]).first()
    if owner is None:
        raise DesignNotFound(_("The owner was deleted meanwhile."))
    token = inputs["upload"]
    try:
        asked = {name: inputs[name] for name in ("name", "slug", "licence", "visibility", "summary")}
        wanted = imports.wish(source=str(uploads.path_of(token)), owner=owner, by=None, **asked)
        job.progress(0.1, said(lazy("Unpacking")))
        repository = imports.fetch(wanted, inputs["repository"])
    except (BadInput, Conflict, TooLarge):
        uploads.forget(token)
        raise
    url = reverse("rooms:design", args=[owner.name, wanted.slug])

    def effect() -> None:
        design = imports.settle(wanted, repository, by=job.run.owner)
        index.index_later(design=design, by=job.run.owner)
        transaction.on_commit(lambda: uploads.forget(token))

    return Outcome({"owner": owner.name, "slug": wanted.slug, "url": url}, effect)


@shared_task(name="designs.mirrors")
def follow_sources() -> int:
    """Every few minutes: look at the sources whose time has come."""
    return mirrors.start_due()


@kind(mirrors.KIND, queue="default", engine_version="1")
def follow_source(job: Job, inputs: Inputs) -> Outcome:
    """Fetch what the source of a mirror has now; its branches, index and pictures follow."""
    mirror = mirrors.find(inputs["mirror"])
    try:
        found = mirrors.look(mirror, say=job.progress)
    except mirrors.FAULTS as refusal:
        mirrors.note_failure(mirror=mirror, sentence=str(refusal.sentence))
        raise

    def effect() -> None:
        mirrors.write(mirror=mirror, found=found, by=job.run.owner)

    brought = found.brought
    return Outcome(
        {"changed": len(brought.steps), "rewritten": brought.rewritten, "large_files": len(found.large.oids),
         "note": found.large.sentence},
        effect,
    )  # fmt: skip


@kind("designs.preview", queue="previews", engine_version=ENGINE_VERSION)
def draw(job: Job, inputs: Inputs) -> Outcome:
    """Draw blobs one by one.

    Each is kept as soon as it is drawn: it is named by its content and the same bytes give the same picture, so a
    worker that dies, or two at once, change nothing. The run's own effect is the design's cover.
    """
    design, oids, ready = _design(inputs), list(inputs["blobs"]), 0
    for number, oid in enumerate(oids):
        job.progress(number / len(oids), said(lazy("Drawing %(n)d of %(all)d files"), n=number + 1, all=len(oids)))
        blob = Blob.objects.filter(oid=oid).first()
        if blob is not None and (inputs.get("again") or previews.is_wanted(blob)):
            previews.keep(blob=blob, result=_drawn(design, blob), engine_version=ENGINE_VERSION)
            if number == 0:
                previews.settle_cover(design=design)
        ready += 1
    for commit in dict.fromkeys((design.head, inputs.get("commit", ""))):
        _draw_together(design, commit)

    def effect() -> None:
        previews.settle_cover(design=design)
        proposals.look_again_at_blobs(oids=oids)

    return Outcome({"drawn": ready}, effect)


def _draw_together(design: Design, commit: str) -> None:
    """What is made of several files of a version: boards, and scripts with what they include."""
    try:
        files = contents_at(design, commit)
    except (GitFailed, DesignNotFound):  # that version was rewritten away meanwhile
        return
    boards.draw_missing(design=design, files=files)
    scripted.draw_missing(design=design, files=files)


@kind(following.KIND, queue="default", engine_version="1")
def look_at_change(job: Job, inputs: Inputs) -> Outcome:
    """See what an open change is now: its newest version, its files, what the checks find."""
    proposal = following.find_to_follow(inputs["proposal"])
    job.progress(0.1, said(lazy("Comparing the two versions")))
    seen = following.look(proposal)

    def effect() -> None:
        following.write(proposal=proposal, seen=seen)

    return Outcome({"head": seen.head, "files": len(seen.changes)}, effect)


@kind("designs.photos", queue="previews", engine_version="1")
def read_photos(job: Job, inputs: Inputs) -> Outcome:
    """Draw the photos of a make anew. Each is kept as soon as it is drawn, so doing it twice is harmless."""
    waiting = makes.waiting(make=int(inputs["make"]))
    for number, photo in enumerate(waiting):
        count = len(waiting)
        job.progress(number / count, said(lazy("Reading photo %(n)d of %(all)d"), n=number + 1, all=count))
        makes.keep_photo(photo=photo, drawn=photos.redraw(makes.incoming(photo)))
    return Outcome({"photos": len(waiting)})


@shared_task(name="designs.purge")
def purge_deleted() -> int:
    """Every hour: take away what was deleted more than thirty days ago."""
    return lifecycle.purge()


def _drawn(design: Design, blob: Blob) -> Result:
    with tempfile.TemporaryDirectory(prefix="lc-blob-") as folder:
        source = Path(folder) / "source"
        try:
            contents.put(design, blob, source)
        except (GitFailed, DesignNotFound, LargeFileMissing, OSError):
            return Result.failed("The file could not be read from its repository.")
        if blob.format == "openscad":
            return scripted.build(source.read_bytes())
        return sandbox.draw(source, blob.format).result


@kind("designs.release", queue="default", engine_version=str(release_archives.FORMAT))
def pack(job: Job, inputs: Inputs) -> Outcome:
    """Make the archive of a release. It is named by its content, so twice is harmless."""
    release = Release.objects.filter(pk=inputs["release"]).select_related("design", "design__owner").first()
    if release is None:
        raise DesignNotFound(_("The design was deleted meanwhile."))
    if release_archives.path_of(release) is not None:
        return Outcome({"sha256": release.sha256})
    built, effect = releases.pack(release=release, say=job.progress)
    return Outcome({"sha256": built.sha256, "size": built.size}, effect)


@kind("designs.diff", queue="previews", engine_version=DIFF_VERSION)
def compare_shapes(job: Job, inputs: Inputs) -> Outcome:
    """Compare pairs of shapes one by one; each is kept as soon as it is known, like a preview."""
    design, pairs, done = _design(inputs), list(inputs["diffs"]), 0
    for number, pk in enumerate(pairs):
        job.progress(number / len(pairs), said(lazy("Comparing %(n)d of %(all)d shapes"), n=number + 1, all=len(pairs)))
        shape = ShapeDiff.objects.filter(pk=pk, status=ShapeDiff.Status.PENDING).first()
        if shape is not None:
            diffs.work_out(design, shape)
            done += 1

    def effect() -> None:
        proposals.look_again_at_blobs(oids=set(ShapeDiff.objects.filter(pk__in=pairs).values_list("head", flat=True)))

    return Outcome({"compared": done}, effect)
