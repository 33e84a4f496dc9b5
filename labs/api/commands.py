"""Steering the machine of a booking over the API, and what was asked of a lab's machines."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.devices.models import Command
from commons.errors import BadInput
from commons.people.models import Scope
from commons.web.api import CursorPagination, requires
from labs import policies
from labs.api.bookings import mine, signed_in
from labs.api.common import caller
from labs.errors import UnknownLab
from labs.queries import catalogue
from labs.queries import commands as queries
from labs.services import commands

COMMAND_FIELDS: tuple[str, ...] = (
    "id", "kind", "file", "state", "sentence", "asked_by", "asked_at", "expires_at", "answered_at",
)  # fmt: skip


class BookingCommandSerializer(serializers.ModelSerializer[Command]):
    """Something that was asked of the machine, and what came of it."""

    state = serializers.CharField(source="now", help_text="waiting, taken, done, refused or expired")
    asked_by = serializers.SerializerMethodField()
    file = serializers.SerializerMethodField()

    class Meta:
        model = Command
        fields = COMMAND_FIELDS

    def get_file(self, command: Command) -> str | None:
        """The name of the file that is sent."""
        name = command.body.get("name")
        return str(name) if name else None

    def get_asked_by(self, command: Command) -> str | None:
        """The account of who asked."""
        return command.asked_by.username if command.asked_by else None


class LabCommandSerializer(BookingCommandSerializer):
    """Something that was asked of a machine of the lab; `booking` is what for."""

    machine = serializers.IntegerField(source="device.machine.pk")
    booking = serializers.CharField(source="about", help_text="the booking's id")

    class Meta(BookingCommandSerializer.Meta):
        fields = (*COMMAND_FIELDS, "machine", "booking")


class NewestAskedFirst(CursorPagination):
    """What was asked last first."""

    ordering = "-asked_at"


class LabCommands(generics.ListAPIView[Command]):
    """What was asked of a lab's machines, newest first; for those who run it."""

    permission_classes = requires(read=Scope.LABS_MANAGE)
    serializer_class = LabCommandSerializer
    pagination_class = NewestAskedFirst
    queryset = Command.objects.none()

    @extend_schema(
        parameters=[
            OpenApiParameter("machine", str, description="the machine's name in addresses"),
            OpenApiParameter("state", str, enum=list(queries.SHOWN_STATES)),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What was asked, by whom, and what came of it."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Command]:
        """Raises UnknownLab alike for a lab that is not there and one that the caller does not run."""
        lab = catalogue.find_lab(self.kwargs["lab"])
        if not policies.may_manage(caller(self.request), lab):
            raise UnknownLab(_("There is no such page, or it is not yours."))
        state = self.request.query_params.get("state", "")
        if state and state not in queries.SHOWN_STATES:
            raise BadInput(
                _("Choose one of the states."),
            )
        return queries.of_lab(lab, machine=self.request.query_params.get("machine", ""), state=state)


class SendableSerializer(serializers.Serializer[queries.Sendable]):
    """A file that can be sent."""

    name = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()
    release = serializers.CharField()


class ControlsSerializer(serializers.Serializer[Any]):
    """What may be asked now. `why` is why nothing may be, else empty."""

    can = serializers.ListField(child=serializers.CharField())
    why = serializers.CharField(allow_blank=True)
    files = SendableSerializer(many=True)
    asked = BookingCommandSerializer(many=True)


class NewCommand(serializers.Serializer[Any]):
    """What to ask for; `file` is the SHA-256 of the file to send."""

    kind = serializers.ChoiceField(choices=[(k, k) for k in ("send", "pause", "resume", "cancel")])
    file = serializers.CharField(required=False, max_length=64)
    start = serializers.BooleanField(default=True)


class BookingCommands(APIView):
    """The machine of a booking, steered."""

    permission_classes = requires(read=Scope.BOOKINGS_READ, write=Scope.BOOKINGS_WRITE)

    @extend_schema(responses=ControlsSerializer)
    def get(self, request: Request, booking: uuid.UUID) -> Response:
        """What may be asked of it now, and what became of what was asked."""
        found = mine(request, booking)
        controls = queries.of_booking(found, signed_in(request), now=timezone.now())
        if controls is None:
            why = queries.why_not(found, signed_in(request), now=timezone.now()) or "over"
            return Response({"can": [], "why": why, "files": [], "asked": []})
        return Response(
            {
                "can": sorted(controls.can - {"start"}),
                "why": controls.why,
                "files": [SendableSerializer(one).data for one in controls.files],
                "asked": BookingCommandSerializer(controls.asked, many=True).data,
            }
        )

    @extend_schema(request=NewCommand, responses={202: BookingCommandSerializer})
    def post(self, request: Request, booking: uuid.UUID) -> Response:
        """Ask for it. 409 `command:not-now`, with `why`; 404 `command:unknown-file`."""
        found, person = mine(request, booking), signed_in(request)
        form = NewCommand(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        if asked["kind"] == "send":
            made = commands.send(booking=found, sha256=asked.get("file", ""), start=asked["start"], by=person)
        else:
            made = commands.steer(booking=found, kind=asked["kind"], by=person)
        return Response(BookingCommandSerializer(made).data, status=202)
