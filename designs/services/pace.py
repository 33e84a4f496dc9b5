"""How much one person may begin in an hour, where each thing makes the city work: imports, forks, changes, reviews."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.runs.models import Run
from designs.errors import TooMany
from designs.models import Design, Proposal, Review

IMPORTS, FORKS, CHANGES, REVIEWS = 20, 30, 40, 120
HOUR = dt.timedelta(hours=1)


def check_imports(by: User | None) -> None:
    """Raises TooMany. None is the city itself, here and below."""
    if by is not None and _lately(Run.objects.filter(kind="designs.import", owner=by)) >= IMPORTS:
        raise TooMany(_("You may import up to %(n)d designs in an hour. Wait a little.") % {"n": IMPORTS})


def check_forks(by: User | None) -> None:
    """Raises TooMany."""
    if by is not None and _lately(Design.objects.filter(created_by=by).exclude(forked_from=None)) >= FORKS:
        raise TooMany(_("You may make up to %(n)d forks in an hour. Wait a little.") % {"n": FORKS})


def check_changes(by: User | None) -> None:
    """Raises TooMany."""
    if by is not None and _lately(Proposal.objects.filter(author=by)) >= CHANGES:
        raise TooMany(_("You may offer up to %(n)d changes in an hour. Wait a little.") % {"n": CHANGES})


def check_reviews(by: User | None) -> None:
    """Raises TooMany."""
    if by is not None and _lately(Review.objects.filter(author=by)) >= REVIEWS:
        raise TooMany(_("You may write up to %(n)d reviews in an hour. Wait a little.") % {"n": REVIEWS})


def _lately(found: QuerySet[Any]) -> int:
    return found.filter(created_at__gte=timezone.now() - HOUR).count()
