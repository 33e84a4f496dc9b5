"""What is it made of? The parts list of a design."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from commons import csv_files
from designs import bom, git, queries
from designs.bom import Node, Rolled
from designs.models import Design
from designs.queries import bom as boms
from designs.views.content import SANDBOX
from designs.views.frame import frame
from designs.visitors import of_session, reader

#: Levels and rows that a page unfolds; the sums count everything.
MAX_LEVELS = 3
MAX_ROWS = 600
MAX_USERS = 50


@require_safe
def page(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Every part with its count, mass and price, sub-assemblies to unfold, and what it adds up to."""
    design, commit, context = frame(request, owner, slug, tab="bom")
    found = boms.bom_at(design, commit)
    person = of_session(request)
    rolled = boms.rolled(design, commit, found, person) if found is not None else None
    rows = rows_of(rolled) if rolled is not None else []
    context |= {
        "bom": found,
        "rolled": rolled,
        "rows": rows[:MAX_ROWS],
        "more": max(0, len(found.lines) - MAX_ROWS) if found is not None else 0,
        "columns": _columns(rows),
        "users": list(boms.used_in(design, person)[:MAX_USERS]),
    }
    return render(request, "designs/bom.html", context)


def rows_of(rolled: Rolled) -> list[dict[str, Any]]:
    """A table's rows, each with the rows of its sub-assembly inside."""
    left = [MAX_ROWS]
    return [_row(node, 0, left) for node in rolled.nodes[: MAX_ROWS + 1]]


def _row(node: Node, level: int, left: list[int]) -> dict[str, Any]:
    """A row. `left` holds how many rows inside others may still be unfolded."""
    inside = node.children[: left[0]] if level < MAX_LEVELS else ()
    left[0] -= len(inside)
    return {
        "line": node.line,
        "mass_g": None if node.totals.mass_unknown and not node.totals.mass_g else node.totals.mass_g,
        "costs": sorted(node.totals.costs.items()),
        "partly": bool(node.children) and bool(node.totals.mass_unknown),
        "found": node.found,
        "problem": node.problem,
        "inside": [_row(child, level + 1, left) for child in inside],
        "lines_inside": len(node.children),
    }


def _columns(rows: list[dict[str, Any]]) -> dict[str, bool]:
    """Columns that hold something; empty ones are left out."""
    return {
        "mass": any(row["mass_g"] is not None for row in rows),
        "cost": any(row["costs"] for row in rows),
        "source": any(row["line"].source_url or row["line"].supplier_ref for row in rows),
    }


@require_safe
def download(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """The parts list as CSV that no spreadsheet takes for formulas."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    found = boms.wanted(design, _commit(design, request.GET.get("ref", "").strip()))
    response = HttpResponse(bom.write_csv(found.lines), content_type=csv_files.TYPE, headers=SANDBOX)
    response["Content-Disposition"] = f'attachment; filename="{design.slug}-bom.csv"'
    return response


def _commit(design: Design, ref: str) -> str:
    repository = git.of(design.repository)
    return repository.commit_of(ref) if ref else repository.head(design.default_branch)
