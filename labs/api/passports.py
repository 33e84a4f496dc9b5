"""Passports over the API: read by everybody, signed, in INTERFACER's fields; added to by holders, brought by labs."""

import uuid
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import NotAllowed
from commons.people.models import Scope
from commons.web.api import requires
from labs import policies
from labs.api.bookings import signed_in
from labs.api.common import caller
from labs.errors.passports import NotSignedYet
from labs.passports import fields
from labs.queries import catalogue, passports
from labs.services import passports as services

WRITES = requires(read=Scope.BOOKINGS_READ, write=Scope.BOOKINGS_WRITE, anonymous_reads=True)


class LeftSerializer(serializers.Serializer[Any]):
    """A part that was not taken, and why."""

    path = serializers.CharField(allow_blank=True)
    why = serializers.CharField()


class BroughtSerializer(serializers.Serializer[Any]):
    """What came of a document: the passport (null on a dry run), what was taken, what was left."""

    passport = serializers.UUIDField(allow_null=True)
    url = serializers.CharField(allow_null=True)
    taken = serializers.JSONField()
    left = LeftSerializer(many=True)


class HappenedSerializer(serializers.Serializer[Any]):
    """What happened to a thing, in INTERFACER's fields. `code` stands on its label."""

    kind = serializers.ChoiceField(choices=[(kind, kind) for kind in services.HAPPENED])
    reasonForRepair = serializers.CharField(required=False, allow_blank=True, max_length=600)  # noqa: N815 INTERFACER's name
    performedAction = serializers.CharField(max_length=600)  # noqa: N815 INTERFACER's name
    materialsUsed = serializers.CharField(required=False, allow_blank=True, max_length=600)  # noqa: N815 INTERFACER's name
    dateOfRepair = serializers.DateField(required=False)  # noqa: N815 INTERFACER's name
    dateOfRefurbishment = serializers.DateField(required=False)  # noqa: N815 INTERFACER's name
    dateOfRecycling = serializers.DateField(required=False)  # noqa: N815 INTERFACER's name
    code = serializers.CharField(required=False, allow_blank=True, max_length=16)


class PassportEntrySerializer(serializers.Serializer[Any]):
    """An entry of a passport."""

    number = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()


class OnePassport(APIView):
    """A passport."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(operation_id="passport", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, passport: uuid.UUID) -> Response:
        """What it says to everybody now: INTERFACER's fields, and ours for design, make, energy and history."""
        return Response(passports.told(passports.find(passport)))


class Signed(APIView):
    """A passport, signed."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(operation_id="passport_credential", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, passport: uuid.UUID) -> Response:
        """A verifiable credential (JSON-LD, eddsa-rdfc-2022) with the lab's key. Refused while it is being signed."""
        found = passports.signed(passports.find(passport))
        if found is None:
            raise NotSignedYet(_("What it says has just changed; ask again in a minute."))
        return Response(found.document, content_type="application/vc+ld+json")


class Interfacer(APIView):
    """A passport as INTERFACER writes one."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(operation_id="passport_interfacer", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, passport: uuid.UUID) -> Response:
        """Their fields alone, as their form and their service read them."""
        return Response(fields.written(passports.told(passports.find(passport))))


class PassportEntries(APIView):
    """What happened to a thing."""

    permission_classes = WRITES

    @extend_schema(request=HappenedSerializer, responses={201: PassportEntrySerializer})
    def post(self, request: Request, passport: uuid.UUID) -> Response:
        """Write down a repair, a refurbishment or the thing's end: for whose it is, the lab, and who has its code."""
        found, form = passports.find(passport), HappenedSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        facts = {name: str(value) for name, value in form.validated_data.items() if name not in {"kind", "code"}}
        made = services.happened(
            passport=found, kind=form.validated_data["kind"], facts=facts, by=signed_in(request),
            code=form.validated_data.get("code", ""),
        )  # fmt: skip
        return Response(PassportEntrySerializer(made).data, status=201)


class LabPassports(APIView):
    """Passports of things from elsewhere, kept by a lab."""

    permission_classes = requires(read=Scope.BOOKINGS_READ, write=Scope.BOOKINGS_WRITE)

    @extend_schema(
        request=OpenApiTypes.OBJECT,
        parameters=[OpenApiParameter("dry", OpenApiTypes.BOOL, description="only say what would be taken")],
        responses={200: BroughtSerializer, 201: BroughtSerializer},
    )
    def post(self, request: Request, lab: str) -> Response:
        """Take over a passport in INTERFACER's fields; what could not be taken is listed. For who runs the lab."""
        found, person = catalogue.find_lab(lab), caller(request)
        if not policies.may_manage(person, found):
            raise NotAllowed(_("Those who run the lab bring passports into it."))
        read = fields.read(request.data)
        made, dry = None, request.query_params.get("dry", "") in {"1", "true", "yes"}
        if not dry:
            made = services.bring(lab=found, document=request.data, by=person)
        told = {
            "passport": made.pk if made else None,
            "url": passports.url_of(made) if made else None,
            "taken": read.fields,
            "left": [{"path": one.path, "why": one.why} for one in read.left],
        }
        return Response(BroughtSerializer(told).data, status=201 if made else 200)
