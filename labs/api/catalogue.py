"""Labs, machines, free times and matches over the API: readable by everybody."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import BadInput
from commons.web.api import CursorPagination, requires
from labs.api.common import moment
from labs.models import Lab, Machine
from labs.queries import bookings, catalogue

PUBLIC = requires(anonymous_reads=True)
LONGEST = dt.timedelta(days=31)
STEPS_MIN = (15, 30, 60)


class LabSerializer(serializers.ModelSerializer[Lab]):
    """A lab."""

    place: "serializers.SlugRelatedField[Any]" = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    url = serializers.HyperlinkedIdentityField(view_name="rooms:lab", lookup_field="slug", lookup_url_kwarg="lab")

    class Meta:
        model = Lab
        fields = (
            "slug",
            "name",
            "about",
            "address",
            "lat",
            "lon",
            "place",
            "opening_hours",
            "access",
            "status",
            "house_rules",
            "directions",
            "wheelchair",
            "email",
            "phone",
            "website",
            "languages",
            "takes_orders",
            "url",
            "demo",
        )
        read_only_fields = fields


class MachineSerializer(serializers.ModelSerializer[Machine]):
    """A machine. `required_badges` are badges' names in addresses; `volume_mm` is x, y, z or null."""

    lab: "serializers.SlugRelatedField[Any]" = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    required_badges: "serializers.Field[Any, Any, Any, Any]" = serializers.SlugRelatedField(
        slug_field="slug", many=True, read_only=True
    )
    volume_mm = serializers.SerializerMethodField()
    circuit: "serializers.SlugRelatedField[Any]" = serializers.SlugRelatedField(
        slug_field="name", read_only=True, allow_null=True
    )
    device: "serializers.PrimaryKeyRelatedField[Any]" = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True
    )

    class Meta:
        model = Machine
        fields = (
            "id",
            "lab",
            "slug",
            "name",
            "process",
            "maker",
            "model",
            "about",
            "rated_w",
            "circuit",
            "volume_mm",
            "tolerance_mm",
            "materials",
            "state",
            "state_note",
            "back_on",
            "required_badges",
            "buffer_before_min",
            "buffer_after_min",
            "longest_h",
            "unattended",
            "device",
            "demo",
        )
        read_only_fields = fields

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`class` is a word of Python, so the field is named here."""
        kind = serializers.ChoiceField(source="cls", choices=Machine.Kind.choices, read_only=True)
        return {**super().get_fields(), "class": kind}

    @extend_schema_field({"type": ["array", "null"], "items": {"type": ["number", "null"]}})
    def get_volume_mm(self, machine: Machine) -> list[float | None] | None:
        """Width, depth, height in mm."""
        return list(machine.volume_mm) if machine.volume_mm else None


class SlotSerializer(serializers.Serializer[bookings.Slot]):
    """A stretch of time: `free` when a booking of exactly this time would be taken, and why not otherwise."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    free = serializers.BooleanField()
    solar_share = serializers.FloatField(allow_null=True)
    solar_share_low = serializers.FloatField(allow_null=True, help_text="nine of ten lie between low and high")
    solar_share_high = serializers.FloatField(allow_null=True)
    solar_basis = serializers.CharField(allow_blank=True, help_text="forecast, lately, season, carried or empty")
    why = serializers.CharField(allow_blank=True, help_text="past, repair, closed, taken or empty")


class AvailabilitySerializer(serializers.Serializer[Any]):
    """The slots of a machine, and the best times by the sun."""

    machine = serializers.IntegerField()
    step_minutes = serializers.IntegerField()
    slots = SlotSerializer(many=True)


class ByKey(CursorPagination):
    """Oldest first: labs and machines do not change places while one reads on."""

    ordering = "pk"


class Labs(generics.ListAPIView[Lab]):
    """All labs."""

    permission_classes = PUBLIC
    serializer_class = LabSerializer
    pagination_class = ByKey

    def get_queryset(self) -> QuerySet[Lab]:
        return Lab.objects.select_related("place")


class OneLab(APIView):
    """A lab."""

    permission_classes = PUBLIC

    @extend_schema(responses=LabSerializer)
    def get(self, request: Request, lab: str) -> Response:
        """The lab of that name."""
        return Response(LabSerializer(catalogue.find_lab(lab), context={"request": request}).data)


class Machines(generics.ListAPIView[Machine]):
    """The machines of a lab."""

    permission_classes = PUBLIC
    serializer_class = MachineSerializer
    pagination_class = ByKey
    queryset = Machine.objects.none()

    def get_queryset(self) -> QuerySet[Machine]:
        return catalogue.machines(catalogue.find_lab(self.kwargs["lab"]))


class OneMachine(APIView):
    """A machine."""

    permission_classes = PUBLIC

    @extend_schema(responses=MachineSerializer)
    def get(self, request: Request, machine: int) -> Response:
        """The machine of that number."""
        return Response(MachineSerializer(catalogue.find_machine(pk=machine)).data)


class Availability(APIView):
    """When a machine is free."""

    permission_classes = PUBLIC

    @extend_schema(
        responses=AvailabilitySerializer,
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="from this time; now by default"),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="until this time; a week later by default"),
            OpenApiParameter("step", OpenApiTypes.INT, enum=STEPS_MIN, description="minutes of a slot, 60 by default"),
        ],
    )
    def get(self, request: Request, machine: int) -> Response:
        """The slots between two times, each free or not, with its share of local sun."""
        found, now = catalogue.find_machine(pk=machine), timezone.now()
        step = _step(request)
        start = moment(request, "from", now.replace(minute=0, second=0, microsecond=0))
        end = moment(request, "to", start + dt.timedelta(days=7))
        if not dt.timedelta() < end - start <= LONGEST:
            raise BadInput(_("“to” is later than “from”, by at most %(days)s days.") % {"days": LONGEST.days})
        start -= (start - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) % step
        slots = bookings.slots(found, start=start, end=end, step=step, now=now)
        document = {"machine": found.pk, "step_minutes": step.seconds // 60, "slots": slots}
        return Response(AvailabilitySerializer(document).data)


def _step(request: Request) -> dt.timedelta:
    text = request.query_params.get("step", "60")
    if text not in {str(minutes) for minutes in STEPS_MIN}:
        raise BadInput(_("“step” is 15, 30 or 60 minutes."))
    return dt.timedelta(minutes=int(text))
