"""Asking for differences of shapes and keeping what the sandbox found. A pair of contents is compared once, whatever
the number of designs, forks, changes and visitors that show it."""

import tempfile
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy

from commons.errors import CityError
from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from designs import git, sandbox
from designs.engine.diff import DIFF_VERSION
from designs.models import Blob, Design, ShapeDiff
from designs.queries import diffs as queries
from designs.queries import lfs
from designs.queries.diffs import Comparison, FileDiff
from designs.services.index import subject_of
from designs.services.previews import write

#: A visitor without an account may begin so many runs in an hour, a person so many; what is computed already is free.
ANONYMOUS_AN_HOUR, PERSON_AN_HOUR = 20, 240
HOUR_S = 3600
#: Runs of strangers that may wait at once, over the whole city.
MAX_WAITING = 24
MAX_TRIES = 3
KIND = "designs.diff"


def compare(design: Design, base: str, head: str, *, by: User | None = None, asker: str = "") -> Comparison:
    """What turns commit `base` into commit `head`. Shapes that nobody compared yet are asked for: a run begins, and the
    comparison says which. `asker` names a visitor without an account, who may begin fewer. Raises TooLarge."""
    found = queries.comparison(design, base, head)
    missing = [file for file in found.files if file.status == "pending"]
    if not missing:
        return found
    running = _running(missing)
    fresh = [file for file in missing if file.shape is None or not _is_alive(file.shape, running)]
    if not fresh:
        return replace(found, run=_newest(running))
    if not _may_begin(by, asker):
        return replace(found, held_back=True, run=_newest(running))
    run = _begin(design, fresh, by)
    # What another request asked for meanwhile, or what was tried too often, shows in the rows.
    return replace(queries.comparison(design, base, head), run=run or _newest(running))


def _running(files: list[FileDiff]) -> dict[UUID, Run]:
    ids = {file.shape.run for file in files if file.shape and file.shape.run}
    return {run.pk: run for run in Run.objects.filter(pk__in=ids) if not run.is_over}


def _is_alive(shape: ShapeDiff, running: dict[UUID, Run]) -> bool:
    return shape.run in running


def _newest(running: dict[UUID, Run]) -> Run | None:
    return max(running.values(), key=lambda run: run.created_at, default=None)


def _may_begin(by: User | None, asker: str) -> bool:
    """Count one more run of this caller; a cache that is away lets it pass, as everywhere."""
    if by is None and Run.objects.filter(kind=KIND, owner=None, status=Run.Status.QUEUED).count() >= MAX_WAITING:
        return False
    key = f"diffs:{by.pk if by else asker or 'nobody'}"
    try:
        cache.add(key, 0, HOUR_S)
        return cache.incr(key) <= (PERSON_AN_HOUR if by else ANONYMOUS_AN_HOUR)
    except Exception as fault:
        if isinstance(fault, ValueError | OSError) or type(fault).__module__.startswith("redis"):
            return True
        raise


@transaction.atomic
def _begin(design: Design, files: list[FileDiff], by: User | None) -> Run | None:
    """Write the pairs down and start one run for them. Locks them; None when there is nothing left to do."""
    mine = [shape for shape in (_take(file) for file in files) if shape is not None]
    if not mine:
        return None
    run = runs.start(
        kind=KIND, inputs={"design": design.pk, "diffs": [shape.pk for shape in mine]},
        title=said(gettext_lazy("Comparing shapes of %(design)s"), design=design.name),
        subject=f"{subject_of(design)}:diff", owner=by, public=design.is_shown, demo=design.demo,
    )  # fmt: skip
    ShapeDiff.objects.filter(pk__in=[shape.pk for shape in mine]).update(run=run.pk)
    return run


def _take(file: FileDiff) -> ShapeDiff | None:
    """The row of this pair for a new try, or None when another request has it or it failed too often."""
    try:
        with transaction.atomic():
            shape, made = ShapeDiff.objects.get_or_create(
                base=file.change.old_oid, head=file.change.new_oid, formats=file.formats, engine_version=DIFF_VERSION
            )
    except IntegrityError:
        return None
    shape = ShapeDiff.objects.select_for_update(no_key=True).get(pk=shape.pk)
    if shape.status != ShapeDiff.Status.PENDING or (not made and shape.run != (file.shape.run if file.shape else None)):
        return None
    shape.tries += 1
    if shape.tries > MAX_TRIES:
        shape.status, shape.reason = ShapeDiff.Status.FAILED, "Comparing them was tried several times and stopped."
    shape.save(update_fields=["tries", "status", "reason"])
    return shape if shape.status == ShapeDiff.Status.PENDING else None


def work_out(design: Design, shape: ShapeDiff) -> None:
    """Compare one pair in the sandbox and keep what came: figures and model first, the picture when it is drawn."""
    with tempfile.TemporaryDirectory(prefix="lc-diff-") as name:
        folder = Path(name) / "pair"
        folder.mkdir()
        try:
            for side, oid in (("base", shape.base), ("head", shape.head)):
                _fetch(design, oid, folder / side)
        except (CityError, OSError):
            keep(shape=shape, found=sandbox.Compared(False, "One of the two files could not be read."))
            return
        found = sandbox.compare(folder, shape.formats)
        keep(shape=shape, found=found)
        if found.ready and found.layers:
            layers = Path(name) / "layers.npz"
            layers.write_bytes(found.layers)
            keep_picture(shape=shape, pictures=sandbox.picture(layers))


def _fetch(design: Design, oid: str, target: Path) -> None:
    """A blob's bytes, or those of the large file that it points at. A copy: the sandbox sees this folder alone."""
    blob = Blob.objects.filter(oid=oid).first()
    if blob is not None and blob.lfs:
        large = lfs.find(design, blob.lfs)
        with target.open("wb") as out:
            out.writelines(lfs.stream(large.oid))
        return
    git.of(design.repository).copy_to(oid, target)


def keep(*, shape: ShapeDiff, found: sandbox.Compared) -> None:
    """Write what was found. The same two contents give the same figures, so twice is harmless."""
    figures = found.figures or {}
    ShapeDiff.objects.filter(pk=shape.pk).update(
        status=ShapeDiff.Status.READY if found.ready else ShapeDiff.Status.FAILED,
        method=figures.get("method", ""),
        figures=figures,
        reason=found.reason,
        glb=write(f"{_folder(shape)}/model.glb", found.glb) if found.glb else "",
    )
    if found.png:
        keep_picture(shape=shape, pictures=(found.png, found.small))


def keep_picture(*, shape: ShapeDiff, pictures: tuple[bytes, bytes]) -> None:
    """Write the pictures, if there are any."""
    png, small = pictures
    if png and small:
        ShapeDiff.objects.filter(pk=shape.pk).update(
            png=write(f"{_folder(shape)}/picture.png", png), small=write(f"{_folder(shape)}/small.png", small)
        )


def _folder(shape: ShapeDiff) -> str:
    kinds = shape.formats.replace("/", "-")
    return f"diffs/{shape.base[:2]}/{shape.base[:20]}-{shape.head[:20]}-{kinds}-{shape.engine_version}"
