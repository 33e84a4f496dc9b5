"""Jobs as makes that their people may point to: what a machine made for somebody, by a key for other rooms."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.sockets import MeasuredThing
from commons.web import numbers
from labs.models import Job
from labs.queries import jobs

if TYPE_CHECKING:
    from designs.models import Design

KEY = "labs.job:"
MOST = 20


def of_person(design: "Design", person: User) -> Iterable[MeasuredThing]:
    """The finished jobs of the design that the person had booked, newest first."""
    own = jobs.of_design(design).filter(outcome=Job.Outcome.FINISHED, booking__user=person)
    return [_thing(job) for job in own[:MOST]]


def named(keys: Collection[str]) -> Iterable[MeasuredThing]:
    """The jobs of these keys. A job's own page says no more of it than its visitor may know."""
    found = [_number(key) for key in keys if key.startswith(KEY)]
    return [_thing(job) for job in jobs.rows().filter(pk__in=[number for number in found if number is not None])]


def _number(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key.removeprefix(KEY))
    except ValueError:
        return None


def _thing(job: Job) -> MeasuredThing:
    words = {"machine": job.machine.name, "lab": job.machine.lab.name, "time": numbers.duration(_length(job))}
    title = _("%(machine)s, %(lab)s: %(time)s") % words
    if job.energy_kwh is not None:
        title = f"{title}, {numbers.kwh(job.energy_kwh)}"
    url = reverse("rooms:job", args=[job.pk])
    return MeasuredThing(f"{KEY}{job.pk}", title, url, job.finished_at or job.started_at, job.design_commit)


def _length(job: Job) -> dt.timedelta | None:
    return job.finished_at - job.started_at if job.finished_at else None
