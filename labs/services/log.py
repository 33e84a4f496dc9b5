"""The incident and safety log of a lab: written, amended by another line, never changed."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.notices.services import tell
from commons.people.models import User
from commons.said import said
from labs.errors.floor import BadEntry
from labs.models import Fault, Lab, LogEntry, Machine
from labs.queries.addresses import path_of
from labs.services.bookings.telling import managers

URGENT = (LogEntry.Kind.INJURY, LogEntry.Kind.FIRE)
OLDEST = dt.timedelta(days=366 * 5)


@transaction.atomic
def write_entry(
    *,
    lab: Lab,
    kind: str,
    text: str,
    by: User | None,
    machine: Machine | None = None,
    fault: Fault | None = None,
    happened_at: dt.datetime | None = None,
    done: str = "",
    private: str = "",
    amends: LogEntry | None = None,
    now: dt.datetime | None = None,
) -> LogEntry:
    """Write a line. Where somebody was hurt or it burned, those who run the lab are told at once. Raises BadEntry."""
    now = now or timezone.now()
    happened_at = happened_at or now
    if kind not in LogEntry.Kind.values:
        raise BadEntry(_("“%(kind)s” is nothing that the log knows.") % {"kind": kind[:20]})
    if not text.strip():
        raise BadEntry(_("Say what happened, in a sentence or two."))
    if not now - OLDEST <= happened_at <= now + dt.timedelta(minutes=5):
        raise BadEntry(_("Say when it happened: a time that is past, and not more than five years ago."))
    if (machine is not None and machine.lab_id != lab.pk) or (amends is not None and amends.lab_id != lab.pk):
        raise BadEntry(_("That belongs to another lab."))
    entry = LogEntry.objects.create(
        lab=lab,
        kind=kind,
        text=text.strip()[:4000],
        by=by,
        machine=machine,
        fault=fault,
        happened_at=happened_at,
        written_at=now,
        done=done.strip()[:2000],
        private=private.strip()[:2000],
        amends=amends,
    )
    if kind in URGENT:
        words = {"kind": LogEntry.Kind(kind).label, "lab": lab.name, "text": entry.text[:160]}
        sentence = said(lazy("%(kind)s in %(lab)s: %(text)s"), **words)
        url = path_of("rooms:lab_log", lab.slug)
        tell(people=managers(lab), kind="labs.incident", text=sentence, url=url, actor=by)
    return entry
