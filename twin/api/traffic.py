"""The API of traffic: the kept answer of a version, and asking for one."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import NotFound
from commons.people.models import User
from commons.runs.api import RunSerializer, accepted
from commons.runs.models import Run
from commons.web.api import requires
from twin import queries, services
from twin.api.districts import VERSION, asked_number
from twin.assumptions import FIELDS
from twin.errors import SignInFirst
from twin.models import Traffic


class TrafficSerializer(serializers.ModelSerializer[Traffic]):
    """An hour of traffic; `streets` are columns, `assumptions` are all of them with their values here."""

    version = serializers.IntegerField(source="version.number")
    assumptions = serializers.SerializerMethodField()

    class Meta:
        model = Traffic
        fields = (
            "id",
            "version",
            "method",
            "engine_version",
            "created_at",
            "assumptions",
            "assumptions_sha256",
            "summary",
            "streets",
            "zones",
        )

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_assumptions(self, found: Traffic) -> dict[str, Any]:
        return {field.name: field.default for field in FIELDS} | dict(found.assumptions)


class AskTrafficSerializer(serializers.Serializer[Any]):
    """What to reckon: the engine, and assumptions in place of ours."""

    method = serializers.ChoiceField(choices=Traffic.Method.choices, default=Traffic.Method.EQUILIBRIUM)
    assumptions = serializers.DictField(required=False, default=dict)


class DistrictTraffic(APIView):
    """Traffic of a district."""

    permission_classes = requires(write="twin:write", anonymous_reads=True)
    serializer_class = AskTrafficSerializer

    @extend_schema(
        parameters=[VERSION, OpenApiParameter("answer", int, description="This answer; the default one without it.")],
        responses=TrafficSerializer,
        operation_id="districts_traffic_retrieve",
    )
    def get(self, request: Request, slug: str) -> Response:
        """The kept equilibrium of a version."""
        of = queries.version(queries.district(slug), asked_number(request))
        found = queries.chosen_traffic(of, request.query_params.get("answer", ""))
        if found is None:
            raise NotFound(_("Traffic was not reckoned for this version."))
        return Response(TrafficSerializer(found).data)

    @extend_schema(
        parameters=[VERSION],
        request=AskTrafficSerializer,
        responses={200: TrafficSerializer, 202: RunSerializer},
        operation_id="districts_traffic_create",
    )
    def post(self, request: Request, slug: str) -> Response:
        """The answer if it is kept, else 202 with the run that reckons it."""
        of = queries.version(queries.district(slug), asked_number(request))
        asked = AskTrafficSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if not isinstance(request.user, User):
            raise SignInFirst(_("A token of a person is needed to begin a run."))
        found = services.ask_traffic(version=of, owner=request.user, **asked.validated_data)
        return accepted(found, request) if isinstance(found, Run) else Response(TrafficSerializer(found).data)
