"""Where a design can be made, over the API: machines with reasons, and the plan of which part where."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import BadInput
from commons.people.models import Scope
from commons.web.api import requires
from labs.api.common import design_named, reader
from labs.queries import jobs, matching
from labs.queries.near import told

MOST = 500


class MatchSerializer(serializers.Serializer[matching.Match]):
    """A machine for a design, with reasons in words. What was not asked or is not known is null."""

    lab = serializers.CharField(source="machine.lab.slug")
    machine = serializers.IntegerField(source="machine.pk")
    name = serializers.CharField(source="machine.name")
    fits = serializers.BooleanField()
    makes = serializers.ListField(child=serializers.CharField(), help_text="paths of the files it can make")
    reasons_for = serializers.ListField(child=serializers.CharField())
    reasons_against = serializers.ListField(child=serializers.CharField())
    distance_km = serializers.FloatField(allow_null=True)
    free_at = serializers.DateTimeField(allow_null=True, help_text="the first time that could be booked")
    solar_share = serializers.FloatField(source="share", allow_null=True, help_text="share of local sun then")
    best_at = serializers.DateTimeField(
        source="best.start", default=None, help_text="the free time of the week with the most sun expected; best eight"
    )
    best_solar_share = serializers.FloatField(source="best.share", default=None)
    price = serializers.DecimalField(source="price.gross", max_digits=12, decimal_places=2, default=None)
    currency = serializers.CharField(source="price.unit", default=None)


class PlannedPart(serializers.Serializer[Any]):
    """A file and the machine that makes it."""

    lab = serializers.CharField()
    machine = serializers.IntegerField()
    path = serializers.CharField()


class PlanSerializer(serializers.Serializer[Any]):
    """The fewest labs that make all parts together, nearest first; `missing` are parts that no machine can make."""

    labs = serializers.ListField(child=serializers.CharField())
    parts = PlannedPart(many=True)
    missing = serializers.ListField(child=serializers.CharField())


class MatchesSerializer(serializers.Serializer[Any]):
    """The best machines, those that fit first, out of how many; and the plan."""

    design = serializers.CharField()
    machines = serializers.IntegerField(help_text="how many were compared")
    fitting = serializers.IntegerField(help_text="how many of them fit")
    results = MatchSerializer(many=True)
    plan = PlanSerializer()


class MatchView(APIView):
    """Which machines can make a design."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(
        responses=MatchesSerializer,
        parameters=[
            OpenApiParameter("design", OpenApiTypes.STR, required=True, description="owner/name"),
            OpenApiParameter("ref", OpenApiTypes.STR, description="a branch, tag or commit; the shown one without it"),
            OpenApiParameter("material", OpenApiTypes.STR, description="machines that work it alone"),
            OpenApiParameter("lat", OpenApiTypes.FLOAT, description="from where, with lon; without, no distance"),
            OpenApiParameter("lon", OpenApiTypes.FLOAT),
            OpenApiParameter("by", OpenApiTypes.STR, enum=matching.ORDERS),
            OpenApiParameter("limit", OpenApiTypes.INT, description="100 by default, 500 at most"),
        ],
    )
    def get(self, request: Request) -> Response:
        """The machines with reasons for and against, best first, those that do not fit last; and a plan."""
        query, person = request.query_params, reader(request, Scope.DESIGNS_READ)
        design = design_named(query.get("design", ""), person)
        near = told(query)
        asked = matching.Asked(
            near=near,
            material=query.get("material", "")[:40],
            length=jobs.usual_length(design) or matching.HOUR,
            by=query.get("by", "best"),
            person=person,
        )
        found = matching.find(design, query.get("ref", "")[:80], asked=asked, most=_limit(query.get("limit", "100")))
        document = {
            "design": query["design"],
            "machines": found.machines,
            "fitting": found.fitting,
            "results": found.matches,
            "plan": _plan(matching.plan(found, near)),
        }
        return Response(MatchesSerializer(document).data)


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:6]) <= MOST:
        raise BadInput(_("“limit” is a number from 1 to %(most)d.") % {"most": MOST})
    return int(text)


def _plan(plan: matching.Plan) -> dict[str, Any]:
    return {
        "labs": [step.lab.slug for step in plan.steps],
        "parts": [
            {"lab": step.lab.slug, "machine": machine.pk, "path": part.path}
            for step in plan.steps
            for machine, parts in step.machines
            for part in parts
        ],
        "missing": plan.missing,
    }
