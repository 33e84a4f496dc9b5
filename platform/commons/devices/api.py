"""What devices and those who read them call. Telemetry goes without serializers: orjson in, columns on."""

import datetime as dt
import logging
import uuid
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import permissions, serializers, throttling
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.devices import channels, policies, queries, services
from commons.devices.authentication import DeviceAuthentication, IsDevice
from commons.devices.engine.seqs import next_free
from commons.devices.errors import DeviceNotFound, Unreadable
from commons.devices.models import Device
from commons.devices.mqtt import topics
from commons.web.api import requires

log = logging.getLogger(__name__)


class EnrolThrottle(throttling.AnonRateThrottle):
    """Thirty tries a minute from one address. Without the cache codes are still one in 8·10^11: let in."""

    scope = "device_enrol"
    rate = "30/min"

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return super().allow_request(request, view)
        except Exception:
            log.warning("tries of enrolment codes are not counted, the cache is away", exc_info=True)
            return True


class EnrolRequest(serializers.Serializer[Any]):
    """What a new device says."""

    code = serializers.CharField(max_length=20, help_text="as shown by the desk, e.g. K7QM-3XPA")
    kind = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    hardware_id = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")


class Mqtt(serializers.Serializer[Any]):
    """Where to speak MQTT 5, if the city has a broker; the password is the device's token."""

    url = serializers.CharField(allow_null=True)
    username = serializers.CharField()
    telemetry = serializers.CharField()
    jobs = serializers.CharField()
    status = serializers.CharField()
    ack = serializers.CharField()
    commands = serializers.CharField()
    answers = serializers.CharField()


class Enrolled(serializers.Serializer[Any]):
    """What a device needs from now on. `next_seq` is where its counter goes on if its journal was lost."""

    device = serializers.UUIDField()
    token = serializers.CharField(help_text="shown once")
    next_seq = serializers.IntegerField()
    mqtt = Mqtt()


class EnrolView(APIView):
    """Let a device in by its one-time code."""

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    throttle_classes = (EnrolThrottle,)

    @extend_schema(request=EnrolRequest, responses={201: Enrolled}, auth=[], operation_id="devices_enrol")
    def post(self, request: Request) -> Response:
        """Trade a code for the device's token."""
        asked = EnrolRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        device, token = services.enrol(**asked.validated_data)
        answer = {
            "device": str(device.pk),
            "token": token,
            "next_seq": next_free(device.seen),
            "mqtt": mqtt_of(device),
        }
        return Response(answer, status=201)


def mqtt_of(device: Device) -> dict[str, str | None]:
    """The device's own topics (contract); `url` is None where the city has no broker. Its password is its token."""
    parts = {part: topics.topic(device.pk, part) for part in (*topics.SAID, *topics.HEARD)}
    return {"url": _broker() or None, "username": str(device.pk), **parts}


def _broker() -> str:
    """The address for devices: MQTT_PUBLIC_URL, else MQTT_URL without the city's own name and password."""
    parts = urlsplit(settings.MQTT_URL)
    return settings.MQTT_PUBLIC_URL or parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class Item(serializers.Serializer[Any]):
    """A reading on the wire."""

    seq = serializers.IntegerField(min_value=0)
    ts = serializers.DateTimeField()
    channel = serializers.CharField(help_text=f"{', '.join(channels.FIXED)} or x_…")
    value = serializers.FloatField()


class RemarkOut(serializers.Serializer[Any]):
    """What is to say about one reading."""

    seq = serializers.IntegerField(allow_null=True)
    code = serializers.CharField()
    sentence = serializers.CharField()


class AckOut(serializers.Serializer[Any]):
    """`acked`: the highest seq up to which everything is committed or rejected."""

    acked = serializers.IntegerField()
    stored = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = RemarkOut(many=True)
    flagged = RemarkOut(many=True)


class TelemetryView(APIView):
    """Readings in; the answer comes after the commit."""

    authentication_classes = (DeviceAuthentication,)
    permission_classes = (IsDevice,)

    @extend_schema(
        request=inline_serializer("Telemetry", {"readings": Item(many=True)}),
        responses={200: AckOut},
        operation_id="telemetry",
    )
    def post(self, request: Request) -> Response:
        """Store a batch once. At most 10,000 readings."""
        assert isinstance(request.auth, Device)  # noqa: S101 IsDevice has seen to it
        items = services.read_body(request._request.body)
        return Response(services.ingest(device=request.auth, readings=items).as_dict())


