"""Keys of calendar feeds: made, renewed, removed."""

import datetime as dt
import secrets

from django.db import transaction

from commons.people.models import User
from labs.models import FeedKey, Lab, Machine
from labs.queries.feeds import digest


@transaction.atomic
def make_key(*, user: User, machine: Machine | None = None, lab: Lab | None = None) -> tuple[FeedKey, str]:
    """A key for the calendar of a machine, a lab or of one's own bookings, and its secret, which is shown once.

    A key that is there already is renewed: the old address opens nothing any more.
    """
    kind = FeedKey.Kind.MACHINE if machine else FeedKey.Kind.LAB if lab else FeedKey.Kind.PERSON
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)
    secret = secrets.token_urlsafe(24)
    key, _made = FeedKey.objects.update_or_create(
        user=user, kind=kind, machine=machine, lab=lab, defaults={"digest": digest(secret), "last_used_on": None}
    )
    return key, secret


def remove_key(*, key: FeedKey) -> None:
    """The address opens nothing any more."""
    key.delete()


def used(*, key: FeedKey, today: dt.date) -> None:
    """Remember the day on which a calendar last asked; once a day."""
    if key.last_used_on != today:
        FeedKey.objects.filter(pk=key.pk).update(last_used_on=today)
