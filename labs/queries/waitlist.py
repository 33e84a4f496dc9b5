"""Reads of the waitlist."""

import uuid

from django.db.models import Q

from commons.people.models import User
from labs.models import Lab, WaitlistEntry


def find(entry: uuid.UUID) -> WaitlistEntry | None:
    """The place of that id."""
    rows = WaitlistEntry.objects.select_related("lab__place", "machine__lab", "user", "booking__machine__lab__place")
    return rows.filter(pk=entry).first()


def of_person(user: User) -> list[WaitlistEntry]:
    """What a person waits for, soonest first."""
    rows = WaitlistEntry.objects.filter(user=user, status__in=WaitlistEntry.OPEN)
    return list(rows.select_related("lab__place", "machine", "booking__machine__lab__place").order_by("earliest"))


def of_lab(lab: Lab) -> list[WaitlistEntry]:
    """Who waits in a lab, in the order of the queue."""
    rows = WaitlistEntry.objects.filter(lab=lab, status__in=WaitlistEntry.OPEN)
    return list(rows.select_related("machine", "user", "booking").order_by("queued_at", "created_at"))


def ahead(entry: WaitlistEntry) -> int:
    """How many who wait for the same machine or class, at times that meet this one, come before."""
    if entry.status != WaitlistEntry.Status.WAITING:
        return 0
    rows = WaitlistEntry.objects.filter(lab=entry.lab_id, status=WaitlistEntry.Status.WAITING)
    same = Q(machine=entry.machine_id) | Q(cls=entry.machine.cls) if entry.machine else Q(cls=entry.cls)
    rows = rows.filter(same, earliest__lt=entry.latest, latest__gt=entry.earliest)
    return rows.filter(queued_at__lt=entry.queued_at).count()
