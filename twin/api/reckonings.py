"""The API of what engines found out about a district."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from twin import queries
from twin.api.districts import READ, VERSION, asked_number
from twin.errors import NotReckoned
from twin.models import Reckoning


class ReckoningSerializer(serializers.ModelSerializer[Reckoning]):
    """An engine's answer: sums of the district, and columns of values in the order of `keys`, the buildings'."""

    version = serializers.IntegerField(source="version.number")
    inputs = serializers.DictField(help_text="assumptions and weather that went in")
    summary = serializers.DictField()
    keys = serializers.ListField(child=serializers.CharField())
    columns = serializers.DictField(child=serializers.ListField())

    class Meta:
        model = Reckoning
        fields = ("version", "engine_version", "created_at", "inputs", "summary", "keys", "columns")


class _Reckoned(APIView):
    permission_classes = READ
    kind = ""

    def answer(self, request: Request, slug: str) -> Response:
        """The newest answer of the kind."""
        of = queries.version(queries.district(slug), asked_number(request))
        kept = queries.reckoning(of, self.kind)
        if kept is None:
            raise NotReckoned(_("This was not reckoned for this version."))
        return Response(ReckoningSerializer(kept).data)


class DistrictRoofs(_Reckoned):
    """The sun on each roof: roof_m2, usable_m2, kwp, kwh a year, light (kWh/m2 a year), shaded (share of light that
    neighbours take), use_kwh (benchmark of the building's use of power), times (kwh over use_kwh).
    """

    kind = "roofs"

    @extend_schema(parameters=[VERSION], responses=ReckoningSerializer, operation_id="districts_roofs_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        return self.answer(request, slug)


class DistrictRisk(_Reckoned):
    """Power cuts (hours_own and hours_worst: hours a building lasts in the middle and in the worst tenth of cuts, with
    solar, batteries and cars for a quarter of its load), heat (0 weak to 2 strong), streets that buildings lean on.
    """

    kind = "risk"

    @extend_schema(parameters=[VERSION], responses=ReckoningSerializer, operation_id="districts_risk_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        return self.answer(request, slug)


class DistrictCarbon(_Reckoned):
    """The ledger of greenhouse gases: kg CO2e a year by part, each with its factor, low, middle and high."""

    kind = "carbon"

    @extend_schema(parameters=[VERSION], responses=ReckoningSerializer, operation_id="districts_carbon_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        return self.answer(request, slug)
