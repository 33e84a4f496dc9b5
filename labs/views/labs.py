"""The directory, a lab's board, a machine."""

import datetime as dt

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from commons.web.lately import kept_a_moment
from labs import policies
from labs.models import Machine, MachinePhoto
from labs.queries import board, bookings, catalogue, curves, faults, jobs, sun_pages, sunshine
from labs.queries import directory as found_labs
from labs.queries import live as now_live
from labs.queries import profile as profiles
from labs.queries.near import near_of, told
from labs.views.common import open_state, viewer
from labs.views.common import page as show_page
from labs.views.frame import around

PER_PAGE = 20


@kept_a_moment
@require_safe
def directory(request: HttpRequest) -> HttpResponse:
    """Where can I make it? The labs that have what is asked, nearest first, as a list and on the map."""
    now, near = timezone.now(), near_of(request)
    asked = found_labs.wanted(request.GET, near)
    rows = found_labs.search(asked, now)
    context = {
        "labs": [(row, open_state(row.lab, now)) for row in rows],
        "pins": found_labs.pins(rows),
        "asked": asked,
        "near": near,
        "told": told(request.GET) is not None,
        "kinds": Machine.Kind.choices,
        "processes": Machine.Process.choices,
        "any_labs": bool(rows) or catalogue.labs().exists(),
    }
    return render(request, "labs/directory.html", context)


@kept_a_moment
@require_safe
def lab(request: HttpRequest, lab: str) -> HttpResponse:
    """What can I use here now? The board, what comes next, the last 30 days."""
    found, now, person = catalogue.find_shown(lab), timezone.now(), viewer(request)
    every = board.board(found, viewer=person, now=now)
    show = request.GET.get("show", "")
    shown = {"free": [t for t in every if t.free], "mine": [t for t in every if t.may_use]}
    midnight = now.astimezone(found.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    watts = [t.power.watts for t in every if t.power.watts is not None and not t.power.old]
    context = {
        "lab": found,
        **around(found, person, tab="machines"),
        "tiles": shown.get(show, every),
        "show": show if show in shown else "",
        "counts": {"all": len(every), "free": len(shown["free"]), "mine": len(shown["mine"])},
        "running": sum(t.running for t in every),
        "power_w": sum(watts) if watts else None,
        "heard_at": max((t.power.heard_at for t in every if t.power.heard_at), default=None),
        "today": board.since(found, midnight, person),
        "month": board.since(found, now - dt.timedelta(days=30), person),
        "loads": profiles.loads(every),
        "next_here": board.next_here(found, now),
        "now": now,
        "came": sunshine.came(found, now.date() - dt.timedelta(days=30)),
        "best_tile": next((t for t in every if t.free and t.may_use), next((t for t in every if t.may_use), None)),
    }
    return show_page(request, "labs/lab.html", context, lab=found)


@kept_a_moment
@require_safe
def machine(request: HttpRequest, lab: str, machine: str) -> HttpResponse:
    """What has it made, what does it draw, is it well?"""
    found, now, person = catalogue.find_machine(lab=lab, slug=machine), timezone.now(), viewer(request)
    page = Paginator(jobs.of_machine(found), PER_PAGE).get_page(request.GET.get("page"))
    day = curves.day_of(request.GET.get("day", ""), found.lab.zone, now)
    context = {
        "machine": found,
        "lab": found.lab,
        "tile": board.tiles([found], viewer=person, now=now)[0],
        "page": page,
        "jobs": jobs.shown(page, person),
        "curve": curves.of_day(found, day, now),
        "day": day,
        "is_today": day == now.astimezone(found.lab.zone).date(),
        "before": day - dt.timedelta(days=1),
        "after": day + dt.timedelta(days=1) if day < now.astimezone(found.lab.zone).date() else None,
        "best": bookings.best(found, length=dt.timedelta(hours=1), now=now),
        "sun": sun_pages.of_machine(found, now),
        "manages": policies.may_manage(person, found.lab),
        "fellow": policies.is_fellow(person, found.lab),
        "reliability": faults.figures([found], now)[found.pk],
        "out": found.state == Machine.State.REPAIR,
        "photos": found.photos.filter(state=MachinePhoto.State.READY),
        "manuals": found.manuals.all(),
        "consumables": found.consumables.all(),
        "now": now,
    }
    return show_page(request, "labs/machine.html", context, lab=found.lab)


@require_safe
def tile(request: HttpRequest, lab: str, machine: str) -> HttpResponse:
    """One machine of the board as this reader may see it, for a board that stands open."""
    found, now = catalogue.find_machine(lab=lab, slug=machine), timezone.now()
    drawn = board.tiles([found], viewer=viewer(request), now=now)[0]
    context = {"tile": drawn, "hours": open_state(found.lab, now), "now": now}
    return show_page(request, "labs/parts/tile.html", context, lab=found.lab)


@require_safe
def live(request: HttpRequest, lab: str) -> HttpResponse:
    """What the machines do and draw now, in words, for a page whose stream does not come."""
    return JsonResponse(now_live.of_lab(catalogue.find_lab(lab)))
