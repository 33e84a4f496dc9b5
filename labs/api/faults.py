"""Faults over the API: reported by anybody signed in, read by the lab's own people, closed by those who run it."""

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

from commons.errors import NotAllowed
from commons.people.models import Scope
from commons.web.api import CursorPagination, requires
from labs import policies
from labs.api.bookings import signed_in
from labs.api.common import caller
from labs.errors import UnknownLab
from labs.errors.floor import UnknownFault
from labs.models import Fault
from labs.queries import catalogue, faults
from labs.services import faults as services

OWN = requires(read=Scope.BOOKINGS_READ, write=Scope.BOOKINGS_WRITE)


class FaultSerializer(serializers.ModelSerializer[Fault]):
    """What is wrong with a machine. `down`: it keeps the machine from being used now."""

    lab = serializers.CharField(source="machine.lab.slug", read_only=True)
    reporter = serializers.CharField(source="reporter.username", read_only=True, default=None, allow_null=True)
    keeper = serializers.CharField(source="keeper.username", read_only=True, default=None, allow_null=True)
    down = serializers.BooleanField(source="is_down", read_only=True)
    expected_until = serializers.DateTimeField(
        source="outage.expected_until", read_only=True, default=None, allow_null=True
    )

    class Meta:
        model = Fault
        fields = (
            "id",
            "machine",
            "lab",
            "severity",
            "status",
            "down",
            "what",
            "reporter",
            "reported_at",
            "keeper",
            "expected_until",
            "remedy",
            "closed_at",
        )
        read_only_fields = fields


class NewFault(serializers.Serializer[Any]):
    """What is wrong, and whether the machine can still be used."""

    what = serializers.CharField(max_length=2000)
    severity = serializers.ChoiceField(choices=Fault.Severity.choices, default="down")


class Closing(serializers.Serializer[Any]):
    """How it ended: fixed, with what was done, or no fault found."""

    status = serializers.ChoiceField(choices=[("fixed", "fixed"), ("dismissed", "dismissed")], default="fixed")
    remedy = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class ReliabilitySerializer(serializers.Serializer[Any]):
    """Figures of the last 365 days, or since the machine is known; hours. Null where there is nothing to divide by."""

    window_h = serializers.FloatField()
    down_h = serializers.FloatField()
    failures = serializers.IntegerField()
    restored = serializers.IntegerField()
    mtbf_h = serializers.FloatField(allow_null=True)
    work_mtbf_h = serializers.FloatField(allow_null=True)
    mttr_h = serializers.FloatField(allow_null=True)
    availability = serializers.FloatField(allow_null=True)


class Newest(CursorPagination):
    """By report, newest first."""

    ordering = "-reported_at"


class MachineFaults(APIView):
    """Faults of a machine."""

    permission_classes = OWN

    @extend_schema(request=NewFault, responses={201: FaultSerializer})
    def post(self, request: Request, machine: int) -> Response:
        """Report a fault. From the lab's people, or who has it booked, “down” takes the machine out of use at once."""
        found = catalogue.find_machine(pk=machine)
        form = NewFault(data=request.data)
        form.is_valid(raise_exception=True)
        made = services.report_fault(machine=found, by=signed_in(request), **form.validated_data)
        return Response(FaultSerializer(made).data, status=201)


class MachineReliability(APIView):
    """How reliable a machine is."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(responses=ReliabilitySerializer)
    def get(self, request: Request, machine: int) -> Response:
        """Failures, time down, mean time between failures and to restoration."""
        found = catalogue.find_machine(pk=machine)
        return Response(ReliabilitySerializer(faults.figures([found], timezone.now())[found.pk]).data)


class LabFaults(generics.ListAPIView[Fault]):
    """Faults of a lab."""

    permission_classes = OWN
    serializer_class = FaultSerializer
    pagination_class = Newest
    queryset = Fault.objects.none()

    def get_queryset(self) -> QuerySet[Fault]:
        lab = catalogue.find_lab(self.kwargs["lab"])
        if not policies.is_fellow(caller(self.request), lab):
            raise UnknownLab(_("There is no such list, or it is not yours."))
        return faults.of_lab(lab, status=self.request.query_params.get("status", ""))

    @extend_schema(parameters=[OpenApiParameter("status", str, description="open, fixed or dismissed")])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All faults, or those of one state, newest first; for the lab's own people."""
        return super().get(request, *args, **kwargs)


class OneFault(APIView):
    """A fault."""

    permission_classes = OWN

    @extend_schema(responses=FaultSerializer)
    def get(self, request: Request, fault: uuid.UUID) -> Response:
        """For who reported it, and the lab's own people."""
        return Response(FaultSerializer(_visible(request, fault)).data)


class CloseFault(APIView):
    """The end of a fault."""

    permission_classes = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)

    @extend_schema(request=Closing, responses=FaultSerializer)
    def post(self, request: Request, fault: uuid.UUID) -> Response:
        """Close it; the machine opens when nothing else keeps it down. For trainers and managers of the lab."""
        found, by = _visible(request, fault), signed_in(request)
        if not policies.may_train(by, found.machine.lab):
            raise NotAllowed(_("Only those who look after the lab's machines close faults."))
        form = Closing(data=request.data)
        form.is_valid(raise_exception=True)
        close = services.fix_fault if form.validated_data["status"] == "fixed" else services.dismiss_fault
        return Response(FaultSerializer(close(fault=found, by=by, remedy=form.validated_data["remedy"])).data)


def _visible(request: Request, fault: uuid.UUID) -> Fault:
    found = faults.find(fault)
    if not policies.may_see_fault(caller(request), found):
        raise UnknownFault(_("There is no such fault, or it is not yours to see."))
    return found
