"""The API of communities: read them, simulate them."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.runs.api import RunSerializer, accepted
from commons.web.api import CursorPagination, requires
from energy import policies, queries, services
from energy.models import Community, CommunityVersion, Simulation
from energy.queries import public


class CommunitySerializer(serializers.ModelSerializer[Community]):
    """A community by name and place."""

    place = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)  # type: ignore[var-annotated]

    class Meta:
        model = Community
        fields = ("slug", "name", "place", "demo")
        read_only_fields = fields


class TotalsSerializer(serializers.Serializer[Any]):
    """Sums over the period; energies kWh, shares 0..1, money in the community's currency."""

    load_kwh = serializers.FloatField()
    pv_kwh = serializers.FloatField()
    import_kwh = serializers.FloatField()
    export_kwh = serializers.FloatField()
    curtailed_kwh = serializers.FloatField()
    vehicle_kwh = serializers.FloatField(help_text="what trips took; part of load_kwh")
    prosumer_ratio = serializers.FloatField(allow_null=True)
    self_consumption = serializers.FloatField(allow_null=True)
    self_sufficiency = serializers.FloatField(allow_null=True)
    peak_import_kw = serializers.FloatField()
    peak_export_kw = serializers.FloatField()
    cost = serializers.FloatField()
    co2_kg = serializers.FloatField(allow_null=True)


class IslandSerializer(serializers.Serializer[Any]):
    """Cut off from the grid for some hours, over all steps as the first one (docs/energy-figures.md)."""

    hours = serializers.FloatField()
    survive = serializers.FloatField(help_text="share of starts that get through")
    unserved_kwh = serializers.FloatField(help_text="mean over starts")
    worst_kwh = serializers.FloatField()
    unserved_share = serializers.FloatField(help_text="of use")
    starts = serializers.IntegerField()


class MoreSerializer(serializers.Serializer[Any]):
    """Figures beside the totals; null: not known."""

    prosumer_members = serializers.FloatField(allow_null=True, required=False, help_text="share with a roof")
    co2_marginal_kg = serializers.FloatField(allow_null=True, required=False, help_text="of what is bought")
    co2_marginal_displaced_kg = serializers.FloatField(allow_null=True, required=False, help_text="by what is sent on")
    co2_marginal_avoided_kg = serializers.FloatField(allow_null=True, required=False, help_text="by solar and storage")
    island = IslandSerializer(many=True, required=False, help_text="left out where storage is not shown")


class SharingIntervalsSerializer(serializers.Serializer[Any]):
    """How sure sampled shares are, in the community's currency."""

    confidence = serializers.FloatField()
    samples = serializers.IntegerField()
    mean_half_width = serializers.FloatField()
    widest_half_width = serializers.FloatField()


class SharingSerializer(serializers.Serializer[Any]):
    """How the saving is shared, and whether a group would do better alone."""

    rule = serializers.CharField()
    total_saving = serializers.FloatField()
    stable = serializers.BooleanField(allow_null=True, help_text="null: not known")
    blocking_coalitions = serializers.IntegerField(allow_null=True)
    coalitions_checked = serializers.IntegerField()
    worst_excess = serializers.FloatField(
        allow_null=True,
        help_text="the most a group would gain by leaving; below zero: what the nearest would lose",
    )
    worst_bound = serializers.FloatField(
        allow_null=True, required=False, help_text="no group gains more than this, where not all were tried"
    )
    certificate = serializers.CharField(
        help_text="enumeration, duality, rows (row generation), search (of groups that would leave) or none"
    )
    intervals = SharingIntervalsSerializer(
        allow_null=True, required=False, help_text="how sure sampled shares are; null: exact"
    )
    gini = serializers.FloatField(allow_null=True)
    least_saving = serializers.FloatField()
    most_saving = serializers.FloatField()
    losers = serializers.IntegerField()


class SimulationSerializer(serializers.ModelSerializer[Simulation]):
    """What a simulation answered, without members; rounded for all but stewards."""

    totals = serializers.SerializerMethodField()
    separate = serializers.SerializerMethodField()
    sharing = serializers.SerializerMethodField()
    more = serializers.SerializerMethodField()
    version = serializers.IntegerField(source="version.number", read_only=True)

    class Meta:
        model = Simulation
        fields = ("control", "version", "totals", "separate", "sharing", "more", "result_sha256", "created_at", "demo")
        read_only_fields = fields

    def _exact(self) -> bool:
        return bool(self.context["exact"])

    @extend_schema_field(TotalsSerializer())
    def get_totals(self, simulation: Simulation) -> Any:
        """Netted first, then summed."""
        return TotalsSerializer(public.totals(simulation.totals, exact=self._exact())).data

    @extend_schema_field(TotalsSerializer())
    def get_separate(self, simulation: Simulation) -> Any:
        """Sums over members, each alone."""
        return TotalsSerializer(public.totals(simulation.separate, exact=self._exact())).data

    @extend_schema_field(SharingSerializer())
    def get_sharing(self, simulation: Simulation) -> Any:
        """Who saves how much, without names."""
        return SharingSerializer(public.sharing(simulation.sharing, exact=self._exact())).data

    @extend_schema_field(MoreSerializer())
    def get_more(self, simulation: Simulation) -> Any:
        """Figures beside the totals."""
        shown = public.totals(simulation.more, exact=self._exact())
        if not self.context["storage"]:
            shown.pop("island", None)
        return MoreSerializer(shown).data


