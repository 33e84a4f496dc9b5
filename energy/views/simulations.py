"""Simulations of a community: the list, up to six side by side, one asked again."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from energy import policies, queries, services, shares
from energy.forms import SimulateForm
from energy.models import Simulation
from energy.queries import public
from energy.queries import simulations as found
from energy.views.frame import frame


@require_safe
def simulations(request: HttpRequest, slug: str) -> HttpResponse:
    """Which there are; those that were chosen stand side by side."""
    community, context = frame(request, slug, tab="simulations")
    version = public.version(community, request.user)
    rows = found.of_community(community, request.user)
    asked = request.GET.getlist("s") or _of_run(rows, request.GET.get("run", "")) or _usual(rows)
    columns = found.compare(community, asked, request.user)
    first = columns[0].simulation if columns else None
    context |= {
        "version": version,
        "enough": version is not None and found.may_see(version, request.user),
        "least": policies.LEAST_MEMBERS,
        "rows": rows,
        "columns": columns,
        "chosen": {column.simulation.pk for column in columns},
        "table": shares.compared(columns, version) if version else [],
        "repeats": found.repeats(first) if first else [],
        "most": found.MOST,
        "form": SimulateForm(),
        "has_own": any(column.change and column.change.own is not None for column in columns),
        "may": version is not None and policies.may_simulate(request.user, version),
        "runs": queries.open_runs(community, request.user),
    }
    return render(request, "energy/simulations.html", context)


def _of_run(rows: list[Simulation], run: str) -> list[str]:
    """The answer of one run, and what it repeats or is held against."""
    try:
        wanted = UUID(run)
    except ValueError:
        return []
    new = next((row for row in rows if row.run_id == wanted), None)
    if new is None:
        return []
    same = [row for row in rows if row.pk != new.pk and (row.inputs_sha256, row.seed) == (new.inputs_sha256, new.seed)]
    others = same or [row for row in rows if row.pk != new.pk]
    return [str(row.pk) for row in (*others[-1:], new)] if same else [str(row.pk) for row in (new, *others[:2])]


def _usual(rows: list[Simulation]) -> list[str]:
    """The newest of each way to run storage."""
    newest: dict[str, str] = {}
    for row in rows:
        newest.setdefault(row.control, str(row.pk))
    return [newest[control] for control in services.CONTROLS if control in newest]


@require_POST
@login_required
def again(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Ask the same question again."""
    community, _context = frame(request, slug, tab="simulations")
    simulation = found.find(community, str(number), request.user)
    return redirect("rooms:run", services.repeat(simulation=simulation, viewer=request.user).pk)
