"""Bookings over the API: one's own, and for managers those of their lab."""

import uuid

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Scope, User
from commons.web.api import CursorPagination, requires
from labs import policies
from labs.api.common import caller, design_named
from labs.errors import UnknownBooking
from labs.models import Booking
from labs.queries import bookings, catalogue
from labs.services import bookings as services

OWN = requires(read=Scope.BOOKINGS_READ, write=Scope.BOOKINGS_WRITE)


class BookingSerializer(serializers.ModelSerializer[Booking]):
    """A booking."""

    lab = serializers.CharField(source="machine.lab.slug", read_only=True)
    person = serializers.CharField(source="user.username", read_only=True)
    design = serializers.SerializerMethodField()

    class Meta:
        model = Booking
        fields = ("id", "machine", "lab", "person", "start", "end", "status", "design", "created_at")
        read_only_fields = fields

    def get_design(self, booking: Booking) -> str | None:
        """owner/name, or null."""
        return f"{booking.design.owner.name}/{booking.design.slug}" if booking.design else None


class NewBooking(serializers.Serializer[Booking]):
    """What to book: a machine's number, from when until when, and perhaps for which design (owner/name)."""

    machine = serializers.IntegerField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    design = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=120)


class OtherTime(serializers.Serializer[Booking]):
    """Another time for a booking; what is left out stays."""

    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)


class Soonest(CursorPagination):
    """By start, soonest first."""

    ordering = "start"


class Bookings(generics.ListAPIView[Booking]):
    """Bookings."""

    permission_classes = OWN
    serializer_class = BookingSerializer
    pagination_class = Soonest
    queryset = Booking.objects.none()

    def get_queryset(self) -> QuerySet[Booking]:
        person = caller(self.request)
        if person is None:
            return Booking.objects.none()
        seen = Q(user=person) | Q(machine__lab__in=catalogue.managed_by(person))
        return Booking.objects.filter(seen).select_related("machine__lab", "user", "design__owner")

    @extend_schema(request=NewBooking, responses={201: BookingSerializer})
    def post(self, request: Request) -> Response:
        """Book a machine. 409 names the next free time, 403 the missing badge."""
        form = NewBooking(data=request.data)
        form.is_valid(raise_exception=True)
        person, asked = _person(request), form.validated_data
        machine = catalogue.find_machine(pk=asked["machine"])
        design = design_named(asked["design"], person) if asked.get("design") else None
        booking = services.create_booking(
            machine=machine, user=person, start=asked["start"], end=asked["end"], design=design
        )
        return Response(BookingSerializer(booking).data, status=201)


class OneBooking(APIView):
    """A booking."""

    permission_classes = OWN

    @extend_schema(responses=BookingSerializer)
    def get(self, request: Request, booking: uuid.UUID) -> Response:
        """The booking of that id, if it is yours."""
        return Response(BookingSerializer(_mine(request, booking)).data)

    @extend_schema(request=OtherTime, responses=BookingSerializer)
    def patch(self, request: Request, booking: uuid.UUID) -> Response:
        """Move it or make it longer or shorter, under the rules of a new booking."""
        found = _mine(request, booking)
        form = OtherTime(data=request.data)
        form.is_valid(raise_exception=True)
        start = form.validated_data.get("start", found.start)
        end = form.validated_data.get("end", found.end)
        moved = services.move_booking(booking=found, start=start, end=end)
        return Response(BookingSerializer(moved).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, booking: uuid.UUID) -> Response:
        """Cancel it; the time is free at once."""
        services.cancel_booking(booking=_mine(request, booking))
        return Response(status=204)


def _person(request: Request) -> User:
    person = caller(request)
    if person is None:
        raise UnknownBooking(_("Sign in to book."))
    return person


def _mine(request: Request, booking: uuid.UUID) -> Booking:
    found = bookings.find(booking)
    if found is None or not policies.may_change_booking(caller(request), found):
        raise UnknownBooking(_("There is no such booking, or it is not yours."))
    return found
