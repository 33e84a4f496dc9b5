"""Exports of a person's own data: asked for, found again, let go of."""

import datetime as dt
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.owndata import archive
from commons.owndata.errors import NoExport
from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said

KIND = "owndata.export"
#: How long a file can be fetched.
KEEP = dt.timedelta(days=3)
OPEN = (Run.Status.QUEUED, Run.Status.RUNNING)


@dataclass(frozen=True, slots=True)
class Export:
    """A file that can be fetched until `expires_at`."""

    run: Run
    rows: int
    tables: int
    bytes: int
    sha256: str
    expires_at: dt.datetime


@transaction.atomic
def start(*, person: User, bell: bool = True) -> Run:
    """Begin to write the file; where one is being written already, that one."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    going = of(person).filter(status__in=OPEN).first()
    if going is not None:
        return going
    title = said(gettext_lazy("All your data as one file"))
    return runs.start(kind=KIND, inputs={"person": person.pk}, title=title, owner=person, bell=bell)


def of(person: User) -> QuerySet[Run]:
    """The person's exports, newest first."""
    return Run.objects.filter(kind=KIND, owner=person).order_by("-created_at")


def going(person: User) -> Run | None:
    """The one that is being written."""
    return of(person).filter(status__in=OPEN).first()


def ready(person: User) -> list[Export]:
    """Those that can be fetched now."""
    young = of(person).filter(status=Run.Status.DONE, finished_at__gt=timezone.now() - KEEP)
    return [_export(run) for run in young if archive.path_of(run.pk).is_file()]


def find(person: User, key: uuid.UUID) -> tuple[Export, Path]:
    """An export of the person and its file. Raises NoExport."""
    for export in ready(person):
        if export.run.pk == key:
            return export, archive.path_of(key)
    raise NoExport(_("There is no such file of yours, or its three days are over. Ask for a new one."))


def _export(run: Run) -> Export:
    told = run.result or {}
    finished = run.finished_at or run.created_at
    return Export(run, told["rows"], told["tables"], told["bytes"], told["sha256"], finished + KEEP)


def expire() -> int:
    """Delete files whose time is over, and those of nobody; how many."""
    gone = 0
    for path in archive.folder().glob("*"):
        try:
            key = uuid.UUID(path.stem)
        except ValueError:
            continue
        if not Run.objects.filter(pk=key, owner__isnull=False).exclude(finished_at__lt=timezone.now() - KEEP).exists():
            path.unlink(missing_ok=True)
            gone += 1
    return gone
