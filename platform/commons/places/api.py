"""The API of places and their headline figures; readable without a token."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.places import queries
from commons.places.models import Place
from commons.web.api import CursorPagination, requires


class PlaceSerializer(serializers.ModelSerializer[Place]):
    """A city or a neighbourhood."""

    city = serializers.SlugRelatedField(
        slug_field="slug",
        source="parent",
        read_only=True,
        allow_null=True,
        help_text="a neighbourhood's city",
    )  # type: ignore[var-annotated]

    class Meta:
        model = Place
        fields = ("slug", "name", "kind", "city", "timezone", "country", "demo")
        read_only_fields = fields


class PlaceDetailSerializer(PlaceSerializer):
    """A place with its outline (GeoJSON, WGS 84)."""

    outline = serializers.JSONField(read_only=True, allow_null=True)

    class Meta(PlaceSerializer.Meta):
        fields = (*PlaceSerializer.Meta.fields, "outline")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class PeriodSerializer(serializers.Serializer[Any]):
    """From, inclusive, until, exclusive."""

    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)


class FigureSerializer(serializers.Serializer[Any]):
    """A headline figure with all that it is made of."""

    slug = serializers.CharField()
    title = serializers.CharField()
    style = serializers.CharField(help_text="ratio, or percent of a value 0..1")  # type: ignore[assignment]
    value = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True, help_text="the upper bound, where value is a lower bound")
    unit = serializers.CharField(help_text="of the numerator and the denominator")
    numerator = serializers.FloatField(allow_null=True)
    denominator = serializers.FloatField(allow_null=True)
    period = PeriodSerializer()
    completeness = serializers.FloatField(allow_null=True, help_text="share of the period and members with data, 0..1")
    estimated = serializers.BooleanField()
    demo = serializers.BooleanField()
    goal = serializers.FloatField()
    sentence = serializers.CharField()
    definition = serializers.CharField()
    version = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField())
    url = serializers.CharField()


class MetricsSerializer(serializers.Serializer[Any]):
    """The headline figures of a place, by slug."""

    place = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Place.Kind.choices)
    at = serializers.DateTimeField()
    demo = serializers.BooleanField()
    figures = serializers.DictField(child=FigureSerializer())


class PlacePages(CursorPagination):
    """By name of address."""

    ordering = "slug"


class PlaceList(generics.ListAPIView[Place]):
    """All places."""

    permission_classes = requires(anonymous_reads=True)
    serializer_class = PlaceSerializer
    pagination_class = PlacePages
    queryset = Place.objects.select_related("parent")


class PlaceDetail(APIView):
    """One place with its outline."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(responses={200: PlaceDetailSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """What it is and where."""
        return Response(PlaceDetailSerializer(queries.place(slug)).data)


class PlaceMetrics(APIView):
    """The headline figures of a place."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(responses={200: MetricsSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """Each with numerator, denominator, period and how complete the data are."""
        return Response(MetricsSerializer(queries.metrics_document(queries.place(slug))).data)
