"""Pages of the room: communities, one community's day and year, how its saving is shared."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from commons.people.models import User
from commons.web import numbers
from commons.web.lately import kept_a_moment
from energy import charts, figures, flow, policies, queries, services, shares
from energy.forms import SimulateForm
from energy.models import CommunityVersion, Simulation
from energy.queries import Day, public
from energy.queries import live as now
from energy.queries import simulations as seen
from energy.queries.year import capacity
from energy.views.days import date_of, neighbours_of
from energy.views.frame import found as find
from energy.views.frame import frame

SUMS = ("solar", "use", "grid", "export", "sun_used", "charge", "discharge")


@kept_a_moment
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Communities, the visitor's own neighbourhood first."""
    rows = queries.overview(request.user)
    return render(request, "energy/index.html", {"rows": rows})


@kept_a_moment
@require_safe
def community(request: HttpRequest, slug: str) -> HttpResponse:
    """Where the power comes from and goes: now, the day, and where the year stands."""
    found, context = frame(request, slug, tab="now")
    version = public.version(found, request.user)
    meters, whole = now.meters_of(found)
    context |= {"version": version, "meters": len(meters)}
    power = now.now_of(meters, whole=whole)
    if power.heard:
        context |= {
            "live_flow": flow.draw(power.step, keep=power.keep),
            "heard": now.heard_words(power),
            "whole": whole,
        }
    if version is not None:
        context |= _version(request, version)
    return render(request, "energy/community.html", context)


@require_safe
def live(request: HttpRequest, slug: str) -> JsonResponse:
    """What the meters say now, in words, for a page whose stream does not come."""
    meters, whole = now.meters_of(find(request, slug))
    return JsonResponse(now.document(now.now_of(meters, whole=whole)))


def _version(request: HttpRequest, version: CommunityVersion) -> dict[str, Any]:
    kinds = queries.members_by_kind(version)
    standing = public.standing(version, request.user)
    rule = queries.latest_simulation(version, "rule", "none")
    context: dict[str, Any] = {
        "kinds": kinds,
        "count": sum(kinds.values()),
        "standing": standing,
        "least": policies.LEAST_MEMBERS,
        "named": queries.named_members(version, request.user),
        "source": gettext(version.source) if version.source else "",
        "waiting": _waiting(version, request.user),
        "runs": queries.open_runs(version.community, request.user),
        **_day(request, version, standing, rule),
    }
    if standing.enough:
        context |= _period(request, version, rule)
    return context


def _period(request: HttpRequest, version: CommunityVersion, rule: Simulation | None) -> dict[str, Any]:
    """Sums of the whole period, and how its saving is shared."""
    saving = shares.latest(version)
    table = shares.table(version, request.user, "") if saving else None
    balance = figures.balance(rule.totals) if rule else None
    return {
        "simulation": rule,
        "homes": queries.homes_spread(version),
        "figures": figures.of(rule, request.user) if rule else [],
        "balance": balance,
        "balance_share": _share_of_balance(rule.totals) if rule else None,
        "saving": saving,
        "table": table,
        "own": numbers.money(table.shown.own, version.currency) if table else "",
        "saving_total": numbers.money(saving.sharing["total_saving"], version.currency) if saving else "",
    }


def _share_of_balance(totals: Mapping[str, Any]) -> float | None:
    """What is sent on for each kWh bought: at 1 the community is even, above it net positive."""
    bought = float(totals["import_kwh"])
    return float(totals["export_kwh"]) / bought if bought > 0 else None


def _waiting(version: CommunityVersion, viewer: policies.Viewer) -> bool:
    """Whether a steward looks at data that the public does not see yet."""
    if not policies.is_steward(viewer, version.community):
        return False
    shown = public.version(version.community, None)
    return shown is None or shown.pk != version.pk


def _day(
    request: HttpRequest, version: CommunityVersion, standing: public.Standing, rule: Simulation | None
) -> dict[str, Any]:
    today = timezone.now().astimezone(ZoneInfo(version.timezone)).date()
    date = date_of(request.GET.get("day", ""), today)
    context: dict[str, Any] = {"date": date, "is_today": date == today, **neighbours_of(date)}
    if not standing.curves:
        return context | _open_day(version, date)
    story = queries.story(version, date, rule, request.user)
    context["day"] = story
    if story is None:
        return context
    good = story.good_hours(timezone.now() if date == today else None)
    sums = {name: story.kwh(name) for name in SUMS}
    least = story.least_lacking()
    context |= {
        "chart": charts.day_chart(story),
        "finding": charts.finding(story),
        "flow": flow.draw(story.current or story.mean),
        "good": [story.clock(moment) for moment in good] if good else None,
        "least": story.clock(least) if least else None,
        "clock": story.clock(story.current.start) if story.current else "",
        "sums": sums,
        "ratio": sums["solar"] / sums["use"] if sums["use"] else None,
        "local": max(0.0, 1 - sums["grid"] / sums["use"]) if sums["use"] else None,
        "came": _parts(sums["sun_used"], sums["discharge"], sums["grid"]),
        "went": _parts(sums["sun_used"], sums["charge"], sums["export"]),
    }
    return context | _stored(version, story)


def _stored(version: CommunityVersion, story: Day) -> dict[str, Any]:
    """What storage holds: now, or at the end of another day; and over the day."""
    step = story.current or story.steps[-1]
    room = capacity(version)
    if step.stored is None or not room or not story.storage:
        return {}
    return {
        "held": step.stored,
        "room": room,
        "held_share": min(1.0, step.stored / room),
        "stored_chart": charts.stored_day(story),
    }


def _open_day(version: CommunityVersion, date: dt.date) -> dict[str, Any]:
    """What is left of a day where households are too few: labs and public buildings by name, and all solar."""
    found = queries.open_day(version, date)
    if found is None:
        return {}
    return {"open_day": found, "chart": charts.open_chart(found)}


def _parts(*energies_kwh: float) -> list[float | None]:
    """Shares of their sum; unknown where there is nothing to share."""
    whole = sum(energies_kwh)
    return [energy / whole if whole > 0 else None for energy in energies_kwh]


@require_safe
def sharing(request: HttpRequest, slug: str) -> HttpResponse:
    """How the saving is shared, and whether the group would hold."""
    found, context = frame(request, slug, tab="sharing")
    version = public.version(found, request.user)
    asked = request.GET.get("rule", "")
    enough = version is not None and seen.may_see(version, request.user)
    control = request.GET.get("control", "")
    table = shares.table(version, request.user, asked, control) if version and enough else None
    own = numbers.money(table.shown.own, version.currency) if table and version else ""
    context |= {"version": version, "table": table, "own": own, "enough": enough, "least": policies.LEAST_MEMBERS}
    return render(request, "energy/sharing.html", context)


@require_POST
@login_required
def simulate(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a simulation and go to its progress."""
    found = queries.community(slug, request.user)
    form = SimulateForm(request.POST)
    if not form.is_valid():
        return render(request, "energy/simulate.html", {"community": found, "form": form}, status=400)
    viewer = request.user if isinstance(request.user, User) else None
    asked = form.cleaned_data
    run = services.ask_simulation(
        community=found,
        viewer=viewer,
        control=asked["control"],
        sharing=asked["sharing"] or None,
        horizon_hours=asked["horizon_hours"] if asked["control"] == "optimal" else None,
        strategy=asked["strategy"] or None,
    )
    return redirect("rooms:run", run.pk)
