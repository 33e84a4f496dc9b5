"""The sums of what was made, by day: kept up by a worker, always exact to who reads (`labs.queries.production`).

Each change of a finished job writes down, in its own transaction, that its day is due. Writers never wait for each
other; readers take a due day from its jobs until a worker has summed it anew.
"""

import datetime as dt

from django.db import connection, transaction

from labs.models import Job, ProductionDay, ProductionDue
from labs.queries import production

LOCK = 0x6C61_6273_7064  # "labspd": one worker at a time sums


def changed(*, job: Job) -> None:
    """A job was saved: its day, and the one in which it was counted before, are due."""
    over = job.outcome == Job.Outcome.FINISHED and job.finished_at is not None
    day = job.finished_at.astimezone(dt.UTC).date() if over and job.finished_at else None
    days = {d for d in (day, job.counted_on) if d is not None}
    if day != job.counted_on:
        job.counted_on = day
        Job.objects.filter(pk=job.pk).update(counted_on=day)
    if days:
        lab = job.machine.lab_id
        ProductionDue.objects.bulk_create(ProductionDue(lab_id=lab, day=d) for d in days)


def gone(*, job: Job) -> None:
    """A job was deleted."""
    if job.counted_on is not None:
        ProductionDue.objects.create(lab_id=job.machine.lab_id, day=job.counted_on)


def sum_days(*, most: int = 400) -> int:
    """Sum the days that are due; how many. What becomes due meanwhile stays due."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        rows = list(ProductionDue.objects.order_by("pk").values_list("pk", "lab_id", "day")[: 20 * most])
        wanted = sorted({(lab, day) for _pk, lab, day in rows}, key=lambda one: (one[1], one[0]))[:most]
        for lab, day in wanted:
            ProductionDay.objects.filter(lab=lab, day=day).delete()
        ProductionDay.objects.bulk_create(row for lab, day in wanted for row in production.of_jobs(lab, day))
        done = set(wanted)
        ProductionDue.objects.filter(pk__in=[pk for pk, lab, day in rows if (lab, day) in done]).delete()
    return len(wanted)
