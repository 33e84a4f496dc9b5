"""Reads of slicing: what may be sliced for a booking, what was, and how the estimates did."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.apps import apps
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.runs.models import Run
from labs import policies
from labs.errors.proof import UnknownSlice
from labs.models import Booking, Job, Machine, Slice

if TYPE_CHECKING:
    from designs.models import FileVersion

FORMATS = ("stl", "3mf", "obj", "step")
MOST_FILES, MOST_JOBS, MOST_SHOWN = 200, 60, 10


@dataclass(frozen=True, slots=True)
class Shown:
    """A slice with the run that works on it, and the jobs that were made of it."""

    slice: Slice
    run: Run | None
    jobs: list[Job]


def release_of(version: "FileVersion") -> str:
    """The release that a version of a file belongs to, or nothing."""
    from designs.queries import releases  # noqa: PLC0415 the room may be left out

    return releases.holding([(version.design_id, version.commit)]).get((version.design_id, version.commit), "")


def files_of(booking: Booking, person: User) -> "list[FileVersion]":
    """The files of the booking's design that a slicer reads, as the design is now, for who may see it."""
    if booking.design_id is None or not apps.is_installed("designs"):
        return []
    from designs.models import FileVersion  # noqa: PLC0415 the room may be left out
    from designs.queries import visible_to  # noqa: PLC0415

    rows = FileVersion.objects.select_related("blob", "design__owner").filter(
        design__in=visible_to(person).filter(pk=booking.design_id), current=True, blob__format__in=FORMATS
    )
    return list(rows.order_by("path")[:MOST_FILES])


def file_of(booking: Booking, person: User, key: str) -> "FileVersion":
    """One of them by its number. Raises UnknownSlice."""
    found = next((one for one in files_of(booking, person) if str(one.pk) == key), None)
    if found is None:
        raise UnknownSlice(_("There is no such file in the design, or it is not yours to see."))
    return found


def of_booking(booking: Booking) -> list[Shown]:
    """What was sliced for a booking, newest first."""
    rows = booking.slices.select_related("profile", "machine__lab", "design__owner").prefetch_related("jobs")
    made = list(rows[:MOST_SHOWN])
    known = Run.objects.in_bulk([one.run for one in made if one.run and one.state == Slice.State.QUEUED])
    return [Shown(one, known.get(one.run) if one.run else None, list(one.jobs.all())) for one in made]


def find(key: uuid.UUID, person: User | None) -> Slice:
    """A slice, for who may change its booking. Raises UnknownSlice."""
    made = Slice.objects.select_related("booking__machine__lab", "machine__lab", "design").filter(pk=key).first()
    if made is None or not policies.may_change_booking(person, made.booking):
        raise UnknownSlice(_("There is no such program, or it is not yours."))
    return made


def measured(machine: Machine) -> list[tuple[float, float]]:
    """(hours, kWh) of the machine's newest finished jobs that a meter measured whole."""
    whole = (Job.Quality.MEASURED, Job.Quality.INTEGRATED)
    rows: Iterable[tuple[object, ...]] = (
        Job.objects.filter(machine=machine, outcome=Job.Outcome.FINISHED, energy_quality__in=whole)
        .exclude(energy_kwh=None)
        .order_by("-finished_at")
        .values_list("started_at", "finished_at", "energy_kwh")[:MOST_JOBS]
    )
    found = [((end - start).total_seconds() / 3600, float(kwh)) for start, end, kwh in rows]  # type: ignore[operator, arg-type]
    return [(hours, kwh) for hours, kwh in found if hours > 0.02]
