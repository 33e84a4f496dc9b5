"""Versions over the API: as of a date, what differs, undoing."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import BadInput, NotAllowed
from commons.people.models import User
from commons.web.api import CursorPagination, requires
from twin import queries, services
from twin.api.districts import DistrictVersionSerializer, moment
from twin.engine.model import LAYERS
from twin.models import District, DistrictVersion

OPEN = requires(read="twin:read", write="twin:write", anonymous_reads=True)
MOST = 1000


class HowVersionSerializer(DistrictVersionSerializer):
    """One version of a district, and how it came about."""

    class Meta(DistrictVersionSerializer.Meta):
        fields: tuple[str, ...] = (*DistrictVersionSerializer.Meta.fields, "how", "note", "restores", "remarks")


class VersionPageSerializer(serializers.Serializer[dict[str, Any]]):
    """A page of versions, newest first."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = HowVersionSerializer(many=True)


class DiffCountsSerializer(serializers.Serializer[dict[str, Any]]):
    """How many things of a layer began, ended and changed."""

    began = serializers.IntegerField()
    ended = serializers.IntegerField()
    changed = serializers.IntegerField()


class DifferenceSerializer(serializers.Serializer[dict[str, Any]]):
    """One property that differs."""

    name = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class ChangedSerializer(serializers.Serializer[dict[str, Any]]):
    """A thing that changed."""

    key = serializers.CharField()
    differs = DifferenceSerializer(many=True)


class LayerDiffSerializer(serializers.Serializer[dict[str, Any]]):
    """What differs in a layer: at most 1000 of each, the counts are whole."""

    layer = serializers.CharField()
    counts = DiffCountsSerializer()
    began = serializers.ListField(child=serializers.CharField())
    ended = serializers.ListField(child=serializers.CharField())
    changed = ChangedSerializer(many=True)


class DiffSerializer(serializers.Serializer[dict[str, Any]]):
    """What differs between two versions; `before` 0 is the empty district."""

    before = serializers.IntegerField()
    after = serializers.IntegerField()
    layers = LayerDiffSerializer(many=True)


class UndoSerializer(serializers.Serializer[dict[str, Any]]):
    """Which version to bring back, and why."""

    version = serializers.IntegerField(min_value=1)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


def caller(request: Request) -> User:
    """Who calls, a person. Raises NotAllowed for devices."""
    if not isinstance(request.user, User):
        raise NotAllowed(_("Only people do this."))
    return request.user


class NewestNumber(CursorPagination):
    """Highest number first."""

    ordering = "-number"


class Versions(APIView):
    """The versions of a district."""

    permission_classes = OPEN

    @extend_schema(
        operation_id="districts_versions_list",
        parameters=[
            OpenApiParameter("at", str, description="Only the version that stood on this day or at this moment."),
            OpenApiParameter("cursor", str),
            OpenApiParameter("limit", int),
        ],
        responses=VersionPageSerializer,
    )
    def get(self, request: Request, slug: str) -> Response:
        """Newest first; with `at` the one that stood then."""
        found = queries.district(slug)
        if at := request.query_params.get("at"):
            one = queries.versions.version_at(found, moment(at))
            return Response({"next": None, "previous": None, "results": [HowVersionSerializer(one).data]})
        pages = NewestNumber()
        page = pages.paginate_queryset(queries.versions.versions(found), request, view=self) or []
        return pages.get_paginated_response(HowVersionSerializer(page, many=True).data)


class OneVersion(APIView):
    """A version."""

    permission_classes = OPEN

    @extend_schema(operation_id="districts_versions_retrieve", responses=HowVersionSerializer)
    def get(self, request: Request, slug: str, number: int) -> Response:
        """What it was made of and what it changed."""
        return Response(HowVersionSerializer(queries.version(queries.district(slug), number)).data)


class Difference(APIView):
    """What differs between two versions."""

    permission_classes = OPEN

    @extend_schema(
        operation_id="districts_diff_retrieve",
        parameters=[
            OpenApiParameter("from", int, description="The earlier version; 0 is the empty district. The one before."),
            OpenApiParameter("to", int, description="The later version; the current one without it."),
            OpenApiParameter("layer", str, enum=list(LAYERS), description="Only this layer."),
        ],
        responses=DiffSerializer,
    )
    def get(self, request: Request, slug: str) -> Response:
        """Keys of what began and ended, and each property that changed."""
        found = queries.district(slug)
        after = queries.version(found, _asked(request, "to")).number
        asked = _asked(request, "from")
        before = after - 1 if asked is None else asked
        if before:
            queries.version(found, before)
        if before > after:
            before, after = after, before
        only = request.query_params.get("layer")
        names = [queries.versions.layer_named(only)] if only else LAYERS
        differs = queries.versions.diff(found, before, after)
        layers = [_layer(name, differs[name]) for name in names]
        return Response({"before": before, "after": after, "layers": layers})


def _layer(name: Any, one: queries.versions.LayerDiff) -> dict[str, Any]:
    pairs = list(one.changed.items())[:MOST]
    rows = queries.versions.rows_of(name, [number for _key, pair in pairs for number in pair])
    changed = [
        {
            "key": key,
            "differs": [
                {"name": each.name, "before": each.before, "after": each.after}
                for each in queries.versions.differences(rows[old], rows[new])
            ],
        }
        for key, (old, new) in pairs
    ]
    began, ended = list(one.began)[:MOST], list(one.ended)[:MOST]
    return {"layer": name, "counts": one.counts, "began": began, "ended": ended, "changed": changed}


def _asked(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput(_("“%(text)s” is not the number of a version.") % {"text": text[:20]}, where=name)
    return int(text)


class Undo(APIView):
    """Undoing, for stewards."""

    permission_classes = requires(write="twin:write")

    @extend_schema(operation_id="districts_undo", request=UndoSerializer, responses={201: HowVersionSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Bring a version back as a new one; nothing is erased."""
        found: District = queries.district(slug)
        sent = UndoSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        given = sent.validated_data
        made: DistrictVersion = services.restore(
            district=found, number=given["version"], by=caller(request), note=given["note"]
        )
        return Response(HowVersionSerializer(made).data, status=201)
