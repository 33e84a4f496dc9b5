"""Reads of runs."""

from django.db.models import Q, QuerySet

from commons.people.models import User
from commons.runs.models import Run


def visible_to(user: "User | None") -> QuerySet[Run]:
    """Runs that this person may see: public ones and their own; staff see all."""
    if user is None or not user.is_authenticated:
        return Run.objects.filter(public=True)
    if user.is_staff:
        return Run.objects.all()
    return Run.objects.filter(Q(public=True) | Q(owner=user))
