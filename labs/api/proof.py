"""Files of jobs, a person's word on them, and programs sliced for bookings, over the API."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.devices.authentication import DeviceAuthentication, IsDevice
from commons.people.models import User
from commons.web.api import requires
from labs import policies
from labs.api.common import caller, design_named
from labs.api.jobs import JobSerializer, document
from labs.errors import UnknownBooking, UnknownJob
from labs.errors.proof import FileNotTaken, OtherFile, UnknownSlice
from labs.models import Booking, Job, JobFile, Slice, SlicingProfile
from labs.queries import bookings, jobs
from labs.queries import slices as queries
from labs.services import slices
from labs.services.jobs import claims, files

CHUNK = 256 * 1024


class Bytes(BaseParser):
    """A body that is the file itself, read as it comes."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The stream, unread."""
        return stream


class SentFile(serializers.Serializer[JobFile]):
    """A file that was taken in."""

    sha256 = serializers.CharField()
    size = serializers.IntegerField()
    state = serializers.ChoiceField(choices=JobFile.State.choices)


class WantedFile(serializers.Serializer[Any]):
    """Whether a device should send the file of a job."""

    wanted = serializers.BooleanField()
    max_bytes = serializers.IntegerField()


class DeviceJobFile(APIView):
    """The door at which a device sends the file of a job, when the city asks for it."""

    authentication_classes = (DeviceAuthentication,)
    permission_classes = (IsDevice,)
    parser_classes = (Bytes,)

    @extend_schema(responses={200: WantedFile})
    def get(self, request: Request, job: str) -> Response:
        """Whether the city wants the file: when nothing proves the job yet, and its lab takes files."""
        found = _of_device(request, job)
        there = JobFile.objects.filter(job=found).exclude(state=JobFile.State.FAILED).exists()
        takes = files.policy_of(found.machine.lab).takes_files
        wanted = takes and not there and found.provenance != Job.Provenance.PROVEN
        return Response(WantedFile({"wanted": wanted, "max_bytes": files.MAX_BYTES}).data)

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={201: SentFile},
        parameters=[
            OpenApiParameter("sha256", OpenApiTypes.STR, description="of the body, when it was not told before")
        ],
    )
    def post(self, request: Request, job: str) -> Response:
        """Take the body in as the file of the job of that name, when its SHA-256 is the one that was told."""
        found = _of_device(request, job)
        told = request.query_params.get("sha256", "")
        if len(told) not in {0, 64}:
            raise OtherFile(_("“sha256” has 64 hexadecimal digits."))
        sent = files.take_file(job=found, chunks=_chunks(request), sha256=told)
        return Response(SentFile(sent).data, status=201)


def _of_device(request: Request, name: str) -> Job:
    device: Any = request.auth  # a Device, by IsDevice
    rows = Job.objects.select_related("machine__lab__organisation", "booking__user")
    found = rows.filter(device=device, device_job=name).first()
    if found is None:
        raise UnknownJob(_("This device has told of no job of that name."))
    return found


