"""Commands at the device's door: what is asked of it, its answers, and the files that go with them.

The question may wait (`?wait=`): then `polling` answers it natively, without holding a thread.
"""

import uuid
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.devices.authentication import DeviceAuthentication, IsDevice
from commons.devices.errors import CommandNotFound
from commons.devices.models import Command, Device
from commons.devices.services import commands
from commons.sockets import command_files


def shown(command: Command) -> dict[str, Any]:
    """A command as its device sees it; the time left is counted from now, for its clock may be wrong."""
    body = dict(command.body)
    if command.kind == Command.Kind.SEND:
        body["path"] = f"/api/v1/device/commands/{command.pk}/file/"
    left = (command.expires_at - timezone.now()).total_seconds()
    return {"id": str(command.pk), "kind": command.kind, "body": body, "expires_in_s": round(max(left, 0.0), 1)}


class CommandOut(serializers.Serializer[Any]):
    """What is asked of a device."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Command.Kind.choices)
    body = serializers.DictField()
    expires_in_s = serializers.FloatField()


class AnswerIn(serializers.Serializer[Any]):
    """What became of it."""

    state = serializers.ChoiceField(choices=[(s.value, s.label) for s in commands.ANSWERS])
    sentence = serializers.CharField(max_length=300, allow_blank=True, default="")


class CommandsView(APIView):
    """What is asked of the device whose token this is."""

    authentication_classes = (DeviceAuthentication,)
    permission_classes = (IsDevice,)

    @extend_schema(
        parameters=[OpenApiParameter("wait", OpenApiTypes.INT, description="seconds to wait for news, at most 30")],
        responses={200: inline_serializer("Commands", {"commands": CommandOut(many=True)})},
        operation_id="device_commands",
    )
    def get(self, request: Request) -> Response:
        """Open commands, oldest first; each comes again until it is answered or its time is past."""
        assert isinstance(request.auth, Device)  # noqa: S101 IsDevice has seen to it
        return Response({"commands": [shown(one) for one in commands.take(device=request.auth)]})


class AnswerView(APIView):
    """A device's answer to a command."""

    authentication_classes = (DeviceAuthentication,)
    permission_classes = (IsDevice,)

    @extend_schema(
        request=AnswerIn,
        responses={200: inline_serializer("Answered", {"state": serializers.CharField()})},
        operation_id="device_command_answer",
    )
    def post(self, request: Request, command: uuid.UUID) -> Response:
        """Tell what became of it; the first answer stands."""
        assert isinstance(request.auth, Device)  # noqa: S101 IsDevice has seen to it
        told = AnswerIn(data=request.data)
        told.is_valid(raise_exception=True)
        found = commands.answer(device=request.auth, command=command, **told.validated_data)
        return Response({"state": found.state})


class FileView(APIView):
    """The file that a device is to take."""

    authentication_classes = (DeviceAuthentication,)
    permission_classes = (IsDevice,)

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="device_command_file"
    )
    def get(self, request: Request, command: uuid.UUID) -> StreamingHttpResponse:
        """The bytes, while the command is open."""
        assert isinstance(request.auth, Device)  # noqa: S101 IsDevice has seen to it
        found = Command.objects.filter(pk=command, device=request.auth, kind=Command.Kind.SEND).first()
        room = command_files.get(str(found.source.get("room", ""))) if found and found.is_open else None
        content = room.read(found) if room and found else None
        if content is None:
            raise CommandNotFound(_("There is no such file for this device, or its time is past."))
        pieces, size = content
        answer = StreamingHttpResponse(pieces, content_type="application/octet-stream")
        answer["Content-Length"] = str(size)
        answer["Cache-Control"] = "no-store"
        return answer
