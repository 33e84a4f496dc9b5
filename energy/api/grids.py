"""The API of a community's grid: what checks say, who is where, start a check."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.runs.api import RunSerializer, accepted
from commons.web.api import requires
from energy import queries
from energy.errors import NoGrid
from energy.models import GridCheck
from energy.queries import grids, public
from energy.services import grids as services


class GridSummarySerializer(serializers.Serializer[Any]):
    """A check in figures; voltages per unit of nominal, loadings as shares of what is allowed; rounded for all but
    stewards.
    """

    lowest_voltage_pu = serializers.FloatField()
    highest_voltage_pu = serializers.FloatField()
    hours_outside_band = serializers.FloatField(help_text="hours in which a voltage is more than 10 % from nominal")
    worst_week_share = serializers.FloatField(allow_null=True, help_text="steps within the band in the worst week")
    highest_rise_pu = serializers.FloatField(help_text="what solar and storage lift a node at most")
    hours_rise_over = serializers.FloatField(help_text="hours in which that is more than 3 %")
    line_loading = serializers.FloatField()
    transformer_loading = serializers.FloatField()
    hours_overloaded = serializers.FloatField(help_text="summed over lines and transformers")
    hours_unsolved = serializers.FloatField(help_text="hours in which no voltage holds")
    steps_run = serializers.IntegerField()


class GridCheckSerializer(serializers.ModelSerializer[GridCheck]):
    """A check; nodes, branches, worst hours and room for more are null for those who do not see single homes."""

    summary = serializers.SerializerMethodField()
    details = serializers.SerializerMethodField()
    version = serializers.IntegerField(source="version.number", read_only=True)

    class Meta:
        model = GridCheck
        fields = ("control", "version", "summary", "details", "inputs_sha256", "created_at", "demo")
        read_only_fields = fields

    @extend_schema_field(GridSummarySerializer())
    def get_summary(self, check: GridCheck) -> Any:
        """What everybody may see who sees sums."""
        found = grids.summary(check.result, exact=self.context["exact"])
        return GridSummarySerializer(found).data

    @extend_schema_field(serializers.JSONField(allow_null=True))
    def get_details(self, check: GridCheck) -> Any:
        """Everything, by node and branch."""
        return check.result if self.context["exact"] else None


class PlacedSerializer(serializers.Serializer[Any]):
    """Where a member is connected; "" is the community's own battery."""

    member = serializers.CharField(allow_blank=True)
    node = serializers.CharField(allow_blank=True)
    known = serializers.CharField(read_only=True, help_text="form, file, spread or root")


class GridSerializer(serializers.Serializer[Any]):
    """A grid, its newest checks, and for those who see single homes its network and who is where."""

    name = serializers.CharField(source="grid_version.grid.name")
    number = serializers.IntegerField(source="grid_version.number")
    valid_from = serializers.DateField(source="grid_version.valid_from")
    content_sha256 = serializers.CharField(source="grid_version.content_sha256")
    radial = serializers.BooleanField(source="grid_version.radial")
    network = serializers.JSONField(allow_null=True)
    places = PlacedSerializer(many=True, allow_null=True)
    checks = GridCheckSerializer(many=True)


class CheckGridSerializer(serializers.Serializer[Any]):
    """What to check."""

    control = serializers.ChoiceField(choices=grids.CONTROLS)


class CommunityGrid(APIView):
    """The grid of a community."""

    permission_classes = requires(read="energy:read", anonymous_reads=True)

    @extend_schema(responses={200: GridSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """Its newest version and the newest check of each control."""
        community = queries.community(slug, request.user)
        grid_version = grids.needed(community)
        version = public.version(community, request.user)
        exact = version is not None and grids.sees_homes(request.user, version)
        enough = exact or (version is not None and public.standing(version, request.user).enough)
        checks = grids.latest_checks(version, grid_version) if version is not None and enough else {}
        found = {
            "grid_version": grid_version,
            "network": grid_version.network if exact else None,
            "places": grids.placed(grid_version, version) if exact and version is not None else None,
            "checks": list(checks.values()),
        }
        return Response(GridSerializer(found, context={"exact": exact}).data)


class GridRuns(APIView):
    """Checks of a grid."""

    permission_classes = requires(write="energy:manage")
    serializer_class: ClassVar[type[CheckGridSerializer]] = CheckGridSerializer

    @extend_schema(request=CheckGridSerializer, responses={202: RunSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Start a check of the newest data; ask at its Location for the result."""
        community = queries.community(slug, request.user)
        asked = CheckGridSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        run = services.ask_check(community=community, viewer=request.user, **asked.validated_data)
        return accepted(run, request)


class GridPlaces(APIView):
    """Who is connected where."""

    permission_classes = requires(write="energy:manage")
    serializer_class: ClassVar[type[PlacedSerializer]] = PlacedSerializer

    @extend_schema(request=PlacedSerializer(many=True), responses={200: PlacedSerializer(many=True)})
    def put(self, request: Request, slug: str) -> Response:
        """Say at which node members are connected; an empty node takes back what was said. For stewards."""
        community = queries.community(slug, request.user)
        asked = PlacedSerializer(data=request.data, many=True)
        asked.is_valid(raise_exception=True)
        nodes = {row["member"]: row["node"] for row in asked.validated_data}
        services.connect(community=community, by=request.user, nodes=nodes)
        version = public.version(community, request.user)
        if version is None:
            raise NoGrid(str(community))
        return Response(PlacedSerializer(grids.placed(grids.needed(community), version), many=True).data)
