"""Reads of runs."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from commons.runs.errors import RunFailed, RunNotFound
from commons.runs.models import Run


def visible_to(user: Any) -> QuerySet[Run]:
    """Runs that this person may see: public ones and their own; staff see all."""
    if user is None or not user.is_authenticated:
        return Run.objects.filter(public=True)
    if user.is_staff:
        return Run.objects.all()
    return Run.objects.filter(Q(public=True) | Q(owner=user))


def run(pk: UUID | str, user: Any) -> Run:
    """The run, if this person may see it; raises RunNotFound, which says the same whether it exists or not."""
    found = visible_to(user).filter(pk=pk).first()
    if found is None:
        raise RunNotFound(_("There is no such run, or it is not yours to see."))
    return found


def of_person(user: Any, limit: int = 20) -> QuerySet[Run]:
    """A person's own runs, newest first."""
    return Run.objects.filter(owner=user).order_by("-created_at")[:limit]


def result_of(run: Run) -> dict[str, Any]:
    """The result of a run that is over; raises RunFailed with the run's own sentence when there is none."""
    if run.status != Run.Status.DONE:
        raise RunFailed(run.error or _("It is not over yet."), run=str(run.pk), cause=run.error_code)
    return dict(run.result or {})
