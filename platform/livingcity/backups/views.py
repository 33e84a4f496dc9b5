"""The page of those who run the city: which backups there are, whether they can be restored, and one more now."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commons.errors import NotFound
from commons.people.models import User
from commons.people.signed_in import person_of
from commons.runs.models import Run
from livingcity.backups import tasks
from livingcity.backups.errors import BackupDamaged
from livingcity.backups.manifest import Backup
from livingcity.backups.telling import State, state, summary

FAILURES = 5


def _staff(request: HttpRequest) -> User:
    """The member of staff who asks; for all others there is no such page. Raises NotFound."""
    person = person_of(request)
    if not person.is_staff:
        raise NotFound(_("There is no such page."))
    return person


@require_safe
@login_required
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Is the city kept a second time, and can it be brought back?"""
    _staff(request)
    found = state()
    failed = Run.objects.filter(kind__in=tasks.TITLES, status=Run.Status.FAILED).order_by("-finished_at")
    context = {
        "state": found,
        "backups": [_row(backup) for backup in reversed(found.backups)],
        "drill": _drill(found),
        "run": tasks.under_way(),
        "failed": failed[:FAILURES],
    }
    return render(request, "backups/backups.html", context)


def _row(backup: Backup) -> dict[str, object]:
    try:
        row = summary(backup)
    except BackupDamaged as refusal:
        return {"name": backup.name, "fault": refusal.sentence}
    return {**row, "at": parse_datetime(str(row["made_at"]))}


def _drill(found: State) -> dict[str, object] | None:
    return {**found.drill, "when": parse_datetime(found.drill["at"])} if found.drill else None


@require_POST
@login_required
def now(request: HttpRequest) -> HttpResponse:
    """Back up now."""
    return _begun(request, tasks.MAKE)


@require_POST
@login_required
def drill(request: HttpRequest) -> HttpResponse:
    """Restore the newest backup on trial now."""
    return _begun(request, tasks.DRILL)


def _begun(request: HttpRequest, what: str) -> HttpResponse:
    person = _staff(request)
    found = state()
    if found.folder is None:
        messages.error(request, _("No folder for backups is set (BACKUP_TO)."))
    elif tasks.under_way():
        messages.error(request, _("A backup or a drill is already at work."))
    elif what == tasks.DRILL and not found.backups:
        messages.error(request, _("There is no backup yet."))
    else:
        tasks.begin(what, by=person)
    return redirect("backups")
