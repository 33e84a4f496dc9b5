"""Reads of jobs, as one may see them: a design that is not yours to see looks like an unknown file."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from commons.people.models import Membership, User
from designs.licences import is_open
from labs.errors import UnknownJob
from labs.models import EnergyFigure, Job, JobCandidate, Machine
from labs.queries.catalogue import managed_by

if TYPE_CHECKING:
    from designs.models import Design


@dataclass(frozen=True, slots=True)
class Shown:
    """A job as one visitor may see it. `design` is None when it is not known, or not theirs to know.

    `candidates` are the files whose shape was laid down, and are told only to who may see them all: fewer would point
    at the wrong one.
    """

    job: Job
    design: "Design | None"
    provenance: str
    file_name: str
    person: str
    close: bool
    method: str = Job.Method.NONE.value
    candidates: tuple[JobCandidate, ...] = ()

    @property
    def provenance_label(self) -> str:
        """How sure it is, in a word."""
        return str(Job.Provenance(self.provenance).label)

    @property
    def method_label(self) -> str:
        """What says so, in words."""
        return str(Job.Method(self.method).label)

    @property
    def is_open(self) -> bool:
        """Made from a public design whose licence was open in the version that was made."""
        return self.design is not None and self.job.public_made and is_open(self.job.licence_made)

    @property
    def length(self) -> dt.timedelta | None:
        """Machine time, once it is over."""
        return self.job.finished_at - self.job.started_at if self.job.finished_at else None

    @property
    def hours(self) -> float | None:
        """Machine hours, once it is over."""
        return self.length.total_seconds() / 3600 if self.length is not None else None


def rows() -> QuerySet[Job]:
    """Jobs with what a list needs, newest first."""
    return Job.objects.select_related(
        "machine__lab__place", "device", "booking__user", "design__owner", "design__cover", "passport"
    ).order_by("-started_at", "pk")


def of_machine(machine: Machine) -> QuerySet[Job]:
    """What a machine has made, newest first."""
    return rows().filter(machine=machine)


def of_design(design: "Design") -> QuerySet[Job]:
    """The makes of a design: jobs whose file is of it, proven or probable, newest first."""
    made = (Job.Provenance.PROVEN, Job.Provenance.PROBABLE)
    return rows().filter(design=design, provenance__in=made)


def find(job_id: uuid.UUID | str) -> Job:
    """The job of that id. Raises UnknownJob."""
    try:
        key = uuid.UUID(str(job_id))
    except ValueError:
        key = None
    job = rows().filter(pk=key).first() if key else None
    if job is None:
        raise UnknownJob(_("There is no job of that number."))
    return job


def shown(jobs: Iterable[Job], viewer: User | None) -> list[Shown]:
    """Jobs as this visitor may see them; at most six queries, however many jobs."""
    listed = list(jobs)
    person = viewer if viewer is not None and viewer.is_authenticated else None
    shapes = _shapes(listed)
    named = {j.design_id for j in listed if j.design_id} | {one.design_id for row in shapes.values() for one in row}
    seen = _visible_designs(named, person)
    managed = managed_by(person)
    organisations = (
        set(Membership.objects.filter(user=person).values_list("organisation_id", flat=True)) if person else set()
    )
    ordered = _ordered_by(listed, person)
    return [
        _shown(job, person, seen, managed, organisations, job.pk in ordered, shapes.get(job.pk, [])) for job in listed
    ]


def from_open(sums: Iterable[Mapping[str, Any]], viewer: User | None) -> int:
    """How many jobs are proven to be of a design that this visitor sees and that was open when it was made: of `jobs`
    counted by design, licence, whether it was public, and provenance."""
    proven = [
        row for row in sums
        if row["design_id"] and row["public_made"] and row["provenance"] == Job.Provenance.PROVEN
        and is_open(row["licence_made"])
    ]  # fmt: skip
    person = viewer if viewer is not None and viewer.is_authenticated else None
    seen = _visible_designs({row["design_id"] for row in proven}, person)
    return sum(row["jobs"] for row in proven if row["design_id"] in seen)


@dataclass(frozen=True, slots=True)
class OnPlate:
    """A part of a plate as one visitor may see it; `design` None: what is not known, or not theirs to know."""

    share: float
    design: "Design | None" = None
    path: str = ""
    provenance: str = Job.Provenance.UNKNOWN.value

    @property
    def provenance_label(self) -> str:
        """How sure it is, in a word."""
        return str(Job.Provenance(self.provenance).label)


def on_plate(job: Job, viewer: User | None) -> list[OnPlate]:
    """What a plate of several files was made of, the largest share first; nothing where one file was all of it."""
    if not job.made_of or not apps.is_installed("designs"):
        return []
    from designs.queries import visible_to  # noqa: PLC0415 the room may be left out

    person = viewer if viewer is not None and viewer.is_authenticated else None
    seen = {one.pk: one for one in visible_to(person).filter(pk__in=[part["design"] for part in job.made_of])}
    parts = sorted((part for part in job.made_of if part["design"] in seen), key=lambda part: -part["share"])
    found = [OnPlate(one["share"], seen[one["design"]], one["path"], one["provenance"]) for one in parts]
    rest = 1.0 - sum(one.share for one in found)
    return [*found, OnPlate(rest)] if rest > 0.005 else found


def _shapes(listed: list[Job]) -> dict[uuid.UUID, list[JobCandidate]]:
    """The files that jobs may be of by their shape; asked only where that is what is known of a job."""
    asked = [job.pk for job in listed if job.provenance_method == Job.Method.GEOMETRY]
    found: dict[uuid.UUID, list[JobCandidate]] = {}
    if asked:
        rows = JobCandidate.objects.filter(job__in=asked).select_related("design__owner", "design__cover")
        for one in rows:
            found.setdefault(one.job_id, []).append(one)
    return found


def _ordered_by(listed: list[Job], person: User | None) -> set[uuid.UUID]:
    """Those that were made for an order of the person: they are theirs as if they had booked the machine."""
    booked = [job.booking_id for job in listed if job.booking_id]
    if person is None or not booked:
        return set()
    mine = Job.objects.filter(booking__in=booked, booking__order_booking__order__person=person)
    return set(mine.values_list("pk", flat=True))


def _visible_designs(wanted: set[int], person: User | None) -> set[int]:
    if not wanted or not apps.is_installed("designs"):
        return set()
    from designs.queries import visible_to  # noqa: PLC0415 the room may be left out

    return set(visible_to(person).filter(pk__in=wanted).values_list("pk", flat=True))


def _shown(  # noqa: PLR0917 what `shown` found out about the person
    job: Job, person: User | None, seen: set[int], managed: set[int], organisations: set[int], ordered: bool,
    shapes: list[JobCandidate],
) -> Shown:  # fmt: skip
    booker = job.booking.user if job.booking else None
    close = person is not None and (ordered or booker == person or job.machine.lab_id in managed)
    design = job.design if job.design_id in seen else None
    fellow = close or job.machine.lab.organisation_id in organisations
    tied = tuple(shapes) if all(one.design_id in seen for one in shapes) else ()
    known = design is not None or (job.design_id is None and bool(tied))
    return Shown(
        job=job,
        design=design,
        provenance=job.provenance if known else Job.Provenance.UNKNOWN.value,
        method=job.provenance_method if known else Job.Method.NONE.value,
        candidates=tied if known else (),
        file_name=job.file_name if design or close else "",
        person=str(booker) if booker and fellow else "",
        close=close,
    )


def figures_of(listed: Iterable[Job]) -> dict[uuid.UUID, EnergyFigure]:
    """The newest figure of energy of each of these jobs that has one; one query."""
    rows = EnergyFigure.objects.filter(job__in=[job.pk for job in listed])
    return {one.job_id: one for one in rows.order_by("job_id", "-number").distinct("job_id")}


def energy_of_design(design: "Design", process: str = "") -> tuple[int, float | None]:
    """How many finished makes of a design (by a process) were measured, and their mean kWh (None without any)."""
    measured = Job.Quality.MEASURED, Job.Quality.INTEGRATED
    kwh = list(_finished(design, process).filter(energy_quality__in=measured).values_list("energy_kwh", flat=True))
    known = [value for value in kwh if value is not None]
    return len(known), (sum(known) / len(known) if known else None)


def _finished(design: "Design", process: str) -> QuerySet[Job]:
    made = of_design(design).filter(outcome=Job.Outcome.FINISHED)
    return made.filter(machine__process=process) if process else made


def usual_length(design: "Design", process: str = "") -> dt.timedelta | None:
    """The median machine time of a design's finished makes (by a process); None without any."""
    times = _finished(design, process).values_list("started_at", "finished_at")
    lengths = sorted(end - start for start, end in times if end)
    return lengths[len(lengths) // 2] if lengths else None
