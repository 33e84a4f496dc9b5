"""Long work of the room: reading what a push brought, and drawing it."""

import tempfile
from pathlib import Path

from celery import shared_task

from commons.runs.registry import Inputs, Job, Outcome, kind
from designs import git, sandbox
from designs.engine import ENGINE_VERSION
from designs.errors import DesignNotFound, GitFailed
from designs.models import Blob, Design
from designs.sandbox import photos
from designs.sandbox.results import Result
from designs.services import index, lifecycle, makes, previews


def _design(inputs: Inputs) -> Design:
    design = Design.objects.filter(pk=inputs["design"]).select_related("created_by").first()
    if design is None:
        raise DesignNotFound("The design was deleted meanwhile.")
    return design


@kind("designs.index", queue="default", engine_version="1")
def read_pushed(job: Job, inputs: Inputs) -> Outcome:
    """Read what the repository holds that the index does not, then have it drawn."""
    design = _design(inputs)
    job.progress(0.1, "Reading the files")
    found = index.look(design)

    def effect() -> None:
        pending = index.write(design=design, found=found)
        if pending:
            previews.start(design=design, blobs=pending)

    return Outcome({"head": found.head, "versions": len(found.introduced), "new_blobs": len(found.digests)}, effect)


@kind("designs.preview", queue="previews", engine_version=ENGINE_VERSION)
def draw(job: Job, inputs: Inputs) -> Outcome:
    """Draw blobs one by one.

    Each is kept as soon as it is drawn: it is named by its content and the same bytes give the same picture, so a
    worker that dies, or two at once, change nothing. The run's own effect is the design's cover.
    """
    design, oids, ready = _design(inputs), list(inputs["blobs"]), 0
    for number, oid in enumerate(oids):
        job.progress(number / len(oids), f"Drawing {number + 1} of {len(oids)} files")
        blob = Blob.objects.filter(oid=oid).first()
        if blob is not None and blob.preview == Blob.Preview.PENDING:
            previews.keep(blob=blob, result=_drawn(design, blob), engine_version=ENGINE_VERSION)
            if number == 0:
                previews.settle_cover(design=design)
        ready += 1
    return Outcome({"drawn": ready}, lambda: previews.settle_cover(design=design))


@kind("designs.photos", queue="previews", engine_version="1")
def read_photos(job: Job, inputs: Inputs) -> Outcome:
    """Draw the photos of a make anew. Each is kept as soon as it is drawn, so doing it twice is harmless."""
    waiting = makes.waiting(make=int(inputs["make"]))
    for number, photo in enumerate(waiting):
        job.progress(number / len(waiting), f"Reading photo {number + 1} of {len(waiting)}")
        makes.keep_photo(photo=photo, drawn=photos.redraw(makes.incoming(photo)))
    return Outcome({"photos": len(waiting)})


#: What beat rings, and every how many seconds.
BEAT = {"designs.purge": {"task": "designs.purge", "schedule": 3600.0, "options": {"expires": 3000}}}


@shared_task(name="designs.purge")
def purge_deleted() -> int:
    """Every hour: take away what was deleted more than thirty days ago."""
    return lifecycle.purge()


def _drawn(design: Design, blob: Blob) -> Result:
    with tempfile.TemporaryDirectory(prefix="lc-blob-") as folder:
        source = Path(folder) / "source"
        try:
            git.of(design.repository).copy_to(blob.oid, source)
        except (GitFailed, OSError):
            return Result.failed("The file could not be read from its repository.")
        return sandbox.draw(source, blob.format).result
