"""What the people of a lab decide: how much each may book (docs/deciding.md).

The rules are those of the rule book, for all of the lab and everybody; a new one holds from a Monday, local time.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons import sockets
from commons.people.models import Membership, User
from labs.engine.rules import SORTS
from labs.errors.rules import BadRule
from labs.models import BookingRule, Lab
from labs.policies import MANAGING
from labs.queries import rule_words
from labs.services import rules

KIND = "labs.lab"
QUOTAS = ("per_week_h", "open_bookings")
CHARTER = {
    "methods": ["consent", "majority", "approval", "condorcet"],
    "quorum": "1/5",
    "notice_h": 72,
    "window_h": 168,
    "objection_h": 48,
    "member_days": 14,
    "limits": {"labs.quota": {"per_week_h": [1, 168], "open_bookings": [1, 100]}},
}


def find(key: str, person: User | None) -> sockets.Decider | None:
    """The lab of that slug."""
    lab = Lab.objects.select_related("place").filter(slug=key).first()
    return sockets.Decider(lab.name, reverse("rooms:lab", args=[lab.slug]), lab.place, lab.demo) if lab else None


def members(key: str) -> Mapping[int, dt.datetime]:
    """The lab's own people, since they belong."""
    rows = Membership.objects.filter(organisation__lab__slug=key)
    return dict(rows.values_list("user_id", "since"))


def stewards(key: str) -> Collection[int]:
    """Who runs it."""
    rows = Membership.objects.filter(organisation__lab__slug=key, role__in=MANAGING)
    return set(rows.values_list("user_id", flat=True))


def keys_of(person: User) -> Collection[str]:
    """The labs that a person belongs to."""
    return sorted(Lab.objects.filter(organisation__memberships__user=person).values_list("slug", flat=True))


def fields(_key: str) -> Sequence[sockets.EffectField]:
    """Hours a week and bookings to come."""
    sorts = [(name, SORTS[name]) for name in QUOTAS]
    return [
        sockets.EffectField(name, rule_words.TITLES[name], (), sort.low, sort.high, rule_words.UNITS[sort.kind])
        for name, sort in sorts
    ]


def now(key: str) -> Mapping[str, Any]:
    """The quotas that are set for all of the lab and everybody."""
    rows = BookingRule.objects.filter(lab__slug=key, active=True, name__in=QUOTAS, machine=None, cls="", role="")
    return {row.name: float(row.value) for row in rows if row.value}


def check(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers that the rule book takes. Raises BadRule."""
    lab = Lab.objects.get(slug=key)
    kept: dict[str, Any] = {}
    for name in QUOTAS:
        if value.get(name) not in (None, ""):
            kept[name] = rules.candidate(lab=lab, name=name, text=f"{value[name]}").value
    if not kept:
        raise BadRule(_("Say at least one limit."), field="value")
    return kept


def say(_key: str, value: Mapping[str, Any]) -> str | Promise:
    """In words."""
    if not value:
        return _("no limit for everybody")
    return " ".join(rule_words.sentence(name, value[name]) for name in QUOTAS if name in value)


def border(key: str, at: dt.datetime) -> dt.datetime:
    """The next Monday, local midnight."""
    lab = Lab.objects.select_related("place").get(slug=key)
    local = at.astimezone(lab.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if local == midnight and local.weekday() == 0:
        return local
    day = (local + dt.timedelta(days=7 - local.weekday())).date()
    return dt.datetime.combine(day, dt.time(), lab.zone)


def apply(key: str, value: Mapping[str, Any], _at: dt.datetime, _url: str) -> None:
    """Set each limit in the rule book."""
    lab = Lab.objects.get(slug=key)
    for name in QUOTAS:
        if name in value:
            rules.set_rule(lab=lab, name=name, text=f"{value[name]:g}", by=None)


def register() -> None:
    """Plug the body and what it can set into the sockets."""
    sockets.deciding_bodies.register(
        sockets.DecidingBody(KIND, gettext_lazy("Lab"), find, members, stewards, keys_of, CHARTER, order=20)
    )
    sockets.effects.register(
        sockets.Effect(
            slug="labs.quota",
            body=KIND,
            title=gettext_lazy("How much each may book"),
            fields=fields,
            now=now,
            check=check,
            say=say,
            border=border,
            apply=apply,
            order=20,
        )
    )
