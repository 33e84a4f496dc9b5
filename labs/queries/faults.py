"""Reads of faults, outages and the log."""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from labs.engine.hours import Span
from labs.engine.reliability import Reliability, reliability
from labs.errors.floor import UnknownFault
from labs.models import Booking, Fault, Job, Lab, LogEntry, Machine, Outage

WINDOW = dt.timedelta(days=365)
HOUR = dt.timedelta(hours=1)


def rows() -> QuerySet[Fault]:
    """Faults with what a list needs, newest first."""
    return Fault.objects.select_related("machine__lab__place", "reporter", "keeper", "closed_by", "outage")


def of_lab(lab: Lab, *, status: str = "") -> QuerySet[Fault]:
    """The faults of a lab, newest first."""
    found = rows().filter(machine__lab=lab)
    return found.filter(status=status) if status else found


def find(fault: uuid.UUID | str) -> Fault:
    """The fault of that id. Raises UnknownFault."""
    found = rows().filter(pk=fault).first()
    if found is None:
        raise UnknownFault(_("There is no such fault, or it is not yours to see."))
    return found


def tasks(lab: Lab) -> list[Fault]:
    """What is open: what keeps a machine down first, then what waits to be confirmed, then the rest; oldest first."""
    order = {True: 0, False: 1}
    found = list(of_lab(lab, status=Fault.Status.OPEN))
    severities = list(Fault.Severity.values)
    return sorted(found, key=lambda f: (order[f.is_down], severities.index(f.severity), f.reported_at))


def open_of(machine: Machine) -> list[Fault]:
    """What is known to be wrong with the machine."""
    return list(rows().filter(machine=machine, status=Fault.Status.OPEN).order_by("reported_at"))


def outage_of(machine: Machine) -> Outage | None:
    """The outage that lasts, or None."""
    return Outage.objects.filter(machine=machine, ended_at=None).first()


def figures(machines: Iterable[Machine], now: dt.datetime, *, days: int = WINDOW.days) -> dict[int, Reliability]:
    """Reliability of machines in the last `days`, or since the site first knew the machine if that is later."""
    listed = list(machines)
    start = now - dt.timedelta(days=days)
    known = _known_since(listed)
    outages: dict[int, list[tuple[dt.datetime, dt.datetime | None]]] = {}
    lasting = Outage.objects.filter(machine__in=listed, began_at__lt=now).filter(
        Q(ended_at=None) | Q(ended_at__gt=start)
    )
    for key, began, ended in lasting.values_list("machine_id", "began_at", "ended_at"):
        outages.setdefault(key, []).append((began, ended))
    worked = worked_h(listed, start)
    return {
        m.pk: reliability(Span(max(start, known.get(m.pk, now)), now), outages.get(m.pk, ()), worked.get(m.pk, 0.0))
        for m in listed
    }


def worked_h(machines: Iterable[Machine], since: dt.datetime) -> dict[int, float]:
    """Hours of work that machines reported since then, by their number; running jobs count until now."""
    jobs = Job.objects.filter(machine__in=list(machines), started_at__gte=since)
    summed = jobs.values("machine_id").annotate(total=Sum(Coalesce(F("finished_at"), Now()) - F("started_at")))
    return {row["machine_id"]: row["total"] / HOUR for row in summed if row["total"]}


def _known_since(machines: list[Machine]) -> dict[int, dt.datetime]:
    """When each machine is first heard of: its first booking, job or outage."""
    found: dict[int, dt.datetime] = {}
    for rows_, column in ((Booking.objects, "created_at"), (Job.objects, "started_at"), (Outage.objects, "began_at")):
        firsts = rows_.filter(machine__in=machines).order_by("machine_id", column).distinct("machine_id")
        for key, first in firsts.values_list("machine_id", column):
            found[key] = min(first, found.get(key, first))
    return found


def log(lab: Lab, *, kinds: Iterable[str] = ()) -> QuerySet[LogEntry]:
    """The log of a lab, the latest happening first."""
    found = LogEntry.objects.filter(lab=lab).select_related("machine", "by", "amends")
    return found.filter(kind__in=list(kinds)) if kinds else found
