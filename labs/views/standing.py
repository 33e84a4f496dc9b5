"""Where a lab stands: its energy community and its building, its load in both, and who says so."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from commons.dashboards.sockets import Chart, Line
from commons.dashboards.views import drawn_twice
from commons.errors import CityError
from commons.people.models import User
from labs.errors.ties import NotYourTie, UnknownTie
from labs.models import Lab
from labs.queries import lab_days, standing, sun_pages, sunshine, ties
from labs.services import ties as services
from labs.views.common import page, viewer
from labs.views.frame import frame

MOST_WORDS = 80


@require_http_methods(["GET", "HEAD", "POST"])
def lab_standing(request: HttpRequest, lab: str) -> HttpResponse:
    """Where does this lab stand? POST asks, confirms, declines or ends."""
    found, context = frame(request, lab, tab="sun")
    person = viewer(request)
    refusal: CityError | None = None
    if request.method == "POST":
        try:
            messages.success(request, _done(request, found, person))
            return redirect("rooms:lab_standing", found.slug)
        except CityError as error:
            refusal = error
    context |= _page(request, found, person, manages=context["manages"]) | {"refusal": refusal}
    return page(request, "labs/standing.html", context, lab=found, status=refusal.status if refusal else 200)


def _done(request: HttpRequest, lab: Lab, person: User | None) -> str:
    """Do what a form asks; what was done, in a sentence."""
    if person is None:
        raise NotYourTie(_("Sign in first."))
    do, fields = request.POST.get("do", ""), request.POST
    if do == "ask":
        tie = services.ask(lab=lab, kind=fields.get("kind", ""), target=fields.get("target", ""), by=person)
        return _("The stewards of “%(title)s” are asked.") % {"title": tie.title}
    number = fields.get("tie", "")
    tie = ties.find(int(number) if number.isdecimal() and len(number) < 19 else 0, person)
    if tie.lab_id != lab.pk or do not in {"confirm", "decline", "end"}:
        raise UnknownTie(_("There is no such tie."))
    if do == "end":
        services.end(tie=tie, by=person)
        return _("%(lab)s and “%(title)s” no longer belong together.") % {"lab": lab.name, "title": tie.title}
    services.answer(tie=tie, by=person, accept=do == "confirm")
    if do == "confirm":
        return _("%(lab)s belongs to “%(title)s” now.") % {"lab": lab.name, "title": tie.title}
    return _("Declined.")


def _page(request: HttpRequest, lab: Lab, person: User | None, *, manages: bool) -> dict[str, Any]:
    now = timezone.now()
    words = request.GET.get("q", "").strip()[:MOST_WORDS]
    hours, days = lab_days.today(lab, now), lab_days.lately(lab, now)
    told = [hour.measured for hour in hours if hour.measured is not None]
    points = ties.standpoints(lab, person, manages=manages)
    return {
        "points": [_point(one, lab, person, words, manages=manages) for one in points],
        "q": words,
        "now_here": standing.of_labs([lab], now)[0],
        "standing_of": standing.of(lab),
        "booked": sum(hour.booked for hour in hours),
        "measured": sum(told) if told else None,
        "chart": drawn_twice(chart(hours, lab)),
        "hours_of_day": hours,
        "days": [day for day in days if day.planned is not None or day.measured is not None],
        "plans": sun_pages.plans(lab, now),
        "came": sunshine.came(lab, now.astimezone(lab.zone).date() - dt.timedelta(days=30)),
    }


def _point(one: ties.Standpoint, lab: Lab, person: User | None, words: str, *, manages: bool) -> dict[str, Any]:
    """A kind of belonging, and for the lab's managers what it could belong to."""
    choices = one.side.near(lab, person, words) if manages and one.asked is None else []
    held = one.holds.target if one.holds else ""
    return {"point": one, "choices": [other for other in choices if other.target != held]}


def chart(hours: list[lab_days.Hour], lab: Lab) -> Chart:
    """Today, hour by hour: what is booked as bars, what was measured as a line."""
    ticks = [f"{hour.start.astimezone(lab.zone):%H}" for hour in hours]
    booked = Line(lazy("booked"), "load", [hour.booked for hour in hours], "bar")
    measured = Line(lazy("measured"), "act", [hour.measured for hour in hours])
    return Chart(ticks, [booked, measured], "kWh")
