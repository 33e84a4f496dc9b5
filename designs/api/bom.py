"""Parts lists over the API."""

import dataclasses
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.web.api import requires
from designs import git, queries
from designs.api.designs import visitor
from designs.bom import Node, Totals
from designs.queries import bom as boms

MAX_LINES = 2_000
MAX_LEVELS = 8


class CostOut(serializers.Serializer[Any]):
    """An amount of one currency; the currency is empty where the list names none."""

    currency = serializers.CharField(allow_blank=True)
    amount = serializers.DecimalField(max_digits=30, decimal_places=4)


class TotalsOut(serializers.Serializer[Any]):
    """What is known, and of how many lines it is not."""

    parts = serializers.FloatField()
    mass_g = serializers.FloatField()
    mass_unknown = serializers.IntegerField(help_text="lines without a mass")
    costs = CostOut(many=True)
    cost_unknown = serializers.IntegerField(help_text="lines without a price")


class LineOut(serializers.Serializer[Any]):
    """A line. Mass and cost are of one; `totals` of all, with sub-assemblies."""

    level = serializers.IntegerField(help_text="0, or how deep in sub-assemblies")
    row = serializers.IntegerField()
    name = serializers.CharField()
    quantity = serializers.FloatField(allow_null=True)
    unit = serializers.CharField(allow_blank=True)
    mass_g = serializers.FloatField(allow_null=True)
    cost = serializers.DecimalField(max_digits=30, decimal_places=4, allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    source_url = serializers.CharField(allow_blank=True)
    supplier_ref = serializers.CharField(allow_blank=True)
    path = serializers.CharField(allow_blank=True)
    design = serializers.CharField(allow_blank=True, help_text="owner/slug of a sub-assembly")
    version = serializers.CharField(allow_blank=True)
    problem = serializers.CharField(allow_blank=True, help_text="why a sub-assembly is not counted")
    totals = TotalsOut()


class BomFindingOut(serializers.Serializer[Any]):
    """Something that could not be read as it stands; row 0 is the whole list."""

    level = serializers.ChoiceField(choices=("error", "warning", "hint"))
    row = serializers.IntegerField()
    sentence = serializers.CharField()


class PartsOut(serializers.Serializer[Any]):
    """A parts list. Lines of sub-assemblies follow theirs with a deeper level."""

    commit = serializers.CharField()
    path = serializers.CharField()
    kind = serializers.CharField(help_text="table, front (head of a Markdown file) or okh")
    totals = TotalsOut()
    lines = LineOut(many=True)
    findings = BomFindingOut(many=True)
    problems = serializers.ListField(child=serializers.CharField())


class Parts(APIView):
    """What a version is made of."""

    permission_classes = requires(read="designs:read", write="designs:write", anonymous_reads=True)

    @extend_schema(
        operation_id="designs_bom",
        parameters=[OpenApiParameter("ref", str, description="branch, tag or commit; the default branch without it")],
        responses=PartsOut,
    )
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """The parts list with sub-assemblies, added up; 404 where the version has none."""
        person = visitor(request)
        design = queries.find(owner=owner, slug=slug, visitor=person)
        repository = git.of(design.repository)
        ref = request.query_params.get("ref", "")
        commit = repository.commit_of(ref) if ref else repository.head(design.default_branch)
        found = boms.wanted(design, commit)
        rolled = boms.rolled(design, commit, found, person)
        answer = {
            "commit": commit, "path": found.path, "kind": found.kind, "totals": _totals(rolled.totals),
            "lines": _lines(rolled.nodes), "findings": found.findings, "problems": rolled.problems,
        }  # fmt: skip
        return Response(PartsOut(answer).data)


def _lines(nodes: tuple[Node, ...]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    waiting = [(node, 0) for node in reversed(nodes)]
    while waiting and len(lines) < MAX_LINES:
        node, level = waiting.pop()
        fields = dataclasses.asdict(node.line)
        cost = None if node.line.cost is None else round(node.line.cost, 4)
        lines.append({**fields, "cost": cost, "level": level, "problem": node.problem, "totals": _totals(node.totals)})
        if level < MAX_LEVELS:
            waiting += [(child, level + 1) for child in reversed(node.children)]
    return lines


def _totals(totals: Totals) -> dict[str, Any]:
    costs = [{"currency": name, "amount": round(amount, 4)} for name, amount in sorted(totals.costs.items())]
    return {
        "parts": totals.parts, "mass_g": totals.mass_g, "mass_unknown": totals.mass_unknown, "costs": costs,
        "cost_unknown": totals.cost_unknown,
    }  # fmt: skip
