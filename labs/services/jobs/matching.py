"""Prints compared with the shapes of designs. For workers: numpy, and strangers' files read in the sandbox."""

import datetime as dt
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from labs.models import Job, JobFile
from labs.services.jobs import files, plates

if TYPE_CHECKING:
    from designs.models import Design
    from labs.engine.extrusion import Printed
    from labs.queries.shapes import Found, OnPlate

MAX_BYTES = 2_000_000
#: Prints that one run compares again.
MOST = 100
KIND = "labs.match_prints"
#: Jobs of which a shape may still say more.
OPEN = (Job.Provenance.UNKNOWN, Job.Provenance.DECLARED, Job.Provenance.PROBABLE)


def read_shapes(path: Path) -> "tuple[list[Printed], str]":
    """What a program lays down, and why nothing where that is so. Never raises because of the file."""
    from designs.sandbox import client, results  # noqa: PLC0415 a worker alone
    from designs.sandbox.limits import Limits  # noqa: PLC0415
    from labs.engine.extrusion import unpack_prints  # noqa: PLC0415 numpy

    with tempfile.TemporaryDirectory(prefix="lc-print-") as name:
        work = "labs.engine.extrusion.work:print_"
        answer = client.ask(source=path, folder=Path(name), file_format="gcode", work=work, limits=Limits())
        if answer["status"] != 0:
            return [], client.sentence(answer)
        try:
            reason = _reason(results._bytes(Path(name) / "result.json", 65_536))
            made = Path(name) / "profiles.bin"
            printed = unpack_prints(results._bytes(made, MAX_BYTES)) if made.exists() else []
        except (OSError, ValueError):
            return [], _("What came out could not be trusted.")
    return printed, reason


def _reason(raw: bytes) -> str:
    told = json.loads(raw)
    return str(told.get("reason", ""))[:400] if isinstance(told, dict) else ""


def packed(printed: "Sequence[Printed]") -> bytes:
    """What was read, as it is kept."""
    from labs.engine.extrusion import pack_print  # noqa: PLC0415
    from labs.engine.extrusion.work import squeeze  # noqa: PLC0415

    return squeeze(b"".join(map(pack_print, printed)))


def search(job: Job, printed: "Sequence[Printed]") -> "list[Found]":
    """The files of designs that the job may be of, by its shape."""
    from labs.queries import shapes  # noqa: PLC0415 numpy

    return shapes.of_print(job, printed) if printed else []


def search_plate(job: Job, printed: "Sequence[Printed]") -> "list[OnPlate]":
    """The files that the things on a plate may be of, one by one; none where one file is all of it."""
    from labs.queries import shapes  # noqa: PLC0415 numpy

    return shapes.plate(job, printed) if printed else []


def match_again(*, sent: JobFile, now: dt.datetime) -> bool:
    """Look again for the design of a print that was read before; whether more is known. Locks the job at the end."""
    from labs.engine.extrusion import unpack_prints  # noqa: PLC0415
    from labs.engine.extrusion.work import loosen  # noqa: PLC0415

    rows = Job.objects.select_related("booking__user", "machine__lab__organisation")
    job = rows.filter(pk=sent.job_id, provenance__in=OPEN).first()
    if job is None or not sent.printed:
        return False
    printed = unpack_prints(loosen(bytes(sent.printed)))
    found, plate = search(job, printed), search_plate(job, printed)
    with transaction.atomic():
        held = files.hold(job.pk)
        before = (held.provenance, held.design_id, held.made_of)
        files.match(job=held, found=found, plate=plate, named=plates.named_before(held))
        Job.objects.filter(pk=held.pk).update(looked_at=now)
    return (held.provenance, held.design_id, held.made_of) != before


def design_described(*, design: "Design") -> None:
    """New shapes are known: prints that nobody knew are compared again, the newest first."""
    _later(JobFile.objects.order_by("-sent_at"), demo=design.demo)


def match_later(*, now: dt.datetime) -> Run | None:
    """Prints that were not compared for longest are compared again."""
    day = now - dt.timedelta(days=1)
    rows = JobFile.objects.exclude(job__looked_at__gt=day)
    return _later(rows.order_by(F("job__looked_at").asc(nulls_first=True), "pk"))


def _later(rows: QuerySet[JobFile], *, demo: bool = False) -> Run | None:
    since = timezone.now() - dt.timedelta(days=180)
    asked = rows.filter(state=JobFile.State.READ, job__provenance__in=OPEN, sent_at__gt=since)
    keys = [str(pk) for pk in asked.values_list("pk", flat=True)[:MOST]]
    open_ = Run.objects.filter(kind=KIND, status=Run.Status.QUEUED).exists()
    if not keys or open_:
        return None
    return runs.start(kind=KIND, inputs={"files": keys}, title=said(lazy("Comparing prints with designs")), demo=demo)
