"""What beat rings for: the clock of bookings; the demo's machines say what they make, its members book ahead."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from celery import shared_task
from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from labs import learning_tasks, passport_tasks, proof_tasks, sunshine_tasks

if TYPE_CHECKING:
    from labs.models import LabImport

BEAT = {
    "labs.bookings_clock": {
        "task": "labs.bookings_clock",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 55},
    },
    "labs.demo_tick": {
        "task": "labs.demo_tick",
        "schedule": 60.0,
        "options": {"queue": "ingest", "expires": 50},
    },
    "labs.demo_bookings": {
        "task": "labs.demo_bookings",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 3000},
    },
    "labs.interlocks_clock": {
        "task": "labs.interlocks_clock",
        "schedule": 15.0,
        "options": {"queue": "default", "expires": 14},
    },
    "labs.maintenance": {
        "task": "labs.maintenance",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 3000},
    },
    "labs.orders_expire": {
        "task": "labs.orders_expire",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 3000},
    },
    "labs.points": {"task": "labs.points", "schedule": 3600.0, "options": {"queue": "default", "expires": 3000}},
    "labs.imports": {"task": "labs.imports", "schedule": 3600.0, "options": {"queue": "default", "expires": 3000}},
    "labs.energy": {"task": "labs.energy", "schedule": 600.0, "options": {"queue": "default", "expires": 550}},
}
"""Entries for CELERY_BEAT_SCHEDULE."""
BEAT |= learning_tasks.BEAT | proof_tasks.BEAT | passport_tasks.BEAT | sunshine_tasks.BEAT


@shared_task(name="labs.interlocks_clock")
def interlocks_clock() -> int:
    """Every quarter of a minute: relays that hold are told again, others are asked whether they are off."""
    from labs.services.interlocks import settle  # noqa: PLC0415 the drivers are for the worker alone

    return settle()


@shared_task(name="labs.maintenance")
def maintenance() -> int:
    """Each hour: which maintenance has become due; of how many plans people were told."""
    from labs.services.maintenance import tell_due  # noqa: PLC0415 services need the models

    return tell_due(timezone.now())


@shared_task(name="labs.interlocks_settle")
def interlocks_settle(keys: list[int]) -> int:
    """A booking changed: look at these relays at once."""
    from labs.services.interlocks import settle  # noqa: PLC0415

    return settle(keys)


@shared_task(name="labs.points")
def points() -> int:
    """Each hour: the points of a week that has begun; to how many people."""
    from labs.services import ledger  # noqa: PLC0415 models must be loaded first

    return ledger.grant_all(timezone.now())


@shared_task(name="labs.energy")
def energy() -> int:
    """Ask for the measured energy of jobs that ended; how many postings were made."""
    from labs.services import ledger  # noqa: PLC0415

    return ledger.charge_all_energy(timezone.now())


@shared_task(name="labs.bookings_clock")
def bookings_clock() -> dict[str, int]:
    """Every minute: time that nobody uses is given free, and offered to those who wait. How many of each."""
    from labs.services import clock  # noqa: PLC0415 services need the models

    return clock.tick(timezone.now())


@shared_task(name="labs.offer_letter")
def offer_letter(booking: str) -> bool:
    """The letter about a time of the waitlist that is held for its reader."""
    from labs.services import letters  # noqa: PLC0415 services need the models

    return letters.offer(booking)


@shared_task(name="labs.import_letters")
def import_letters() -> int:
    """Letters to those who got an account by an import; how many went out."""
    from labs.services import imports  # noqa: PLC0415 services need the models

    return imports.write_letters(timezone.now())


@shared_task(name="labs.imports")
def imports_round() -> int:
    """Each hour: letters that could not be sent, and uploads that nobody confirmed; how many letters went out."""
    from labs.services import imports  # noqa: PLC0415 services need the models

    imports.forget_old(timezone.now())
    return imports.write_letters(timezone.now())


@kind("labs.check_import")
def check_import(job: Job, inputs: Inputs) -> Outcome:
    """The dry run of files that a lab uploaded."""
    from labs.services import imports  # noqa: PLC0415 services need the models

    made = _import(inputs)
    job.progress(0.1, said(lazy("Reading the files")))
    reading = imports.staged_reading(made)
    job.progress(0.6, said(lazy("Comparing with the lab")))
    report = imports.check(made.lab, made.source, reading)
    return Outcome(_told(made, report), effect=lambda: imports.checked(made, report))


@kind("labs.carry_out_import")
def carry_out_import(job: Job, inputs: Inputs) -> Outcome:
    """Take over what the dry run told; all of it or nothing, with the end of the run."""
    from commons.people.models import User  # noqa: PLC0415
    from labs.services import imports  # noqa: PLC0415 services need the models

    made, by = _import(inputs), User.objects.filter(pk=inputs["by"]).first()
    job.progress(0.1, said(lazy("Reading the files")))
    reading = imports.staged_reading(made)
    job.progress(0.5, said(lazy("Writing")))
    result = _told(made, made.report or {})
    return Outcome(result, effect=lambda: imports.done(made, reading, by=by, leave_out=bool(inputs["leave_out"])))


def _import(inputs: Inputs) -> "LabImport":
    from labs.errors.imports import UnknownImport  # noqa: PLC0415
    from labs.models import LabImport  # noqa: PLC0415

    made = LabImport.objects.select_related("lab__organisation").filter(pk=inputs["import"]).first()
    if made is None:
        raise UnknownImport(_("The files were deleted meanwhile."))
    return made


def _told(made: "LabImport", report: Mapping[str, Any]) -> dict[str, Any]:
    """What a run says of an import: numbers and where to look, no names of people."""
    with translation.override(settings.LANGUAGE_CODE):
        url = reverse("rooms:lab_import", args=[made.lab.slug, made.pk])
    return {"url": url, "counts": report.get("counts", {}), "stops": report.get("stops", 0)}


@shared_task(name="labs.demo_tick")
def demo_tick() -> int:
    """The demo's machines say what they do."""
    if not settings.DEMO:
        return 0
    from labs.demo import work  # noqa: PLC0415 the simulator brings numpy

    return work.tick()


