"""How many kWh a job took, measured again when late readings come."""

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from commons.devices import queries as device_queries
from commons.devices.models import Device
from labs.engine import times
from labs.engine.hours import Span
from labs.models import Job
from labs.queries import sun

#: A reading this far outside a job can still move its edges: the counter is read off between neighbours.
EDGE = dt.timedelta(minutes=15)


def measure(*, job: Job) -> None:
    """The kWh of the job by its device, and the share of local sun in its hours; does not save."""
    end = job.finished_at or min(timezone.now(), job.started_at + dt.timedelta(days=30))
    if end <= job.started_at:
        job.energy_kwh, job.energy_quality, job.energy_coverage = None, Job.Quality.NONE, 0.0
        return
    energy = device_queries.energy(job.device, job.started_at, end)
    known = energy.quality != "none"
    job.energy_kwh = energy.kwh if known else None
    job.energy_quality, job.energy_coverage = energy.quality, energy.coverage
    place = job.machine.lab.place
    job.solar_share = times.share_of(Span(job.started_at, end), sun.hours(place, job.started_at, end))


def readings_came(*, device: Device, start: dt.datetime, end: dt.datetime) -> int:
    """Measure again the finished jobs that late readings touch; how many. In the readings' transaction."""
    touched = Job.objects.select_related("device", "machine__lab__place").filter(
        Q(device=device), started_at__lte=end + EDGE, finished_at__gte=start - EDGE
    )
    jobs = list(touched)
    for job in jobs:
        measure(job=job)
        job.save(update_fields=["energy_kwh", "energy_quality", "energy_coverage", "solar_share", "updated_at"])
    return len(jobs)