def _chunks(request: Request) -> Iterator[bytes]:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > files.MAX_BYTES:
        raise FileNotTaken(_("A file of a job has at most %(mb)d MB.") % {"mb": files.MAX_BYTES // 1024 // 1024})
    stream: Any = request.stream
    while stream is not None and (chunk := stream.read(CHUNK)):
        yield chunk


class ClaimWish(serializers.Serializer[Any]):
    """Which design a job was of, by a person's word."""

    design = serializers.CharField(max_length=200, help_text="owner/name")


class JobClaim(APIView):
    """A person's word on which design a job was of."""

    permission_classes = requires(write="bookings:write")

    @extend_schema(request=ClaimWish, responses=JobSerializer)
    def put(self, request: Request, job: uuid.UUID) -> Response:
        """Say which design it was. What is proven stays."""
        found, person = _own(request, job)
        asked = ClaimWish(data=request.data)
        asked.is_valid(raise_exception=True)
        claims.say(job=found, design=design_named(asked.validated_data["design"], person), by=person)
        return _told(job, person)

    @extend_schema(request=None, responses=JobSerializer)
    def delete(self, request: Request, job: uuid.UUID) -> Response:
        """Take it back."""
        found, person = _own(request, job)
        claims.withdraw(job=found, by=person)
        return _told(job, person)


def _own(request: Request, job: uuid.UUID) -> tuple[Job, User]:
    found, person = jobs.find(job), caller(request)
    assert person is not None  # noqa: S101 the permission asks for a person
    return found, person


def _told(job: uuid.UUID, person: User) -> Response:
    return Response(JobSerializer(document(jobs.shown([jobs.find(job)], person)[0])).data)


class SliceWish(serializers.Serializer[Any]):
    """Which file of the booking's design to slice, with which profile of the machine."""

    path = serializers.CharField(max_length=1000)
    profile = serializers.IntegerField(
        required=False, allow_null=True, help_text="of the machine; null for plain settings"
    )


class SliceSerializer(serializers.Serializer[Any]):
    """A file sliced for a booking, with its estimates."""

    id = serializers.UUIDField()
    booking = serializers.UUIDField(source="booking_id")
    path = serializers.CharField()
    commit = serializers.CharField()
    source_sha256 = serializers.CharField()
    profile = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=Slice.State.choices)
    reason = serializers.CharField(allow_blank=True)
    run = serializers.UUIDField(allow_null=True)
    slicer = serializers.CharField(allow_blank=True)
    time_s = serializers.FloatField(allow_null=True)
    filament_mm = serializers.FloatField(allow_null=True)
    filament_g = serializers.FloatField(allow_null=True)
    kwh = serializers.FloatField(allow_null=True, help_text="estimated")
    kwh_low = serializers.FloatField(allow_null=True)
    kwh_high = serializers.FloatField(allow_null=True)
    kwh_basis = serializers.CharField(allow_blank=True)
    gcode_sha256 = serializers.CharField(allow_blank=True)
    gcode_size = serializers.IntegerField()
    receipt = serializers.JSONField(allow_null=True)


class BookingSlices(APIView):
    """What is sliced for a booking."""

    permission_classes = requires(read="bookings:read", write="bookings:write")

    @extend_schema(responses=SliceSerializer(many=True))
    def get(self, request: Request, booking: uuid.UUID) -> Response:
        """The newest first."""
        found, _person = _booking(request, booking)
        return Response(SliceSerializer([one.slice for one in queries.of_booking(found)], many=True).data)

    @extend_schema(request=SliceWish, responses={202: SliceSerializer})
    def post(self, request: Request, booking: uuid.UUID) -> Response:
        """Have a file of the booking's design sliced."""
        found, person = _booking(request, booking)
        asked = SliceWish(data=request.data)
        asked.is_valid(raise_exception=True)
        versions = queries.files_of(found, person)
        version = next((one for one in versions if one.path == asked.validated_data["path"]), None)
        if version is None:
            raise UnknownSlice(_("There is no such file in the design, or it is not yours to see."))
        number = asked.validated_data.get("profile")
        profile = SlicingProfile.objects.filter(pk=number, machine=found.machine, retired_at=None).first()
        if number is not None and profile is None:
            raise UnknownSlice(_("The machine has no such profile."))
        made = slices.start(booking=found, version=version, profile=profile, by=person)
        return Response(SliceSerializer(made).data, status=202)


def _booking(request: Request, booking: uuid.UUID) -> tuple[Booking, User]:
    found, person = bookings.find(booking), caller(request)
    if found is None or person is None or not policies.may_change_booking(person, found):
        raise UnknownBooking(_("There is no such booking, or it is not yours."))
    return found, person


class OneSlice(APIView):
    """A file sliced for a booking."""

    permission_classes = requires(read="bookings:read")

    @extend_schema(responses=SliceSerializer)
    def get(self, request: Request, slice: uuid.UUID) -> Response:
        """How far it is, its estimates and its receipt."""
        return Response(SliceSerializer(queries.find(slice, caller(request))).data)


class SliceProgram(APIView):
    """The program that was made."""

    permission_classes = requires(read="bookings:read")

    @extend_schema(responses={200: OpenApiResponse(OpenApiTypes.BINARY)})
    def get(self, request: Request, slice: uuid.UUID) -> HttpResponseBase:
        """The G-code, for whoever may change the booking."""
        return program(queries.find(slice, caller(request)))


def program(made: Slice) -> FileResponse:
    """The G-code as a download. Raises UnknownSlice when there is none."""
    try:
        content = slices.path_of(made).open("rb")
    except OSError:
        raise UnknownSlice(_("There is no such program, or it is not yours.")) from None
    return FileResponse(content, as_attachment=True, filename=made.file_name, content_type="text/x.gcode")
