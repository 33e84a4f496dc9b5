"""How much each may book: the rules of the rule book, for all of the lab and everybody; from a Monday, local time."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from commons import sockets
from commons.people.models import User
from labs.deciding import use, weeks
from labs.deciding.body import KIND, border
from labs.engine.rules import SORTS
from labs.errors.rules import BadRule
from labs.models import BookingRule, Lab
from labs.queries import rule_preview, rule_words
from labs.queries import rules as standing
from labs.services import rules

QUOTAS = ("per_week_h", "open_bookings")


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


def apply(key: str, value: Mapping[str, Any], _at: dt.datetime, _url: str) -> None:
    """Set each limit in the rule book."""
    lab = Lab.objects.get(slug=key)
    for name in QUOTAS:
        if name in value:
            rules.set_rule(lab=lab, name=name, text=f"{value[name]:g}", by=None)


def preview(
    key: str, value: Mapping[str, Any], person: User | None, reckoned: Mapping[str, Any]
) -> sockets.Preview | None:
    """Whose bookings to come these limits alone would have refused when they were made."""
    lab = Lab.objects.select_related("place").filter(slug=key).first()
    if lab is None:
        return None
    rows = standing.rows_of(lab)
    for name in QUOTAS:
        if name in value:
            row = rules.candidate(lab=lab, name=name, text=f"{value[name]:g}")
            same = (row.name, row.machine, row.cls, row.role)
            rows = [r for r in rows if (r.name, r.machine, r.cls, r.role) != same] + [row]
    found = rule_preview.preview(lab, rows, now=timezone.now())
    mine = sum(booking.user_id == person.pk for booking in found.refused) if person else 0
    you = ngettext(
        "For you: %(n)d booking to come is beyond it. It stays; another like it would be refused.",
        "For you: %(n)d bookings to come are beyond it. They stay; others like them would be refused.",
        mine,
    ) % {"n": mine}
    figures = [
        {"title": _("bookings to come that are beyond it"), "value": f"{len(found.refused)} / {found.looked_at}"},
        {"title": _("people whose they are"), "value": str(found.people)},
    ]
    booked = reckoned.get("people", {}).get(str(person.pk)) if person else None
    said = [words for words in (weeks.you(booked) if booked else "", you if mine else "") if words]
    return sockets.Preview(" ".join(said), figures, _("Each booking to come, judged when it was made."))


EFFECT = sockets.Effect(
    slug="labs.quota",
    body=KIND,
    title=gettext_lazy("How much each may book"),
    fields=fields,
    now=now,
    check=check,
    say=say,
    border=border,
    apply=apply,
    preview=preview,
    reckon=weeks.reckon,
    measure=use.measure,
    shows=use.shows,
    order=20,
)
