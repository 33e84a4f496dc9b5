"""Labs that are not open yet over the API: their makers say more, open them or throw them away."""

import uuid
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Scope, User
from commons.web.api import CursorPagination, requires
from labs.api.bookings import signed_in
from labs.api.catalogue import LabSerializer
from labs.errors.ties import BadDraft
from labs.models import Lab, LabDraft, Machine
from labs.queries import ties as reads
from labs.services import drafts

MANAGE = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)


class FirstMachine(serializers.Serializer[Any]):
    """The machine that a lab opens with."""

    name = serializers.CharField(max_length=120)
    model = serializers.CharField(max_length=120, required=False, allow_blank=True)
    rated_w = serializers.IntegerField(min_value=1, max_value=drafts.MOST_W, required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`class` is a word of Python, so the field is named here."""
        return {**super().get_fields(), "class": serializers.ChoiceField(source="cls", choices=Machine.Kind.choices)}


class DraftFacts(serializers.Serializer[Any]):
    """What a lab will be. `handle` is its address here where no `organisation` of the caller's runs it;
    `opening_hours` as a lab has them, empty for any hour."""

    name = serializers.CharField(max_length=120)
    handle = serializers.CharField(max_length=39, required=False)
    organisation = serializers.CharField(max_length=39, required=False, allow_blank=True)
    about = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    address = serializers.CharField(max_length=200, required=False, allow_blank=True)
    place = serializers.CharField(max_length=60, required=False, allow_blank=True)
    lat = serializers.FloatField(required=False, allow_null=True)
    lon = serializers.FloatField(required=False, allow_null=True)
    access = serializers.ChoiceField(choices=Lab.Access.choices, required=False)
    email = serializers.EmailField(required=False, allow_blank=True)
    opening_hours = serializers.DictField(required=False)
    machine = FirstMachine(required=False, allow_null=True)


class DraftSerializer(serializers.ModelSerializer[LabDraft]):
    """A draft: its facts, its makers, and what it still lacks before it can open, in words."""

    facts = DraftFacts(read_only=True)
    owner: "serializers.SlugRelatedField[Any]" = serializers.SlugRelatedField(slug_field="username", read_only=True)
    makers: "serializers.Field[Any, Any, Any, Any]" = serializers.SlugRelatedField(
        slug_field="username", many=True, read_only=True
    )
    missing = serializers.SerializerMethodField()

    class Meta:
        model = LabDraft
        fields = ("id", "facts", "owner", "makers", "missing", "created_at", "changed_at")
        read_only_fields = fields

    def get_missing(self, draft: LabDraft) -> list[str]:
        """What it lacks."""
        return drafts.missing(draft.facts)


class NewMaker(serializers.Serializer[Any]):
    """Somebody who makes it too, by account name."""

    person = serializers.CharField(max_length=40)


class Newest(CursorPagination):
    """The newest first."""

    ordering = "-created_at"


class LabDrafts(generics.ListAPIView[LabDraft]):
    """One's drafts."""

    permission_classes = MANAGE
    serializer_class = DraftSerializer
    pagination_class = Newest
    queryset = LabDraft.objects.none()

    def get_queryset(self) -> Any:
        return reads.drafts_of(signed_in(self.request)).select_related("owner").prefetch_related("makers")

    @extend_schema(request=DraftFacts, responses={201: DraftSerializer})
    def post(self, request: Request) -> Response:
        """Begin one."""
        form = DraftFacts(data=request.data)
        form.is_valid(raise_exception=True)
        made = drafts.start(by=signed_in(request), facts=form.validated_data)
        return Response(DraftSerializer(made).data, status=201)


class OneDraft(APIView):
    """A draft."""

    permission_classes = MANAGE

    @extend_schema(responses=DraftSerializer)
    def get(self, request: Request, draft: uuid.UUID) -> Response:
        """For its makers."""
        return Response(DraftSerializer(reads.find_draft(draft, signed_in(request))).data)

    @extend_schema(request=DraftFacts(partial=True), responses=DraftSerializer)
    def patch(self, request: Request, draft: uuid.UUID) -> Response:
        """Say more, or something else."""
        found, by = reads.find_draft(draft, signed_in(request)), signed_in(request)
        form = DraftFacts(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        return Response(DraftSerializer(drafts.change(draft=found, by=by, facts=form.validated_data)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, draft: uuid.UUID) -> Response:
        """Throw it away."""
        drafts.discard(draft=reads.find_draft(draft, signed_in(request)))
        return Response(status=204)


class DraftMakers(APIView):
    """Who makes a draft."""

    permission_classes = MANAGE

    @extend_schema(request=NewMaker, responses=DraftSerializer)
    def post(self, request: Request, draft: uuid.UUID) -> Response:
        """Let somebody make it too; they will manage the lab."""
        found = reads.find_draft(draft, signed_in(request))
        form = NewMaker(data=request.data)
        form.is_valid(raise_exception=True)
        name = form.validated_data["person"].strip().lower()
        other = User.objects.filter(username=name, is_active=True).first()
        if other is None:
            raise BadDraft(_("There is no account “%(name)s”.") % {"name": name})
        return Response(DraftSerializer(drafts.share(draft=found, person=other)).data)


class OpenDraft(APIView):
    """Opening a lab."""

    permission_classes = MANAGE

    @extend_schema(request=None, responses={201: LabSerializer})
    def post(self, request: Request, draft: uuid.UUID) -> Response:
        """The lab, with its organisation, first machine and roles; 422 `labs:bad-draft` says what is missing."""
        by = signed_in(request)
        lab = drafts.publish(draft=reads.find_draft(draft, by), by=by)
        return Response(LabSerializer(lab, context={"request": request}).data, status=201)
