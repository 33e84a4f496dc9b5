"""The waitlist over the API: one's own places, and for managers those of their labs."""

import datetime as dt
import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.web.api import CursorPagination
from labs import policies
from labs.api.bookings import OWN, signed_in
from labs.api.common import caller, design_named
from labs.errors.bookings import UnknownEntry
from labs.models import Machine, WaitlistEntry
from labs.queries import catalogue
from labs.queries import waitlist as queries
from labs.services import waitlist


class EntrySerializer(serializers.ModelSerializer[WaitlistEntry]):
    """A place on a waitlist: for a machine, or with `machine` null for any of its class. `booking` is what is offered
    or was taken up."""

    lab = serializers.CharField(source="lab.slug", read_only=True)
    person = serializers.CharField(source="user.username", read_only=True)
    minutes = serializers.IntegerField(source="length_min", read_only=True)

    class Meta:
        model = WaitlistEntry
        fields = (
            "id",
            "lab",
            "machine",
            "person",
            "earliest",
            "latest",
            "minutes",
            "status",
            "lapses",
            "booking",
            "created_at",
        )
        read_only_fields = fields

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`class` is a word of Python, so the field is named here."""
        return {**super().get_fields(), "class": _class_field(read_only=True, allow_blank=True)}


def _class_field(**more: Any) -> "serializers.ChoiceField":
    return extend_schema_field(str)(serializers.ChoiceField)(source="cls", choices=Machine.Kind.choices, **more)


class NewEntry(serializers.Serializer[WaitlistEntry]):
    """What to wait for: a machine's number, or a lab and a class; between which times, for how many minutes."""

    machine = serializers.IntegerField(required=False, allow_null=True)
    lab = serializers.CharField(required=False, allow_blank=True, max_length=39)
    earliest = serializers.DateTimeField()
    latest = serializers.DateTimeField()
    minutes = serializers.IntegerField(min_value=5, max_value=7 * 24 * 60)
    design = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=120)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`class` is a word of Python, so the field is named here."""
        return {**super().get_fields(), "class": _class_field(required=False, allow_blank=True)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A machine, or a lab with a class."""
        if not attrs.get("machine") and not (attrs.get("lab") and attrs.get("cls")):
            raise serializers.ValidationError(_("Name a “machine”, or a “lab” and a “class”."))
        return attrs


class ByQueue(CursorPagination):
    """As they queue."""

    ordering = "queued_at"


class Waitlist(generics.ListAPIView[WaitlistEntry]):
    """Places on waitlists."""

    permission_classes = OWN
    serializer_class = EntrySerializer
    pagination_class = ByQueue
    queryset = WaitlistEntry.objects.none()

    def get_queryset(self) -> QuerySet[WaitlistEntry]:
        person = caller(self.request)
        if person is None:
            return WaitlistEntry.objects.none()
        seen = Q(user=person) | Q(lab__in=catalogue.managed_by(person))
        return WaitlistEntry.objects.filter(seen).select_related("lab", "user")

    @extend_schema(request=NewEntry, responses={201: EntrySerializer})
    def post(self, request: Request) -> Response:
        """Wait for a time. 409 `waitlist:free` names a time that can be booked at once."""
        form = NewEntry(data=request.data)
        form.is_valid(raise_exception=True)
        asked, person = form.validated_data, signed_in(request)
        machine = catalogue.find_machine(pk=asked["machine"]) if asked.get("machine") else None
        entry = waitlist.join(
            user=person,
            lab=machine.lab if machine else catalogue.find_lab(asked["lab"]),
            machine=machine,
            cls=asked.get("cls", ""),
            earliest=asked["earliest"],
            latest=asked["latest"],
            length=dt.timedelta(minutes=asked["minutes"]),
            design=design_named(asked["design"], person) if asked.get("design") else None,
        )
        return Response(EntrySerializer(entry).data, status=201)


class OnePlace(APIView):
    """A place on a waitlist."""

    permission_classes = OWN

    @extend_schema(responses=EntrySerializer)
    def get(self, request: Request, entry: uuid.UUID) -> Response:
        """The place of that id, if it is yours."""
        return Response(EntrySerializer(_mine(request, entry)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, entry: uuid.UUID) -> Response:
        """Wait no longer; a time on offer goes on to the next."""
        waitlist.withdraw(entry=_mine(request, entry), by=signed_in(request))
        return Response(status=204)


def _mine(request: Request, entry: uuid.UUID) -> WaitlistEntry:
    found = queries.find(entry)
    if found is None or not policies.may_change_entry(caller(request), found):
        raise UnknownEntry(_("There is no such place on a waitlist, or it is not yours."))
    return found
