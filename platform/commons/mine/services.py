"""Choosing a first hour and putting it away."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import BadInput
from commons.mine.models import FirstHour
from commons.people.models import User


@transaction.atomic
def choose_path(*, person: User, path: str) -> FirstHour:
    """Take this path, or another than before; what was put away comes back. Raises BadInput."""
    if path not in FirstHour.Path.values:
        raise BadInput(_("There is no first hour called “%(path)s”.") % {"path": path[:20]})
    found, _made = FirstHour.objects.update_or_create(person=person, defaults={"path": path, "dismissed_at": None})
    return found


@transaction.atomic
def dismiss(*, person: User) -> None:
    """Put the first hour away: it is offered no more on the front page, and can be taken up again."""
    FirstHour.objects.update_or_create(person=person, defaults={"dismissed_at": timezone.now()})
