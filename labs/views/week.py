"""The machines of a lab side by side, by day or week: what is free when? All state is in the address."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from commons.web import numbers
from labs.models import Machine
from labs.queries import badges, catalogue, grid
from labs.queries.week import monday
from labs.views.common import page, viewer
from labs.views.frame import frame

DAYS = {"day": 1, "week": 7}
ONE = dt.timedelta(days=1)


@require_safe
def week(request: HttpRequest, lab: str) -> HttpResponse:
    """The tracks of the chosen machines on the chosen days."""
    found, context = frame(request, lab, tab="week")
    now, person = timezone.now(), viewer(request)
    view = request.GET.get("view", "day")
    view = view if view in DAYS else "day"
    today = now.astimezone(found.zone).date()
    date = _date(request.GET.get("day", ""), today)
    dates = [date] if view == "day" else _week_of(date)
    every = list(catalogue.machines(found))
    kinds = dict.fromkeys((m.cls, m.get_cls_display()) for m in every)
    shown = _chosen(request, every)
    if request.GET.get("mine") == "1":
        usable = badges.may_use(shown, person, at=now)
        shown = [machine for machine in shown if machine.pk in usable]
    asked = grid.Asked(person, context["fellow"], now, full=view == "day")
    context |= {
        "grid": grid.build(found, shown, dates, asked),
        "view": view,
        "kinds": list(kinds),
        "cls": request.GET.get("class", ""),
        "mine": request.GET.get("mine") == "1",
        "title": _title(dates),
        "date": date,
        "strip": [(day, _url(request, day=str(day))) for day in _week_of(date)],
        "now": now,
        "every": len(every),
        **_links(request, view, date, today),
    }  # fmt: skip
    return page(request, "labs/week.html", context, lab=found)


def _date(text: str, default: dt.date) -> dt.date:
    try:
        date = dt.date.fromisoformat(text) if text else default
    except ValueError:
        date = default
    return min(max(date, dt.date(2000, 1, 10)), dt.date(2100, 1, 1))


def _chosen(request: HttpRequest, every: Sequence[Machine]) -> list[Machine]:
    kind, slug = request.GET.get("class", ""), request.GET.get("machine", "")
    return [m for m in every if (not kind or m.cls == kind) and (not slug or m.slug == slug)]


def _week_of(date: dt.date) -> list[dt.date]:
    first = monday("", date)
    return [first + nth * ONE for nth in range(7)]


def _title(dates: Sequence[dt.date]) -> str:
    first, last = numbers.day(dates[0], dates[-1]), numbers.day(dates[-1], dates[-1])
    return last if len(dates) == 1 else f"{first} – {last}"


def _url(request: HttpRequest, **more: str) -> str:
    kept = {name: value for name, value in request.GET.items() if name in {"view", "day", "class", "mine", "machine"}}
    asked = {name: value for name, value in {**kept, **more}.items() if value}
    return f"?{urlencode(asked)}" if asked else "?"


def _links(request: HttpRequest, view: str, date: dt.date, today: dt.date) -> dict[str, Any]:
    step = DAYS[view] * ONE
    return {
        "before": _url(request, day=str(date - step)),
        "after": _url(request, day=str(date + step)),
        "today_url": _url(request, day=""),
        "day_url": _url(request, view="day"),
        "week_url": _url(request, view="week"),
        "all_url": _url(request, mine="", **{"class": ""}),
        "any_url": _url(request, mine=""),
        "mine_url": _url(request, mine="1"),
        "is_today": date == today,
    }
