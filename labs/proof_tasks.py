"""Long work of proofs and slicing: shapes of meshes, files of jobs, programs for booked machines."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext_lazy as lazy

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said

if TYPE_CHECKING:
    from labs.models import JobFile

BEAT = {
    "labs.unproven": {"task": "labs.unproven", "schedule": 3600.0, "options": {"queue": "default", "expires": 3000}},
}


@shared_task(name="labs.design_arrived")
def design_arrived(design: int) -> int:
    """A design has new files, or is shown to more people: its shapes are described and jobs proven again."""
    from designs.models import Design  # noqa: PLC0415 models must be loaded first
    from labs.services import shapes  # noqa: PLC0415
    from labs.services.jobs import sweeping  # noqa: PLC0415

    found = Design.objects.select_related("created_by").filter(pk=design, deleted_at=None).first()
    if found is None:
        return 0
    shapes.describe_later(design=found)
    return sweeping.design_arrived(design=found, now=timezone.now())


@shared_task(name="labs.unproven")
def unproven() -> int:
    """Every hour: jobs without a proof, files whose time has come or whose row is gone, designs not described yet."""
    from labs.services import shapes, slices  # noqa: PLC0415 services need the models
    from labs.services.jobs import files, matching, sweeping  # noqa: PLC0415

    now = timezone.now()
    slices.let_go_of_lost(now=now)
    files.let_go_of_old(now=now)
    for design in shapes.designs_waiting():
        shapes.describe_later(design=design)
    matching.match_later(now=now)
    return sweeping.sweep(now=now)


@kind("labs.shapes", queue="previews", engine_version="1")
def describe_shapes(job: Job, inputs: Inputs) -> Outcome:
    """Describe the meshes of a design one by one; each is kept as soon as it is known."""
    from designs.models import Design  # noqa: PLC0415
    from labs.services import shapes  # noqa: PLC0415
    from labs.services.jobs import matching  # noqa: PLC0415

    design = Design.objects.filter(pk=int(inputs["design"])).first()
    if design is None:
        return Outcome({"shapes": 0})
    waiting = list(shapes.missing(design)[: shapes.MOST])
    for number, blob in enumerate(waiting):
        job.progress(number / len(waiting), said(lazy("Shape %(n)d of %(all)d"), n=number + 1, all=len(waiting)))
        shapes.describe(design=design, blob=blob)
    return Outcome({"shapes": len(waiting)}, lambda: matching.design_described(design=design))


@kind("labs.read_print", queue="previews", engine_version="1")
def read_print(job: Job, inputs: Inputs) -> Outcome:
    """Read the file of a job in the sandbox and look for the design of that shape."""
    from labs.services.jobs import files, matching  # noqa: PLC0415

    sent = _sent(inputs)
    if sent is None or not files.path_of(sent).is_file():
        return Outcome({"found": 0})
    job.progress(0.1, said(lazy("Reading the program")))
    notes = files.notes_in(files.path_of(sent))
    printed, reason = matching.read_shapes(files.path_of(sent))
    job.progress(0.7, said(lazy("Comparing with the shapes of designs")))
    found, plate = matching.search(sent.job, printed), matching.search_plate(sent.job, printed)
    packed = matching.packed(printed)
    return Outcome(
        {"found": len(found)},
        lambda: files.read(sent=sent, printed=packed, reason=reason, notes=notes, found=found, plate=plate),
    )


@kind("labs.match_prints", queue="previews", engine_version="1")
def match_prints(job: Job, inputs: Inputs) -> Outcome:
    """Look for the designs of prints that were read before, again."""
    from labs.models import JobFile  # noqa: PLC0415
    from labs.services.jobs import matching  # noqa: PLC0415

    files = list(JobFile.objects.filter(pk__in=inputs["files"], state=JobFile.State.READ))
    changed = 0
    for number, sent in enumerate(files):
        job.progress(number / len(files), said(lazy("Print %(n)d of %(all)d"), n=number + 1, all=len(files)))
        changed += matching.match_again(sent=sent, now=timezone.now())
    return Outcome({"prints": len(files), "changed": changed})


def _sent(inputs: Inputs) -> "JobFile | None":
    from labs.models import JobFile  # noqa: PLC0415

    rows = JobFile.objects.select_related("job__booking__user", "job__machine__lab__organisation")
    return rows.filter(pk=inputs["file"], state=JobFile.State.WAITING).first()


@kind("labs.slice", queue="previews", engine_version="1")
def slice_file(job: Job, inputs: Inputs) -> Outcome:
    """Slice a file of a design for the machine that was booked."""
    from labs.models import Slice  # noqa: PLC0415
    from labs.services import slices  # noqa: PLC0415

    rows = Slice.objects.select_related("design", "machine__lab", "profile", "booking")
    made = rows.filter(pk=inputs["slice"], state=Slice.State.QUEUED).first()
    if made is None:
        return Outcome({"sliced": 0})
    job.progress(0.05, said(lazy("Reading the file")))
    with tempfile.TemporaryDirectory(prefix="lc-slice-") as name:
        done = slices.work(made=made, folder=Path(name), say=job.progress)
    result = (
        {"sliced": 1, "seconds": done.facts.get("time_s")} if not done.reason else {"sliced": 0, "why": done.reason}
    )
    return Outcome(result, lambda: slices.done(made=made, done=done))
