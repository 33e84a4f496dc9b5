"""The API of the twin: districts, their layers and access, and the coverage of a place. Readable without a
token.
"""

import datetime as dt
from typing import Any, cast

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import BadInput, NotFound
from commons.places.models import Place
from commons.web.api import requires
from twin import layers, queries
from twin.coverage.cells import breadth, cells, collected, depth
from twin.coverage.figure import places_under
from twin.coverage.systems import SYSTEMS
from twin.engine.model import LAYERS, Layer
from twin.models import Access, District, DistrictVersion

READ = requires(anonymous_reads=True)
VERSION = OpenApiParameter("version", int, description="As of this version; the current one without it.")
AT = OpenApiParameter("at", str, description="As of this day or moment, such as 2026-11-23.")


def moment(text: str) -> dt.datetime:
    """A day (its end) or a moment of ISO 8601. Raises BadInput."""
    try:
        found = parse_datetime(text)
        day = None if found else parse_date(text)
    except ValueError:
        found = day = None
    if found is None and day is not None:
        found = dt.datetime.combine(day, dt.time.max)
    if found is None:
        raise BadInput(_("“%(text)s” is no day and no moment, such as 2026-11-23.") % {"text": text[:40]}, where="at")
    return found if timezone.is_aware(found) else timezone.make_aware(found)


class SkippedSerializer(serializers.Serializer[dict[str, Any]]):
    """What an import left out."""

    what = serializers.CharField()
    why = serializers.CharField()
    count = serializers.IntegerField()


class DistrictVersionSerializer(serializers.ModelSerializer[DistrictVersion]):
    """One import of a district."""

    skipped = serializers.SerializerMethodField()

    class Meta:
        model = DistrictVersion
        fields: tuple[str, ...] = (
            "number",
            "created_at",
            "sources",
            "licence",
            "attribution",
            "dated_at",
            "date_stated",
            "epsg",
            "bounds",
            "counts",
            "changes",
            "skipped",
            "engine_version",
        )

    @extend_schema_field(SkippedSerializer(many=True))
    def get_skipped(self, version: DistrictVersion) -> list[dict[str, Any]]:
        return queries.skipped_in_words(version)


class DistrictSerializer(serializers.ModelSerializer[District]):
    """A district with its current version."""

    place = serializers.SlugRelatedField[Place](slug_field="slug", read_only=True)
    version = DistrictVersionSerializer(source="current", read_only=True)
    layers = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = District
        fields: tuple[str, ...] = ("slug", "name", "place", "demo", "created_at", "url", "layers", "version")

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string", "format": "uri-reference"}})
    def get_layers(self, district: District) -> dict[str, str]:
        return {layer: reverse("api:district-layer", args=[district.slug, layer]) for layer in LAYERS}

    def get_url(self, district: District) -> str:
        return reverse("rooms:district", args=[district.slug])


class DistrictDetailSerializer(DistrictSerializer):
    """A district with its versions, newest first."""

    versions = serializers.SerializerMethodField()

    class Meta(DistrictSerializer.Meta):
        fields = (*DistrictSerializer.Meta.fields, "versions")

    @extend_schema_field({"type": "array", "items": {"type": "integer"}})
    def get_versions(self, district: District) -> list[int]:
        return list(district.versions.order_by("-number").values_list("number", flat=True))


class ReachSerializer(serializers.Serializer[dict[str, Any]]):
    """Minutes to the nearest service of a kind over all buildings; shares 0..1."""

    services = serializers.IntegerField()
    median_min = serializers.FloatField()
    max_min = serializers.FloatField()
    share_5 = serializers.FloatField()
    share_10 = serializers.FloatField()
    share_15 = serializers.FloatField()


class AccessSerializer(serializers.ModelSerializer[Access]):
    """Access of a version."""

    version = serializers.IntegerField(source="version.number")
    kinds = serializers.DictField(source="summary", child=ReachSerializer())

    class Meta:
        model = Access
        fields = (
            "version",
            "engine_version",
            "kinds",
            "all_within_15",
            "walk_nodes",
            "walk_edges",
            "walk_kept_share",
        )


class EvidenceSerializer(serializers.Serializer[dict[str, Any]]):
    """One piece of evidence and the level that it gives now."""

    level = serializers.IntegerField()
    claimed_level = serializers.IntegerField()
    what = serializers.CharField()
    count = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of the answer, not of the class
    as_of = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField()


class CellSerializer(serializers.Serializer[dict[str, Any]]):
    """One of the 16 systems."""

    system = serializers.CharField()
    title = serializers.CharField()
    level = serializers.IntegerField()
    evidence = EvidenceSerializer(many=True)


