"""Reads of badges: what a person holds, what a machine asks for."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q

from commons.people.models import User
from labs.models import Badge, BadgeGrant, Machine


def held(user: User | None, *, at: dt.datetime) -> set[int]:
    """The keys of the badges that the person holds at that time."""
    if user is None or not user.is_authenticated:
        return set()
    good = BadgeGrant.objects.filter(user=user, revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=at))
    return set(good.values_list("badge_id", flat=True))


def missing(*, machine: Machine, user: User | None, at: dt.datetime) -> list[Badge]:
    """The badges of the machine that the person does not hold at that time."""
    asked = list(machine.required_badges.all())
    if not asked:
        return []
    holds = held(user, at=at)
    return [badge for badge in asked if badge.pk not in holds]


def may_use(machines: Iterable[Machine], user: User | None, *, at: dt.datetime) -> set[int]:
    """The keys of the machines that the person may book; `required_badges` should be prefetched."""
    holds = held(user, at=at)
    return {m.pk for m in machines if all(badge.pk in holds for badge in m.required_badges.all())}