class VersionSerializer(serializers.ModelSerializer[CommunityVersion]):
    """The newest data of a community."""

    end = serializers.DateTimeField(read_only=True)
    load_kwh = serializers.SerializerMethodField()
    pv_kwh = serializers.SerializerMethodField()
    prosumer_ratio = serializers.SerializerMethodField()
    members = serializers.SerializerMethodField()

    class Meta:
        model = CommunityVersion
        fields = (
            "number",
            "content_sha256",
            "source",
            "currency",
            "timezone",
            "start",
            "end",
            "step_minutes",
            "steps",
            "load_kwh",
            "pv_kwh",
            "prosumer_ratio",
            "members",
            "grid_limit_kw",
            "battery_kwh",
            "battery_kw",
            "cyclic",
            "created_at",
        )
        read_only_fields = fields

    def _rounded(self, kwh: float) -> float:
        return kwh if self.context["standing"].exact else round(kwh, 1)

    def get_load_kwh(self, version: CommunityVersion) -> float | None:
        """Sum over members and period; null with too few households to show one."""
        standing: public.Standing = self.context["standing"]
        return public.used_kwh(version, exact=standing.exact) if standing.enough else None

    def get_pv_kwh(self, version: CommunityVersion) -> float:
        """Sum over members and period."""
        return self._rounded(version.pv_kwh)

    def get_prosumer_ratio(self, version: CommunityVersion) -> float | None:
        """kWh made per kWh used, metered use alone; null with too few households to show it."""
        used = self.get_load_kwh(version)
        if not used:
            return None
        ratio = version.pv_kwh / used
        return ratio if self.context["standing"].exact else round(ratio, 4)

    def get_members(self, version: CommunityVersion) -> dict[str, int]:
        """How many of each kind."""
        return queries.members_by_kind(version)


class CommunityDetailSerializer(CommunitySerializer):
    """A community with its newest data and what was simulated on them."""

    version = serializers.SerializerMethodField()
    simulations = serializers.SerializerMethodField()

    class Meta(CommunitySerializer.Meta):
        fields = (*CommunitySerializer.Meta.fields, "version", "simulations")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]

    def _standing(self, community: Community) -> public.Standing | None:
        viewer = self.context["request"].user
        version = public.version(community, viewer)
        return public.standing(version, viewer) if version else None

    @extend_schema_field(VersionSerializer(allow_null=True))
    def get_version(self, community: Community) -> Any:
        """The newest data that the caller may see sums of, or null before the first import."""
        standing = self._standing(community)
        return VersionSerializer(standing.version, context={"standing": standing}).data if standing else None

    @extend_schema_field(SimulationSerializer(many=True))
    def get_simulations(self, community: Community) -> Any:
        """The newest simulation of each control on these data; none with too few households."""
        standing = self._standing(community)
        if standing is None or not standing.enough:
            return []
        context = {"exact": standing.exact, "storage": standing.storage}
        found = [queries.latest_simulation(standing.version, control) for control in services.CONTROLS]
        return SimulationSerializer([s for s in found if s], many=True, context=context).data


class SimulateSerializer(serializers.Serializer[Any]):
    """What to simulate."""

    control = serializers.ChoiceField(choices=services.CONTROLS)
    sharing = serializers.ChoiceField(choices=services.SHARING_RULES, required=False, allow_null=True, default=None)
    strategy = serializers.ChoiceField(
        choices=services.STRATEGIES,
        required=False,
        allow_null=True,
        default=None,
        help_text="how the control rule runs batteries; self-consumption by default",
    )
    horizon_hours = serializers.FloatField(min_value=1, max_value=8784, required=False, allow_null=True, default=None)


class CommunityPages(CursorPagination):
    """By address."""

    ordering = "slug"


class CommunityList(generics.ListAPIView[Community]):
    """Communities that the caller may know of."""

    permission_classes = requires(read="energy:read", anonymous_reads=True)
    serializer_class = CommunitySerializer
    pagination_class = CommunityPages
    queryset = Community.objects.none()

    def get_queryset(self) -> QuerySet[Community]:
        """Public ones, and those of the caller's organisations."""
        return policies.visible(self.request.user).select_related("place")


class CommunityDetail(APIView):
    """One community."""

    permission_classes = requires(read="energy:read", anonymous_reads=True)

    @extend_schema(responses={200: CommunityDetailSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """Its newest data and simulations."""
        community = queries.community(slug, request.user)
        return Response(CommunityDetailSerializer(community, context={"request": request}).data)


class CommunityRuns(APIView):
    """Simulations of a community."""

    permission_classes = requires(write="energy:manage")
    serializer_class: ClassVar[type[SimulateSerializer]] = SimulateSerializer

    @extend_schema(request=SimulateSerializer, responses={202: RunSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Start a simulation of the newest data; ask at its Location for the result."""
        community = queries.community(slug, request.user)
        asked = SimulateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        run = services.ask_simulation(community=community, viewer=request.user, **asked.validated_data)
        return accepted(run, request)
