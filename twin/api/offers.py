"""Corrections over the API: offered, decided; and where an import contests one."""

from typing import Any, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.web.api import CursorPagination, requires
from twin import queries, services
from twin.api.versions import caller
from twin.engine.model import LAYERS, Layer
from twin.errors import NotASteward
from twin.models import Conflict, Offer
from twin.policies import may_decide

OWN = requires(read="twin:read", write="twin:write")
PAGED = [OpenApiParameter("cursor", str), OpenApiParameter("limit", int)]


class OfferSerializer(serializers.ModelSerializer[Offer]):
    """A correction that somebody offered; `changes` and `before` by property."""

    author = serializers.CharField(source="author.username", default=None, read_only=True)

    class Meta:
        model = Offer
        fields = (
            "id",
            "layer",
            "key",
            "title",
            "action",
            "changes",
            "before",
            "geometry",
            "reason",
            "state",
            "answer",
            "author",
            "version",
            "created_at",
            "decided_at",
        )
        read_only_fields = fields


class OfferInSerializer(serializers.Serializer[dict[str, Any]]):
    """A correction: other properties of a thing, a thing that is gone, or a new service at a point."""

    layer = serializers.ChoiceField(choices=[layer for layer in LAYERS if layer != "people"])
    action = serializers.ChoiceField(choices=Offer.Action.choices, default=Offer.Action.CHANGE)
    key = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    changes = serializers.DictField(required=False, default=dict)
    at = serializers.ListField(
        child=serializers.FloatField(), min_length=2, max_length=2, required=False, help_text="longitude, latitude"
    )
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class OfferPageSerializer(serializers.Serializer[dict[str, Any]]):
    """A page of corrections, newest first."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = OfferSerializer(many=True)


class DecisionSerializer(serializers.Serializer[dict[str, Any]]):
    """What becomes of a correction; a refusal says why."""

    do = serializers.ChoiceField(choices=["accept", "refuse", "withdraw"])
    answer = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class ConflictSerializer(serializers.ModelSerializer[Conflict]):
    """Where an import contests a correction: `ours` stands until it is decided."""

    layer = serializers.CharField(source="correction.layer", read_only=True)
    key = serializers.CharField(source="correction.key", read_only=True)
    name = serializers.CharField(source="correction.name", read_only=True)
    ours = serializers.JSONField(source="correction.value", read_only=True)

    class Meta:
        model = Conflict
        fields = ("id", "version", "why", "layer", "key", "name", "ours", "theirs", "decision", "created_at")
        read_only_fields = fields


class ConflictPageSerializer(serializers.Serializer[dict[str, Any]]):
    """A page of conflicts, newest first."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ConflictSerializer(many=True)


class ConflictDecisionSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether the correction stays or the import is taken."""

    do = serializers.ChoiceField(choices=["keep", "take"])


class Offers(APIView):
    """Corrections of a district: all for stewards, else one's own; a new one."""

    permission_classes = OWN

    @extend_schema(
        operation_id="districts_corrections_list",
        parameters=[OpenApiParameter("state", str, enum=Offer.State.values), *PAGED],
        responses=OfferPageSerializer,
    )
    def get(self, request: Request, slug: str) -> Response:
        """Newest first."""
        found = queries.offers.offers(queries.district(slug), caller(request), request.query_params.get("state", ""))
        pages = CursorPagination()
        page = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response(OfferSerializer(page, many=True).data)

    @extend_schema(
        operation_id="districts_corrections_create", request=OfferInSerializer, responses={201: OfferSerializer}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Offer one; nothing changes until a steward accepts it."""
        found = queries.district(slug)
        sent = OfferInSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        given = dict(sent.validated_data)
        at = given.pop("at", None)
        made = services.offer(
            district=found,
            by=caller(request),
            layer=cast("Layer", given.pop("layer")),
            at=(at[0], at[1]) if at else None,
            **given,
        )
        return Response(OfferSerializer(made).data, status=201)


class OneOffer(APIView):
    """A correction."""

    permission_classes = OWN

    @extend_schema(operation_id="districts_corrections_retrieve", responses=OfferSerializer)
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """One's own, or any for stewards."""
        return Response(OfferSerializer(queries.offers.offer(queries.district(slug), caller(request), pk)).data)


class OfferDecision(APIView):
    """Deciding on a correction."""

    permission_classes = requires(write="twin:write")

    @extend_schema(operation_id="districts_corrections_decide", request=DecisionSerializer, responses=OfferSerializer)
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Stewards accept or refuse; its author takes it back."""
        person = caller(request)
        mine = queries.offers.offer(queries.district(slug), person, pk)
        sent = DecisionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        given = sent.validated_data
        if given["do"] == "accept":
            services.accept(offer=mine, by=person, answer=given["answer"])
        elif given["do"] == "refuse":
            services.refuse(offer=mine, by=person, answer=given["answer"])
        else:
            services.withdraw(offer=mine, by=person)
        mine.refresh_from_db()
        return Response(OfferSerializer(mine).data)


class Conflicts(APIView):
    """Where imports contest corrections, for stewards."""

    permission_classes = OWN

    @extend_schema(operation_id="districts_conflicts_list", parameters=PAGED, responses=ConflictPageSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Those that wait for a decision, newest first."""
        found = queries.district(slug)
        _steward(request)
        pages = CursorPagination()
        page = pages.paginate_queryset(queries.offers.conflicts(found), request, view=self) or []
        return pages.get_paginated_response(ConflictSerializer(page, many=True).data)


class OneConflict(APIView):
    """Deciding a conflict."""

    permission_classes = requires(write="twin:write")

    @extend_schema(
        operation_id="districts_conflicts_decide", request=ConflictDecisionSerializer, responses=ConflictSerializer
    )
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Keep the correction, or take the import's word as a new version."""
        found = queries.district(slug)
        _steward(request)
        sent = ConflictDecisionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        mine = services.decide(
            conflict=queries.offers.conflict(found, pk), take=sent.validated_data["do"] == "take", by=caller(request)
        )
        return Response(ConflictSerializer(mine).data)


def _steward(request: Request) -> None:
    if not may_decide(caller(request)):
        raise NotASteward(_("Only stewards of the city decide between an import and a correction."))