class CoverageSerializer(serializers.Serializer[dict[str, Any]]):
    """Coverage of one neighbourhood: breadth of 16, depth 0..1, and the cells."""

    place = serializers.CharField()
    breadth = serializers.IntegerField()
    of = serializers.IntegerField()
    depth = serializers.FloatField()
    systems = CellSerializer(many=True)


class DistrictList(generics.ListAPIView[District]):
    """Districts that hold something."""

    permission_classes = READ
    serializer_class = DistrictSerializer
    filter_backends = ()

    def get_queryset(self) -> Any:
        return queries.districts()


class DistrictDetail(APIView):
    """One district."""

    permission_classes = READ

    @extend_schema(responses=DistrictDetailSerializer, operation_id="districts_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        return Response(DistrictDetailSerializer(queries.district(slug)).data)


class DistrictLayer(APIView):
    """A layer as GeoJSON: buildings (height, use, minutes to each kind), streets, services, areas or people."""

    permission_classes = READ

    @extend_schema(
        parameters=[
            VERSION,
            AT,
            OpenApiParameter("kind", str, description="Only these kinds, parted by commas."),
            OpenApiParameter("fields", str, enum=["map"], description="`map`: only what the map reads."),
        ],
        responses={(200, "application/geo+json"): OpenApiTypes.OBJECT, 304: None},
        operation_id="districts_layers_retrieve",
    )
    def get(self, request: Request, slug: str, layer: str) -> HttpResponse:
        of = _version(request, slug)
        wish = _wish(request)
        tag = f'"{layers.etag(layer, of, wish)}"'
        if tag in request.headers.get("If-None-Match", ""):
            response = HttpResponse(status=304)
        else:
            response = geojson(
                layers.gzipped(cast("Layer", layer), of, wish), request.headers.get("Accept-Encoding", "")
            )
        response["ETag"] = tag
        response["Vary"] = "Accept-Encoding"
        response["Cache-Control"] = "public, max-age=60, stale-while-revalidate=3600"
        return response


def geojson(body: bytes, accepted: str) -> HttpResponse:
    """The bytes as they were kept, or unpacked for who cannot unpack."""
    if "gzip" in accepted:
        return HttpResponse(body, content_type="application/geo+json", headers={"Content-Encoding": "gzip"})
    return HttpResponse(layers.unpacked(body), content_type="application/geo+json")


def _wish(request: Request) -> layers.Wish:
    """Which part of the layer is asked for; at most 22 kinds, in a settled order, so that the cache stays
    small.
    """
    kinds = sorted({kind for kind in request.query_params.get("kind", "").split(",") if kind})
    return layers.Wish(kinds=tuple(kinds[:22]), slim=request.query_params.get("fields") == "map")


def _version(request: Request, slug: str) -> DistrictVersion:
    """The version that is asked for by number or by date."""
    found, number, at = queries.district(slug), asked_number(request), request.query_params.get("at")
    return queries.versions.version_at(found, moment(at)) if number is None and at else queries.version(found, number)


def asked_number(request: Request) -> int | None:
    """The version that is asked for."""
    text = request.query_params.get("version")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadInput(_("“%(text)s” is not the number of a version.") % {"text": text})
    return int(text)


class DistrictAccess(APIView):
    """Minutes on foot from the buildings to each kind of service."""

    permission_classes = READ

    @extend_schema(parameters=[VERSION, AT], responses=AccessSerializer, operation_id="districts_access_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        kept = queries.access(_version(request, slug))
        if kept is None:
            raise NotFound(_("Access was not reckoned for this version."))
        return Response(AccessSerializer(kept).data)


class PlaceCoverage(APIView):
    """How much of a place is modelled: the 16 systems of each neighbourhood with their evidence."""

    permission_classes = READ

    @extend_schema(responses=CoverageSerializer(many=True), operation_id="places_coverage_list")
    def get(self, request: Request, slug: str) -> Response:
        place = Place.objects.select_related("parent").filter(slug=slug).first()
        if place is None:
            raise NotFound(_("There is no place “%(slug)s”.") % {"slug": slug})
        return Response([CoverageSerializer(_coverage(part)).data for part in places_under(place)])


def _coverage(place: Place) -> dict[str, Any]:
    found = cells(collected(place), timezone.now())
    return {
        "place": place.slug,
        "breadth": breadth(found),
        "of": len(SYSTEMS),
        "depth": depth(found),
        "systems": [
            {
                "system": cell.system.slug,
                "title": str(cell.system.title),
                "level": cell.level,
                "evidence": [
                    {
                        "level": level,
                        "claimed_level": piece.level,
                        "what": str(piece.what),
                        "count": piece.count,
                        "source": piece.source,
                        "as_of": piece.as_of,
                        "url": piece.url,
                    }
                    for piece, level in cell.evidence
                ],
            }
            for cell in found
        ],
    }
