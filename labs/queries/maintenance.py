"""Reads of maintenance: how long a machine has worked, and which of its plans are due."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from labs.engine import maintenance as engine
from labs.models import Consumable, Lab, Machine, MaintenancePlan, MaintenanceRecord


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan, the hours its machine has worked since it was done last, and how far that is."""

    plan: MaintenancePlan
    worked_h: float
    due: engine.Due


#: Hours of each plan's machine since the plan was done: of its jobs (a job that began before counts from then on; one
#: that runs counts until now), and, where a machine reports no jobs, of what was booked and used.
WORKED = """
SELECT plan.id, coalesce(
    (SELECT sum(extract(epoch FROM least(coalesce(job.finished_at, %(now)s), %(now)s)
                                   - greatest(job.started_at, plan.since)))
     FROM labs_job job
     WHERE job.machine_id = plan.machine_id AND job.started_at < %(now)s
       AND coalesce(job.finished_at, %(now)s) > plan.since),
    CASE WHEN EXISTS (SELECT 1 FROM labs_job job WHERE job.machine_id = plan.machine_id) THEN 0 END,
    (SELECT sum(extract(epoch FROM least(coalesce(booking.ended_at, booking."end"), %(now)s)
                                   - greatest(coalesce(booking.checked_in_at, booking.start), plan.since)))
     FROM labs_booking booking
     WHERE booking.machine_id = plan.machine_id AND booking.kind = 'use' AND booking.status IN ('running', 'done')
       AND coalesce(booking.checked_in_at, booking.start) < %(now)s
       AND least(coalesce(booking.ended_at, booking."end"), %(now)s)
           > greatest(coalesce(booking.checked_in_at, booking.start), plan.since)),
    0) / 3600.0
FROM labs_maintenanceplan plan WHERE plan.id = ANY(%(plans)s)
"""


def worked_h(plans: Iterable[MaintenancePlan], now: dt.datetime) -> dict[int, float]:
    """The hours that each plan's machine has worked since the plan was done, by the plan's key; one query."""
    keys = [plan.pk for plan in plans]
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(WORKED, {"now": now, "plans": keys})
        return {key: float(hours) for key, hours in cursor.fetchall()}


def standings(plans: Iterable[MaintenancePlan], now: dt.datetime) -> list[Standing]:
    """How far these plans are, the most urgent first."""
    asked = list(plans)
    hours = worked_h(asked, now)
    found = [
        Standing(
            plan,
            hours[plan.pk],
            engine.due(
                every_h=plan.every_h,
                every_days=plan.every_days,
                worked_h=hours[plan.pk],
                since=plan.since,
                now=now,
            ),
        )
        for plan in asked
    ]
    return sorted(found, key=lambda standing: (-standing.due.share, standing.plan.pk))


def of_lab(lab: Lab, now: dt.datetime) -> list[Standing]:
    """All plans of a lab that hold, the most urgent first."""
    plans = MaintenancePlan.objects.filter(machine__lab=lab, active=True).select_related("machine__lab")
    return standings(plans, now)


def of_machine(machine: Machine, now: dt.datetime) -> list[Standing]:
    """The plans of one machine."""
    return standings(MaintenancePlan.objects.filter(machine=machine, active=True).select_related("machine__lab"), now)


def parts_of(lab: Lab) -> list[Consumable]:
    """What of the lab's stock may be used up by maintenance: all of it."""
    return list(Consumable.objects.filter(lab=lab).order_by("name", "pk"))


def done(lab: Lab, most: int = 50) -> list[MaintenanceRecord]:
    """What was done lately."""
    rows = MaintenanceRecord.objects.filter(plan__machine__lab=lab).select_related("plan__machine")
    return list(rows.prefetch_related("person", "parts__consumable")[:most])
