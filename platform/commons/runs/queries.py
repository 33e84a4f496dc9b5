"""Reads of runs."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from commons.runs.errors import RunFailed, RunNotFound
from commons.runs.models import Run
from commons.runs.policies import rooms_of


def visible_to(user: Any, token: Any = None) -> QuerySet[Run]:
    """Runs that this person may see: public ones and their own; staff see all. Through a token only those of the rooms
    of its scopes, and what everybody sees."""
    if user is None or not user.is_authenticated:
        return Run.objects.filter(public=True)
    rooms = rooms_of(token)
    scoped = Q() if rooms is None else Q(pk__in=[])
    for room in sorted(rooms or ()):
        scoped |= Q(kind__startswith=f"{room}.")
    own = Q() if user.is_staff else Q(owner=user)
    return Run.objects.filter(Q(public=True) | own & scoped if own or scoped else Q())


def run(pk: UUID | str, user: Any, token: Any = None) -> Run:
    """The run, if this person may see it; raises RunNotFound, which says the same whether it exists or not."""
    found = visible_to(user, token).filter(pk=pk).first()
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