@shared_task(name="labs.demo_bookings")
def demo_bookings() -> int:
    """The demo's members book the coming days."""
    if not settings.DEMO:
        return 0
    from commons.people.models import User  # noqa: PLC0415
    from labs.demo import seed, work  # noqa: PLC0415 the simulator brings numpy
    from labs.models import Machine  # noqa: PLC0415

    people = list(User.objects.filter(demo=True).order_by("pk"))
    machines = Machine.objects.filter(demo=True, lab__demo=True).select_related("lab__place", "device")
    now = timezone.now()
    return sum(work.book_ahead(m, people=people, now=now, days_ahead=seed.BOOKED_DAYS) for m in machines)


@shared_task(name="labs.orders_expire")
def orders_expire() -> int:
    """Quotes and orders that nobody answered run out."""
    from labs.services import orders  # noqa: PLC0415 models must be loaded first

    return orders.expire(now=timezone.now())


@kind("labs.photo", queue="previews", engine_version="1")
def draw_photo(job: Job, inputs: Inputs) -> Outcome:
    """Draw a photo of a machine anew, so that nothing of the sender's file is ever shown."""
    from designs.sandbox import photos  # noqa: PLC0415 the web process draws nothing
    from labs.models import MachinePhoto  # noqa: PLC0415 models must be loaded first
    from labs.services import equipment  # noqa: PLC0415

    photo = MachinePhoto.objects.filter(pk=int(inputs["photo"]), state=MachinePhoto.State.PENDING).first()
    if photo is None:
        return Outcome({"photos": 0})
    drawn = photos.redraw(equipment.incoming(photo))
    return Outcome({"photos": 1}, lambda: equipment.keep_photo(photo=photo, drawn=drawn))
