"""The API of tariffs, rules and statements. Money and energies are decimals in text."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.web.api import CursorPagination, requires
from energy import policies, queries
from energy.errors import StatementNotFound
from energy.models import SchemeVersion, Settlement, Statement, TariffVersion
from energy.queries import statements as reads


class TariffVersionSerializer(serializers.ModelSerializer[TariffVersion]):
    """A version of a tariff; prices for a kWh, without tax."""

    tariff = serializers.CharField(source="tariff.name", read_only=True)
    currency = serializers.CharField(source="tariff.currency", read_only=True)
    usual = serializers.BooleanField(source="tariff.usual", read_only=True)
    price_list = serializers.CharField(source="price_list.name", read_only=True, allow_null=True, default=None)

    class Meta:
        model = TariffVersion
        fields = (
            "tariff", "currency", "usual", "number", "valid_from", "decided_by", "decided_url", "energy_price",
            "price_list", "markup", "grid_fee", "levies", "base_fee", "tax_pct", "feed_in_price", "feed_in_listed",
            "feed_in_less",
        )  # fmt: skip
        read_only_fields = fields


class SchemeVersionSerializer(serializers.ModelSerializer[SchemeVersion]):
    """A version of the rules of sharing; shares by name are not public."""

    class Meta:
        model = SchemeVersion
        fields = (
            "number", "valid_from", "decided_by", "decided_url", "law", "key", "again", "price", "grid_fee_relief_pct",
            "levies_relief_pct", "taxed",
        )  # fmt: skip
        read_only_fields = fields


class TermsSerializer(serializers.Serializer[Any]):
    """All versions, newest first."""

    tariffs = TariffVersionSerializer(many=True)
    rules = SchemeVersionSerializer(many=True)


class StatementSerializer(serializers.ModelSerializer[Statement]):
    """A statement without its lines."""

    participant = serializers.CharField(source="participant.name", read_only=True)
    corrects = serializers.IntegerField(source="corrects.number", read_only=True, allow_null=True, default=None)

    class Meta:
        model = Statement
        fields = (
            "number", "participant", "first_day", "last_day", "final", "corrects", "currency", "use_kwh",
            "received_kwh", "feed_in_kwh", "given_kwh", "missing_steps", "net", "gross", "alone", "issued_at",
        )  # fmt: skip
        read_only_fields = fields


class StatementLineSerializer(serializers.Serializer[Any]):
    """A line: `exact` as reckoned, `amount` in cents, without tax."""

    code = serializers.CharField()
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    kwh = serializers.CharField()
    days = serializers.IntegerField(allow_null=True)
    rate = serializers.CharField(allow_null=True, help_text="null: changes by the step")
    tax_pct = serializers.CharField()
    exact = serializers.CharField()
    amount = serializers.CharField()


class StatementTaxSerializer(serializers.Serializer[Any]):
    """Tax of one rate."""

    rate_pct = serializers.CharField()
    amount = serializers.CharField()


class StatementDetailSerializer(StatementSerializer):
    """A statement with its lines."""

    lines = StatementLineSerializer(many=True, read_only=True)
    taxes = StatementTaxSerializer(many=True, read_only=True)
    steps = serializers.IntegerField(read_only=True)
    inputs_sha256 = serializers.CharField(read_only=True)

    class Meta(StatementSerializer.Meta):
        fields = (*StatementSerializer.Meta.fields, "steps", "lines", "taxes", "inputs_sha256")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class SettlementSerializer(serializers.ModelSerializer[Settlement]):
    """The sums of a period, without names."""

    class Meta:
        model = Settlement
        fields = (
            "number", "first_day", "until", "currency", "step_minutes", "steps", "missing_steps", "sums",
            "inputs_sha256", "engine_version", "made_at",
        )  # fmt: skip
        read_only_fields = fields


class CommunityTerms(APIView):
    """Tariffs and rules of a community."""

    permission_classes = requires(read="energy:read", anonymous_reads=True)

    @extend_schema(responses={200: TermsSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """All versions of its tariffs and of its rules, newest first."""
        community = queries.community(slug, request.user)
        tariffs = TariffVersion.objects.filter(tariff__community=community).select_related("tariff", "price_list")
        rules = SchemeVersion.objects.filter(scheme__community=community)
        return Response(TermsSerializer({"tariffs": tariffs, "rules": rules}).data)


class StatementPages(CursorPagination):
    """The newest first."""

    ordering = "-number"


class CommunityStatements(generics.ListAPIView[Statement]):
    """The caller's own statements."""

    permission_classes = requires(read="energy:read")
    serializer_class = StatementSerializer
    pagination_class = StatementPages
    queryset = Statement.objects.none()

    def get_queryset(self) -> Any:
        """Of participants for whom the caller speaks, or who let the caller see."""
        if getattr(self, "swagger_fake_view", False):
            return Statement.objects.none()
        community = queries.community(self.kwargs["slug"], self.request.user)
        people = policies.own_participants(self.request.user, community)
        return Statement.objects.filter(participant__in=people).select_related("participant", "corrects")


class CommunityStatement(APIView):
    """One statement."""

    permission_classes = requires(read="energy:read")

    @extend_schema(responses={200: StatementDetailSerializer})
    def get(self, request: Request, slug: str, number: int) -> Response:
        """A statement with its lines."""
        community = queries.community(slug, request.user)
        return Response(reads.document(reads.statement(community, number, request.user)))


class CommunitySettlements(generics.ListAPIView[Settlement]):
    """The sums of a community's months, for its stewards."""

    permission_classes = requires(read="energy:read")
    serializer_class = SettlementSerializer
    pagination_class = StatementPages
    queryset = Settlement.objects.none()

    def get_queryset(self) -> Any:
        """Newest first. Raises StatementNotFound for who is no steward."""
        if getattr(self, "swagger_fake_view", False):
            return Settlement.objects.none()
        community = queries.community(self.kwargs["slug"], self.request.user)
        if not policies.is_steward(self.request.user, community):
            raise StatementNotFound(_("There are no bills here, or they are not yours to see."))
        return Settlement.objects.filter(community=community)
