"""Circuits over the API: whether a job may begin on a machine now, and which plug feeds which circuit."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.devices.authentication import DeviceAuthentication, IsDevice
from commons.web.api import requires
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
        """Tie this device to that circuit. 404 `labs:unknown-thing`, 409 `labs:machines-own`."""
        asked = FeedsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        device: Any = request.auth  # a Device, by IsDevice
        meter = meters.feeds_circuit(device=device, circuit=asked.validated_data["circuit"])
        return Response(FeedsSerializer({"circuit": str(meter.circuit)}).data)


class StartAdvice(APIView):
    """May a job begin on this machine now?"""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(operation_id="start_advice", responses=AdviceSerializer)
    def get(self, request: Request, machine: int) -> Response:
        """By what its circuit carries now, and by who is still warming up there."""
        return Response(AdviceSerializer(circuits.start_advice(catalogue.find_machine(pk=machine))).data)
