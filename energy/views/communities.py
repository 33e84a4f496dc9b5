"""Pages of the room: communities, one community's day and year, how its saving is shared."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from commons.people.models import User
from commons.web import numbers
from energy import charts, flow, policies, queries, services, shares
from energy.forms import SimulateForm
from energy.models import CommunityVersion
from energy.views.frame import frame

SUMS = ("solar", "use", "grid", "export", "sun_used", "charge", "discharge")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Communities, the visitor's own neighbourhood first."""
    rows = queries.overview(request.user)
    return render(request, "energy/index.html", {"rows": rows})


@require_safe
def community(request: HttpRequest, slug: str) -> HttpResponse:
    """Where the power comes from and goes: now, the day, the year."""
    found, context = frame(request, slug, tab="now")
    version = queries.latest(found)
    context["version"] = version
    if version is not None:
        context |= _version(request, version)
    return render(request, "energy/community.html", context)


def _version(request: HttpRequest, version: CommunityVersion) -> dict[str, Any]:
    kinds = queries.members_by_kind(version)
    saving = shares.latest(version)
    rule = queries.latest_simulation(version, "rule", "none")
    context: dict[str, Any] = {
        "kinds": kinds,
        "count": sum(kinds.values()),
        "simulation": rule,
        "compared": [s for c in services.CONTROLS if (s := queries.latest_simulation(version, c))],
        "named": queries.named_members(version, request.user),
        "homes": queries.homes_spread(version),
        "saving": saving,
        "saving_total": numbers.money(saving.sharing["total_saving"], version.currency) if saving else "",
        "saving_words": shares.certificate(saving) if saving else "",
        "source": gettext(version.source) if version.source else "",
        "form": SimulateForm(),
        "curves": policies.may_see_curves(request.user, version, sum(kinds.values())),
        "runs": queries.open_runs(version.community, request.user),
    }
    if context["curves"]:
        context |= _day(version, request.GET.get("day", ""))
    return context


def _day(version: CommunityVersion, asked: str) -> dict[str, Any]:
    today = timezone.now().astimezone(ZoneInfo(version.timezone)).date()
    date = _date(asked, today)
    story = queries.story(version, date, queries.latest_simulation(version, "rule", "none"))
    context: dict[str, Any] = {"date": date, "is_today": date == today, "day": story}
    context |= {"before": _next(date, -1), "after": _next(date, 1)}
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
    return context


def _parts(*energies_kwh: float) -> list[float | None]:
    """Shares of their sum; unknown where there is nothing to share."""
    whole = sum(energies_kwh)
    return [energy / whole if whole > 0 else None for energy in energies_kwh]


def _date(asked: str, otherwise: dt.date) -> dt.date:
    try:
        date = dt.date.fromisoformat(asked)
    except ValueError:
        return otherwise
    return date if 1990 <= date.year <= 2200 else otherwise


def _next(date: dt.date, days: int) -> str:
    return (date + dt.timedelta(days=days)).isoformat()


@require_safe
def sharing(request: HttpRequest, slug: str) -> HttpResponse:
    """How the saving is shared, and whether the group would hold."""
    found, context = frame(request, slug, tab="sharing")
    version = queries.latest(found)
    asked = request.GET.get("rule", "")
    table = shares.table(version, request.user, asked, request.GET.get("control", "")) if version else None
    own = numbers.money(table.shown.own, version.currency) if table and version else ""
    context |= {"version": version, "table": table, "own": own}
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
    )
    return redirect("rooms:run", run.pk)
