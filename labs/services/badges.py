"""Giving badges and taking them back."""

import datetime as dt

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from labs.errors import BadBadge
from labs.models import Badge, BadgeGrant, Lab
from labs.queries.badges import of_person
from labs.services import credentials


@transaction.atomic
def give(
    *,
    badge: Badge,
    user: User,
    by: User | None = None,
    given_in: Lab | None = None,
    expires_at: dt.datetime | None = None,
    evidence: str = "",
    now: dt.datetime | None = None,
) -> BadgeGrant:
    """Give a person a badge; it ends when the badge says so unless a day is given. Raises BadBadge.

    A good one of the same lab that lasts as long is kept rather than doubled. What a lab gave becomes a credential.
    """
    now = now or timezone.now()
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)
    if expires_at is None and badge.valid_months:
        expires_at = months_later(now, badge.valid_months)
    if expires_at is not None and expires_at <= now:
        raise BadBadge(_("A badge cannot expire before it is given; choose a day to come."))
    for one in of_person(user, at=now):
        same = one.grant.badge_id == badge.pk and one.grant.outside_id is None
        mine = one.grant.given_in_id == (given_in.pk if given_in else None)
        if same and mine and (one.until is None or (expires_at is not None and one.until >= expires_at)):
            return one.grant
    grant = BadgeGrant.objects.create(
        badge=badge,
        user=user,
        granted_by=by,
        given_in=given_in,
        granted_at=now,
        expires_at=expires_at,
        evidence=evidence[:200],
    )
    if given_in is not None:
        credentials.prepare(grant=grant)
    text = _("You have the badge “%(badge)s”.") % {"badge": badge.name}
    tell(people=[user], kind="labs.badge", text=text, url=reverse("rooms:my_badges"), actor=by)
    return grant


@transaction.atomic
def take_back(*, grant: BadgeGrant, by: User | None = None, reason: str = "") -> BadgeGrant:
    """Take a badge back, now and in its credential."""
    held = BadgeGrant.objects.select_for_update(of=("self",)).select_related("badge", "user").get(pk=grant.pk)
    if held.revoked_at is None:
        held.revoked_at = timezone.now()
        held.save(update_fields=["revoked_at"])
        credentials.mark_taken_back(grant=held)
        words = {"badge": held.badge.name, "reason": reason}
        text = _("The badge “%(badge)s” was taken back. %(reason)s") % words
        tell(people=[held.user], kind="labs.badge", text=text.strip(), url=reverse("rooms:my_badges"), actor=by)
    return held


def months_later(moment: dt.datetime, months: int) -> dt.datetime:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + year, month + 1
    first = moment.replace(year=year, month=month, day=1)
    last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    return first.replace(day=min(moment.day, last.day))