class ReadingOut(serializers.Serializer[Any]):
    """A reading (`ts`, `value`), or with `step` a step of the curve (all others)."""

    ts = serializers.DateTimeField(required=False)
    value = serializers.FloatField(required=False)
    start = serializers.DateTimeField(required=False)
    count = serializers.IntegerField(required=False)
    mean = serializers.FloatField(required=False, allow_null=True)
    min = serializers.FloatField(required=False, allow_null=True)
    max = serializers.FloatField(required=False, allow_null=True)
    energy_wh = serializers.FloatField(required=False, allow_null=True)


class ReadingsOut(serializers.Serializer[Any]):
    """A page of readings; `next` is the address of the page after it."""

    device = serializers.UUIDField()
    channel = serializers.CharField()
    unit = serializers.CharField()
    step = serializers.IntegerField(allow_null=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ReadingOut(many=True)


_WINDOW = "ISO 8601 with its zone"
PAGE = 5000


class ReadingsView(APIView):
    """What a device reported, as it came or in steps."""

    permission_classes = requires(read="energy:read", anonymous_reads=True)

    @extend_schema(
        parameters=[
            OpenApiParameter("device", uuid.UUID, required=True),
            OpenApiParameter("channel", str, description="default power_w"),
            OpenApiParameter("from", dt.datetime, description=f"{_WINDOW}; default a day before `to`"),
            OpenApiParameter("to", dt.datetime, description=f"{_WINDOW}; default now"),
            OpenApiParameter("step", int, description="seconds; without it the readings as they came"),
        ],
        responses={200: ReadingsOut},
        operation_id="readings",
    )
    def get(self, request: Request) -> Response:
        """Readings of one channel of one device, oldest first."""
        device = _device(request)
        channel = request.query_params.get("channel", "power_w")
        end = _moment(request, "to") or timezone.now()
        start = _moment(request, "from") or end - dt.timedelta(days=1)
        step = _step(request)
        if step is None:
            results, following = _plain(device, channel, start, end)
        else:
            results, following = _steps(device, channel, start, end, step)
        number = channels.number_of(channel)
        answer = {
            "device": str(device.pk),
            "channel": channel,
            "unit": channels.UNITS.get(number or 0, ""),
            "step": step,
            "next": _address(request, following, end) if following else None,
            "previous": None,
            "results": results,
        }
        return Response(answer)


Rows = list[dict[str, Any]]


def _plain(device: Device, channel: str, start: dt.datetime, end: dt.datetime) -> tuple[Rows, dt.datetime | None]:
    """A page of readings and where the next begins: readings of one moment are never parted."""
    found = queries.readings(device, channel, start, end, PAGE + 1)
    following = None
    if len(found) > PAGE and found[0].ts != found[-1].ts:
        following = found[-1].ts
        found = [r for r in found if r.ts != following]
    return [{"ts": r.ts, "value": r.value} for r in found], following


def _steps(
    device: Device, channel: str, start: dt.datetime, end: dt.datetime, step: int
) -> tuple[Rows, dt.datetime | None]:
    points = queries.series(device, channel, start, end, step)
    fields = ("start", "count", "mean", "min", "max", "energy_wh")
    return [{name: getattr(point, name) for name in fields} for point in points], None


def _device(request: Request) -> Device:
    given = request.query_params.get("device", "")
    try:
        device = policies.readable_by(request.user, request.auth).filter(pk=given).first()
    except (ValueError, ValidationError):
        raise Unreadable(_("“device” must be the id of a device.")) from None
    if device is None:
        raise DeviceNotFound(_("There is no such device, or it is not yours to see."))
    return device


def _moment(request: Request, name: str) -> dt.datetime | None:
    given = request.query_params.get(name)
    if not given:
        return None
    try:
        moment = dt.datetime.fromisoformat(given.replace(" ", "+"))
        if moment.tzinfo is not None and 1970 <= moment.year < 2200:
            return moment.astimezone(dt.UTC)
    except ValueError:
        pass
    raise Unreadable(_("“%(name)s” must be a time like 2026-11-22T14:00:00Z.") % {"name": name})


def _step(request: Request) -> int | None:
    given = request.query_params.get("step")
    if not given:
        return None
    if given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= 31_536_000:
        return int(given[:9])
    raise Unreadable(_("“step” must be a whole number of seconds."))


def _address(request: Request, start: dt.datetime, end: dt.datetime) -> str:
    asked = {k: v for k, v in request.query_params.items() if k in {"device", "channel"}}
    query = urlencode(asked | {"from": start.isoformat(), "to": end.isoformat()})
    return request.build_absolute_uri(f"{request.path}?{query}")
