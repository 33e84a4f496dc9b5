"""Reads of reports and cases."""

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from commons import sockets
from commons.people.models import User
from commons.reports.errors import UnknownCase, UnknownTarget
from commons.reports.models import Case, LogEntry, Report
from commons.reports.policies import may_moderate

WAITING = Q(state=Case.State.OPEN) | Q(appealed_at__isnull=False, appeal_answered_at=None)


def target(kind: str, key: str, person: User | None) -> tuple[sockets.ReportTarget, sockets.Reported]:
    """The thing of that kind and key, as the person may see it. Raises UnknownTarget."""
    plug = sockets.report_targets.get(kind)
    found = plug.find(key[:80], person) if plug is not None else None
    if plug is None or found is None:
        raise UnknownTarget(_("There is no such thing to report, or it is not yours to see."))
    return plug, found


def queue() -> QuerySet[Case]:
    """What waits for a decision, those with most reports first, then the longest waiting."""
    counted = Count("reports", filter=Q(reports__closed_at=None))
    return Case.objects.filter(WAITING).select_related("author").annotate(n=counted).order_by("-n", "heard_at")


def decided() -> QuerySet[Case]:
    """Cases that were decided, newest first."""
    return Case.objects.exclude(WAITING).select_related("author").order_by("-heard_at")


def case_for(pk: int, person: User) -> Case:
    """A case for those who decide, or for the author of what is hidden. Raises UnknownCase."""
    found = Case.objects.select_related("author").filter(pk=pk).first()
    if found is None or not (may_moderate(person) or found.author_id == person.pk):
        raise UnknownCase(_("There is no such case, or it is not yours to see."))
    return found


def reports_of(person: User) -> QuerySet[Report]:
    """What a person reported, newest first."""
    return Report.objects.filter(reporter=person).select_related("case").order_by("-pk")


def hidden_of(person: User) -> QuerySet[Case]:
    """Things of the person that are hidden."""
    return Case.objects.filter(author=person, state=Case.State.HIDDEN).order_by("-heard_at")


def counts() -> list[dict[str, object]]:
    """How often each thing was done, by year: what everybody may see of this work."""
    rows = LogEntry.objects.values(year=F("at__year"), what=F("verb")).annotate(n=Count("pk")).order_by("-year", "what")
    return [dict(row) for row in rows]
