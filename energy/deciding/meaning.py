"""What other rules of sharing would have meant over the last measured months, and what they did mean since they hold.

Both are the same settlement, worked out twice from the same readings: under the rules that held, and under the others.
Engines are loaded by workers alone (`reckon`, `measure`); pages show what was kept.
"""

import copy
import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commons import sockets
from commons.people.models import User
from commons.web import numbers
from energy.errors import BadPeriod, NoTerms, TooCoarse
from energy.models import Community, MeterDay, SchemeVersion
from energy.models.tariffs import holding
from energy.queries import measured

MONTHS = 6
HALF_A_CENT = 0.005


def reckon(key: str, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Per month, over the last whole months that are measured (six at most): {"figures", "people", "basis"}."""
    community = Community.objects.select_related("place").filter(slug=key).first()
    if community is None:
        return None
    today = dt.datetime.now(measured.zone(community)).date()
    return _compared(community, _months(community, today), None, value)


def measure(
    key: str, before: Mapping[str, Any], after: Mapping[str, Any], since: dt.datetime, until: dt.datetime
) -> Mapping[str, Any] | None:
    """The same over the whole months since, against the rules that held before; None before the first is over."""
    community = Community.objects.select_related("place").filter(slug=key).first()
    if community is None:
        return None
    zone = measured.zone(community)
    first = since.astimezone(zone).date()
    months = [month for month in _months(community, until.astimezone(zone).date(), 14) if month[0] >= first]
    found = _compared(community, months, {**before}, {**after}) if months else None
    if found is None:
        return None
    return {"figures": found["figures"], "basis": found["basis"], "system": "electricity"}


def _months(community: Community, today: dt.date, most: int = MONTHS) -> list[tuple[dt.date, dt.date]]:
    """The last whole months with readings, oldest first: the first day, and the one after the last."""
    days = MeterDay.objects.filter(meter__participant__community=community, current=True)
    known = days.exclude(meter__proof="claimed").values_list("day", flat=True)
    firsts = sorted({day.replace(day=1) for day in known.distinct() if day < today.replace(day=1)})
    return [(first, (first + dt.timedelta(days=32)).replace(day=1)) for first in firsts[-most:]]


def _other(community: Community, day: dt.date, change: Mapping[str, Any]) -> SchemeVersion | None:
    """The rules of a day, with another key or price."""
    versions = list(SchemeVersion.objects.filter(scheme__community=community))
    held = holding(versions, day)
    if not isinstance(held, SchemeVersion):
        return None
    other = copy.copy(held)
    if "price" in change:
        other.price = Decimal(str(change["price"]))
    if change.get("key", other.key) != other.key:
        other.key = change["key"]
        people = list(community.participants.values_list("pk", flat=True))
        part = str((Decimal(1) / max(1, len(people))).quantize(Decimal("0.000001"), "ROUND_DOWN"))
        other.shares = dict.fromkeys(map(str, people), part) if other.key == SchemeVersion.Key.STATIC else {}
    return other


def _compared(
    community: Community,
    months: Sequence[tuple[dt.date, dt.date]],
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Bills under `old` (None: the rules as they held) and `new`, month by month."""
    from energy import settling  # noqa: PLC0415 numpy is loaded by workers alone
    from energy.engine import fairness  # noqa: PLC0415

    bills: dict[int, list[tuple[float, float]]] = {}
    alone: dict[int, float] = {}
    person_of: dict[int, int] = {}
    left: list[float] = []
    currency, counted = "", 0
    for first, until in months:
        try:
            was = settling.work_out(community, first, until, rules=_other(community, first, old) if old else None)
            would = settling.work_out(community, first, until, rules=_other(community, first, new))
        except (BadPeriod, NoTerms, TooCoarse):
            continue
        currency = would.currency
        for one, two in zip(was.bills, would.bills, strict=True):
            pk = one.participant.pk
            bills.setdefault(pk, []).append((settling.gross(one), settling.gross(two)))
            alone[pk] = alone.get(pk, 0.0) + float(two.alone)
            if one.participant.person_id is not None:
                person_of[pk] = one.participant.person_id
        if (gain := settling.best_exit(would)) is not None:
            left.append(gain)
        counted += 1
    if not bills:
        return None
    change = {pk: [b - a for a, b in rows] for pk, rows in bills.items()}
    mean = {pk: sum(rows) / len(rows) for pk, rows in change.items()}
    won_before = [alone[pk] - sum(a for a, _b in rows) for pk, rows in bills.items()]
    won_after = [alone[pk] - sum(b for _a, b in rows) for pk, rows in bills.items()]
    return {
        "figures": {
            "members": len(mean),
            "pay_more": sum(value > HALF_A_CENT for value in mean.values()),
            "pay_less": sum(value < -HALF_A_CENT for value in mean.values()),
            "together": round(sum(mean.values()), 2),
            "gini_before": fairness.gini(won_before),
            "gini_after": fairness.gini(won_after),
            "worse_than_alone": sum(value < -HALF_A_CENT for value in won_after),
            "exit_gain": round(max(left), 2) if left else None,
            "months": counted,
            "currency": currency,
        },
        "people": {
            str(person_of[pk]): {
                "month": round(mean[pk], 2), "low": round(min(rows), 2), "high": round(max(rows), 2),
            }
            for pk, rows in change.items() if pk in person_of
        },
        "basis": {"first": months[0][0].isoformat(), "until": months[-1][1].isoformat(), "months": counted},
    }  # fmt: skip


def preview(
    key: str, _value: Mapping[str, Any], person: User | None, reckoned: Mapping[str, Any]
) -> sockets.Preview | None:
    """What was reckoned, for a reader and for all."""
    figures = reckoned.get("figures")
    if not figures:
        return None
    mine = reckoned.get("people", {}).get(str(person.pk)) if person else None
    months = figures["months"]
    basis = ngettext(
        "The last measured month, settled again under these rules. What you use, and the weather, will differ.",
        "The last %(n)d measured months, settled again under these rules. What you use, and the weather, will differ.",
        months,
    ) % {"n": months}
    return sockets.Preview(_you(mine, figures["currency"]) if mine else "", shows(key, figures), basis)


def _you(mine: Mapping[str, float], currency: str) -> str:
    words = {
        "month": numbers.number(abs(mine["month"]), 2),
        "low": numbers.number(mine["low"], 2),
        "high": numbers.number(mine["high"], 2),
        "currency": currency,
    }
    if abs(mine["month"]) <= HALF_A_CENT:
        return _("For you: the same, from %(low)s to %(high)s %(currency)s a month.") % words
    if mine["month"] > 0:
        return _("For you: %(month)s %(currency)s more a month, from %(low)s to %(high)s.") % words
    return _("For you: %(month)s %(currency)s less a month, from %(low)s to %(high)s.") % words


def shows(_key: str, figures: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The figures in words."""
    if not figures:
        return []
    gain = figures["exit_gain"]
    money = "–" if gain is None else f"{numbers.number(gain, 2)} {figures['currency']}"
    return [
        {"title": _("pay less"), "value": str(figures["pay_less"])},
        {"title": _("pay more"), "value": str(figures["pay_more"])},
        {"title": _("unevenness of what is won (Gini)"), "value": numbers.number(figures["gini_after"], 2)},
        {"title": _("would be better off alone"), "value": str(figures["worse_than_alone"])},
        {"title": _("most that a group wins by leaving, a month"), "value": money},
    ]
