"""Circuits over the API: whether a job may begin on a machine now, and which plug feeds which circuit."""

import uuid
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.devices.authentication import DeviceAuthentication, IsDevice
from commons.people.models import Scope
from commons.web.api import requires
from labs import policies
from labs.api.bookings import signed_in
from labs.errors import UnknownLab
from labs.models import Lab
from labs.queries import catalogue, circuits
from labs.services import meters


class AdviceSerializer(serializers.Serializer[Any]):
    """Whether a job may begin now. `at`: when it may; null while the others run. Power in W."""

    may = serializers.BooleanField()
    at = serializers.DateTimeField(allow_null=True)
    circuit = serializers.CharField(allow_blank=True)
    limit_w = serializers.FloatField()
    watts = serializers.FloatField()
    asks_w = serializers.FloatField()
    waits_for = serializers.ListField(child=serializers.CharField())


class FeedsSerializer(serializers.Serializer[Any]):
    """Which circuit of its lab a plug feeds."""

    circuit = serializers.CharField(max_length=80)


class DeviceCircuit(APIView):
    """A plug's word on the circuit that it feeds, as its agent's configuration has it."""

    authentication_classes = (DeviceAuthentication,)
    permission_classes = (IsDevice,)

    @extend_schema(operation_id="device_circuit", request=FeedsSerializer, responses=FeedsSerializer)
    def put(self, request: Request) -> Response:
        """Tie this device to that circuit. 404 `labs:unknown-thing`, 409 `labs:machines-own`, `labs:pinned`."""
        asked = FeedsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        device: Any = request.auth  # a Device, by IsDevice
        meter = meters.feeds_circuit(device=device, circuit=asked.validated_data["circuit"])
        return Response(FeedsSerializer({"circuit": str(meter.circuit)}).data)


class PowerMeterSerializer(serializers.Serializer[Any]):
    """What a plug or meter of a lab measures: one machine or one circuit, by number. `pinned`: a person said so, and
    its agent's word does not move it."""

    device = serializers.UUIDField(source="device_id")
    name = serializers.CharField(source="device.name")
    machine = serializers.IntegerField(source="machine_id", allow_null=True)
    circuit = serializers.IntegerField(source="circuit_id", allow_null=True)
    class_pct = serializers.FloatField()
    pinned = serializers.BooleanField()


class TieSerializer(serializers.Serializer[Any]):
    """A machine or a circuit of the lab, by number; neither leaves it to the plug's agent."""

    machine = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=2**62)
    circuit = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=2**62)


class LabMeters(APIView):
    """What measures the lab's machines and circuits; for those who run it."""

    permission_classes = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)

    @extend_schema(operation_id="lab_meters", responses=PowerMeterSerializer(many=True))
    def get(self, request: Request, lab: str) -> Response:
        """All of them."""
        return Response(PowerMeterSerializer(meters.of_lab(_managed(request, lab)), many=True).data)


class LabMeter(APIView):
    """What one plug measures; for those who run the lab."""

    permission_classes = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)

    @extend_schema(operation_id="tie_meter", request=TieSerializer, responses={204: None})
    def put(self, request: Request, lab: str, device: uuid.UUID) -> Response:
        """Tie it. 404 `labs:unknown-thing`, 422 `labs:bad-profile` where both are named."""
        of = _managed(request, lab)
        asked = TieSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        machine, circuit = asked.validated_data["machine"], asked.validated_data["circuit"]
        if machine is None and circuit is None:
            meters.leave_to_agent(lab=of, device=device)
        else:
            meters.tie(lab=of, device=device, machine=machine, circuit=circuit)
        return Response(status=204)


def _managed(request: Request, slug: str) -> Lab:
    lab = catalogue.find_lab(slug)
    if not policies.may_manage(signed_in(request), lab):
        raise UnknownLab(_("There is no lab “%(name)s” that you run.") % {"name": slug})
    return lab


class StartAdvice(APIView):
    """May a job begin on this machine now?"""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(operation_id="start_advice", responses=AdviceSerializer)
    def get(self, request: Request, machine: int) -> Response:
        """By what its circuit carries now, and by who is still warming up there."""
        return Response(AdviceSerializer(circuits.start_advice(catalogue.find_machine(pk=machine))).data)
