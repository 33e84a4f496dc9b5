"""Reads of badges: what a person holds, what a lab believes of it, what a machine asks for."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from commons.people.models import User
from labs.engine import trust as engine
from labs.models import Badge, BadgeGrant, Lab, Machine, Renewal, TrustPolicy, TrustRule


@dataclass(frozen=True, slots=True)
class Held:
    """A grant with the day that it really ends."""

    grant: BadgeGrant
    until: dt.datetime | None


def held(user: User | None, *, at: dt.datetime, lab: Lab | int | None = None) -> set[int]:
    """The keys of the badges that the person holds at that time; with a lab, of those that it believes."""
    if lab is None:
        return {one.grant.badge_id for one in of_person(user, at=at)}
    key = lab if isinstance(lab, int) else lab.pk
    return held_in([key], user, at=at)[key]


def held_in(labs: Iterable[int], user: User | None, *, at: dt.datetime) -> dict[int, set[int]]:
    """For each lab the keys of the person's badges that it believes at that time; four questions in all."""
    keys = set(labs)
    good = of_person(user, at=at)
    if not good:
        return {key: set() for key in keys}
    asked = trust_of(keys)
    return {key: {one.grant.badge_id for one in good if engine.believes(asked[key], _plain(one.grant))} for key in keys}


def of_person(user: User | None, *, at: dt.datetime) -> list[Held]:
    """The person's grants that are good at that time, whoever believes them."""
    if user is None or not user.is_authenticated:
        return []
    rows = BadgeGrant.objects.filter(user=user, revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=at))
    grants = list(rows.select_related("badge", "given_in", "outside").order_by("granted_at"))
    asked = renewals_of(grants)
    found = [Held(grant, engine.good_until(_plain(grant), asked)) for grant in grants]
    return [one for one in found if one.until is None or one.until > at]


def renewals_of(grants: Iterable[BadgeGrant]) -> list[engine.Renewal]:
    """What labs asked since about badges like these."""
    badges = {grant.badge_id for grant in grants if grant.given_in_id is not None}
    if not badges:
        return []
    rows = Renewal.objects.filter(badge__in=badges)
    return [engine.Renewal(row.badge_id, row.lab_id, row.asked_at, row.until) for row in rows]


def trust_of(labs: Iterable[int]) -> dict[int, engine.Trust]:
    """The rules of each lab."""
    keys = set(labs)
    scopes = dict(TrustPolicy.objects.filter(lab__in=keys).values_list("lab_id", "scope"))
    rules: dict[int, list[engine.Rule]] = {}
    for row in TrustRule.objects.filter(lab__in=keys):
        rule = engine.Rule(row.believes, row.giver_id, row.issuer_did, row.achievement, row.badge_id)
        rules.setdefault(row.lab_id, []).append(rule)
    return {key: engine.Trust(key, scopes.get(key, TrustPolicy.Scope.LISTED), rules.get(key, ())) for key in keys}


def _plain(grant: BadgeGrant) -> engine.Grant:
    outside = grant.outside
    return engine.Grant(
        grant.badge_id,
        grant.granted_at,
        grant.given_in_id,
        grant.expires_at,
        grant.revoked_at is not None,
        outside.issuer if outside else "",
        outside.achievement if outside else "",
    )


def missing(*, machine: Machine, user: User | None, at: dt.datetime) -> list[Badge]:
    """The badges of the machine that the person does not hold at that time, as the machine's lab believes."""
    asked = list(machine.required_badges.all())
    if not asked:
        return []
    holds = held(user, at=at, lab=machine.lab_id)
    return [badge for badge in asked if badge.pk not in holds]


def may_use(machines: Iterable[Machine], user: User | None, *, at: dt.datetime) -> set[int]:
    """The keys of the machines that the person may book; `required_badges` should be prefetched."""
    listed: Sequence[Machine] = list(machines)
    holds = held_in((m.lab_id for m in listed), user, at=at)
    return {m.pk for m in listed if all(badge.pk in holds[m.lab_id] for badge in m.required_badges.all())}


def all_of(user: User) -> QuerySet[BadgeGrant]:
    """Everything the person was ever given, newest first."""
    rows = BadgeGrant.objects.filter(user=user).select_related("badge", "given_in", "granted_by", "outside")
    return rows.select_related("credential").order_by("-granted_at")
