"""Taking a machine's time for maintenance or a closure, over the API; for those who run the lab."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Scope
from commons.web.api import requires
from labs import policies
from labs.api.bookings import BookingSerializer, signed_in
from labs.errors import UnknownMachine
from labs.models import Booking, Machine
from labs.queries import catalogue
from labs.services import bookings as services

KINDS = [(kind.value, kind.label) for kind in (Booking.Kind.MAINTENANCE, Booking.Kind.CLOSURE)]


class NewClosure(serializers.Serializer[Any]):
    """From when until when, why, and whether bookings that stand there are cancelled."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=KINDS, default=Booking.Kind.MAINTENANCE)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    cancel_conflicting = serializers.BooleanField(default=False)


class Closed(serializers.Serializer[Any]):
    """The bookings that were cancelled or cut short for it; their people are told."""

    cancelled = BookingSerializer(many=True)


class Closures(APIView):
    """Closures of a machine."""

    permission_classes = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)

    @extend_schema(request=NewClosure, responses={201: Closed})
    def post(self, request: Request, machine: int) -> Response:
        """Close the machine. 409 `booking:closure-clash` lists the bookings that stand in the time."""
        form = NewClosure(data=request.data)
        form.is_valid(raise_exception=True)
        gone = services.close_machine(machine=_managed(request, machine), by=signed_in(request), **form.validated_data)
        return Response(Closed({"cancelled": gone}, context={"request": request}).data, status=201)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, machine: int) -> Response:
        """Open it again: the closures that hold it now end."""
        services.reopen_machine(machine=_managed(request, machine))
        return Response(status=204)


def _managed(request: Request, number: int) -> Machine:
    found = catalogue.find_machine(pk=number)
    if not policies.may_manage(signed_in(request), found.lab):
        raise UnknownMachine(_("There is no machine “%(name)s” that you run.") % {"name": number})
    return found
