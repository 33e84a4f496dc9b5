"""The grid of a community: does it hold, where and when not, and how much more it takes."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from energy import gridwords, heat, plan, policies, queries
from energy.models import CommunityVersion, GridCheck, GridVersion
from energy.queries import grids, public
from energy.services import grids as services
from energy.views.frame import found as find
from energy.views.frame import frame

SHOWN = {
    "voltage": (_("Voltage"), "solar", "grid"),
    "loading": (_("Lines and transformer"), "load", "load"),
}


class CheckForm(forms.Form):
    """How storage is run in a check."""

    control = forms.ChoiceField(
        label=_("How storage is run"), choices=tuple(gridwords.WAYS.items()), widget=forms.RadioSelect, initial="rule"
    )


@require_safe
def grid(request: HttpRequest, slug: str) -> HttpResponse:
    """What the newest checks say, as much of it as this person may see."""
    community, context = frame(request, slug, tab="grid")
    version = public.version(community, request.user)
    own = grids.grid_of(community)
    grid_version = grids.version_of(own) if own else None
    context |= {"version": version, "grid": own, "grid_version": grid_version, "least": policies.LEAST_MEMBERS}
    if version is None or grid_version is None:
        return render(request, "energy/grid.html", context)
    exact = grids.sees_homes(request.user, version)
    enough = exact or public.standing(version, request.user).enough
    context |= {"exact": exact, "enough": enough, "runs": queries.open_runs(community, request.user)}
    context |= {"form": CheckForm(), "may": exact and request.user.is_authenticated}
    if exact:
        context |= _places(grid_version, version)
    checks = grids.latest_checks(version, grid_version) if enough else {}
    asked = request.GET.get("control", "")
    shown = asked if asked in checks else next((way for way in ("rule", "none", "optimal") if way in checks), "")
    if shown:
        context |= _check(checks, shown, request, exact=exact)
    return render(request, "energy/grid.html", context)


def _places(grid_version: GridVersion, version: CommunityVersion) -> dict[str, Any]:
    rows = grids.placed(grid_version, version)
    return {
        "placed": rows,
        "spread": sum(row.known == grids.SPREAD for row in rows),
        "members": sum(row.known != grids.ROOT for row in rows),
        "node_names": [node["id"] for node in grid_version.network["nodes"]],
    }


def _check(checks: dict[str, GridCheck], shown: str, request: HttpRequest, *, exact: bool) -> dict[str, Any]:
    check = checks[shown]
    context: dict[str, Any] = {
        "check": check,
        "shown": shown,
        "ways": [(way, gridwords.WAYS[way]) for way in checks],
        "finding": gridwords.finding(check.result),
        "lifted": gridwords.lifted(check.result),
        "compared": gridwords.compared(checks),
        "checked": gridwords.checked(check.result),
        "own_nodes": [] if exact else grids.own_nodes(request.user, check),
        "source": gettext(check.grid_version.source) if check.grid_version.source else "",
    }
    if not exact:
        return context
    asked = request.GET.get("show", "")
    what = asked if asked in SHOWN else "voltage"
    title, above, below = SHOWN[what]
    days, cells = grids.hours(check, what)
    return context | {
        "what": what,
        "kinds": [(name, words[0]) for name, words in SHOWN.items()],
        "heat_title": title,
        "heat": heat.draw(days, cells, above, below, plan.spans),
        "heat_words": context["finding"],
        "hour_marks": heat.HOUR_MARKS,
        "plan": plan.draw(grids.read(check.grid_version), check.result, check.connected),
        "nodes": [{**row, "far": plan.percent(100 * plan.furthest(row))} for row in check.result["nodes"]],
        "worst": gridwords.worst(check),
        "rooms": gridwords.rooms(check.result),
        "evenly": {name: gridwords.evenly(check.result, name) for name in ("pv", "evening", "steady")},
    }


@require_POST
@login_required
def check_grid(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a check and go to its progress."""
    community = find(request, slug)
    form = CheckForm(request.POST)
    control = form.cleaned_data["control"] if form.is_valid() else "rule"
    run = services.ask_check(community=community, viewer=request.user, control=control)
    return redirect("rooms:run", run.pk)


@require_POST
@login_required
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """Say who is connected where."""
    community = find(request, slug)
    prefix = "node:"
    names = [name for name in request.POST if name.startswith(prefix)]
    nodes = {name[len(prefix) :]: str(request.POST.get(name, "")).strip() for name in names}
    services.connect(community=community, by=request.user, nodes=nodes)
    return redirect("rooms:community_grid", community.slug)
