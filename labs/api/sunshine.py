"""The sun over the API: the best times of a machine, bookings that follow the sun, what came of each day."""

import datetime as dt
import uuid
from typing import Any

from django.db.models import Q, QuerySet
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
from labs import policies
from labs.api.bookings import OWN, signed_in
from labs.api.common import caller, design_named, moment
from labs.errors.sunshine import UnknownFlexible
from labs.models import FlexibleBooking, FlexibleMove, SunDay
from labs.queries import catalogue, drawing, standing, sunshine
from labs.services import bookings, flexible
from labs.services import flexible as services

PUBLIC = requires(anonymous_reads=True)
HOUR = dt.timedelta(hours=1)
MOST_HOURS, MOST_DAYS, MOST = 168, 28, 20


class BestSlotSerializer(serializers.Serializer[Any]):
    """A free time: the expected share of local surplus of the job, the ends of its range, and what it comes from."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    solar_share = serializers.FloatField(allow_null=True)
    solar_share_low = serializers.FloatField(allow_null=True)
    solar_share_high = serializers.FloatField(allow_null=True)
    basis = serializers.CharField(
        allow_blank=True, help_text="forecast, lately (the last four weeks), season (those weeks of the data's year), "
        "carried (the newest forecast), or empty (one hour of the data's year, no range)"
    )  # fmt: skip


class BestSlotsSerializer(serializers.Serializer[Any]):
    """The best times for a job, best first; none of them overlap."""

    machine = serializers.IntegerField()
    hours = serializers.FloatField()
    watts = serializers.FloatField(help_text="the job's mean power")
    before = serializers.DateTimeField()
    results = BestSlotSerializer(many=True)


class BestSlots(APIView):
    """Where a job would stand in the sun."""

    permission_classes = PUBLIC

    @extend_schema(
        responses=BestSlotsSerializer,
        parameters=[
            OpenApiParameter("hours", OpenApiTypes.FLOAT, required=True, description="how long the job takes"),
            OpenApiParameter("watts", OpenApiTypes.FLOAT, description="its mean power; the machine's usual without it"),
            OpenApiParameter("before", OpenApiTypes.DATETIME, description="the deadline; in seven days without it"),
            OpenApiParameter("after", OpenApiTypes.DATETIME, description="not before; now without it"),
            OpenApiParameter("count", OpenApiTypes.INT, description="3 by default, 20 at most"),
        ],
    )
    def get(self, request: Request, machine: int) -> Response:
        """The free times that the lab's rules allow (the caller, where one is signed in), ranked by expected share."""
        found, now = catalogue.find_machine(pk=machine), timezone.now()
        hours = _number(request, "hours", None, MOST_HOURS)
        length = hours * HOUR
        kw = _number(request, "watts", 1000 * drawing.kw_of(found, length), 100_000) / 1000
        before, after = moment(request, "before", now + dt.timedelta(days=7)), moment(request, "after", now)
        if not after < before <= now + dt.timedelta(days=MOST_DAYS):
            raise BadInput(_("“before” is later than “after”, within %(days)s days from now.") % {"days": MOST_DAYS})
        wish = sunshine.Wish(found, length, max(after, now), before, kw)
        count = int(_number(request, "count", 3, MOST))
        rows = sunshine.best_slots(wish, user=caller(request), now=now, count=max(count, 1))
        document = {
            "machine": found.pk, "hours": hours, "watts": 1000 * kw, "before": before,
            "results": [
                {
                    "start": place.start, "end": place.end, "basis": basis,
                    "solar_share": place.share.expected if place.share else None,
                    "solar_share_low": place.share.low if place.share and basis else None,
                    "solar_share_high": place.share.high if place.share and basis else None,
                }
                for place, basis in rows
            ],
        }  # fmt: skip
        return Response(BestSlotsSerializer(document).data)


def _number(request: Request, name: str, default: float | None, most: float) -> float:
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    try:
        number = float(text or "")
    except ValueError:
        number = 0.0
    if not 0 < number <= most:
        raise BadInput(_("“%(name)s” is a number above 0, up to %(most)s.") % {"name": name, "most": most})
    return number


class MoveSerializer(serializers.ModelSerializer[FlexibleMove]):
    """Where a flexible booking stood."""

    reason = serializers.CharField(source="why", help_text="placed, sun or back")

    class Meta:
        model = FlexibleMove
        fields = ("number", "start", "share", "left_start", "left_share", "reason", "at")
        read_only_fields = fields


class FlexibleSerializer(serializers.ModelSerializer[FlexibleBooking]):
    """A booking that the system places and moves until it is fixed. `solar_share` is what is expected there."""

    machine = serializers.IntegerField(source="booking.machine_id", read_only=True)
    start = serializers.DateTimeField(source="booking.start", read_only=True)
    end = serializers.DateTimeField(source="booking.end", read_only=True)
    minutes = serializers.IntegerField(source="length_min", read_only=True)
    status = serializers.CharField(read_only=True, help_text="open, fixed or ended")
    fixed_why = serializers.CharField(read_only=True, help_text="clock, kept, moved, gone or empty")
    solar_share = serializers.FloatField(source="share", allow_null=True, read_only=True)
    solar_share_low = serializers.FloatField(source="share_low", allow_null=True, read_only=True)
    solar_share_high = serializers.FloatField(source="share_high", allow_null=True, read_only=True)
    moves = serializers.SerializerMethodField()

    class Meta:
        model = FlexibleBooking
        fields = (
            "id", "booking", "machine", "start", "end", "minutes", "watts", "earliest", "deadline", "from_min",
            "until_min", "fix_before_min", "first_start", "solar_share", "solar_share_low", "solar_share_high",
            "status", "fixed_why", "fixed_at", "moves", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(MoveSerializer(many=True))
    def get_moves(self, flexible: FlexibleBooking) -> Any:
        """Where it stood, first to last."""
        return MoveSerializer(flexible.moves.all(), many=True).data


class NewFlexible(serializers.Serializer[FlexibleBooking]):
    """What is wished: a machine's number, how many hours, and by when."""

    machine = serializers.IntegerField()
    hours = serializers.FloatField(min_value=0.05, max_value=MOST_HOURS)
    deadline = serializers.DateTimeField()
    earliest = serializers.DateTimeField(required=False, allow_null=True)
    watts = serializers.FloatField(required=False, allow_null=True, min_value=1, max_value=100_000)
    from_min = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=1440)
    until_min = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=1440)
    fix_before_min = serializers.IntegerField(
        default=flexible.FIX_BEFORE_MIN, min_value=flexible.LEAST_FIX_MIN, max_value=flexible.MOST_FIX_MIN
    )
    design = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=120)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class ByAge(CursorPagination):
    """Newest first."""

    ordering = "-created_at"


class FlexibleBookings(generics.ListAPIView[FlexibleBooking]):
    """Bookings that follow the sun."""

    permission_classes = OWN
    serializer_class = FlexibleSerializer
    pagination_class = ByAge
    queryset = FlexibleBooking.objects.none()

    def get_queryset(self) -> QuerySet[FlexibleBooking]:
        person = caller(self.request)
        if person is None:
            return FlexibleBooking.objects.none()
        seen = Q(user=person) | Q(booking__machine__lab__in=catalogue.managed_by(person))
        return FlexibleBooking.objects.filter(seen).select_related("booking").prefetch_related("moves")

    @extend_schema(request=NewFlexible, responses={201: FlexibleSerializer})
    def post(self, request: Request) -> Response:
        """Place a job in the sun. 409 `flexible:no-time` with `next_free` where nothing is free before the deadline."""
        form = NewFlexible(data=request.data)
        form.is_valid(raise_exception=True)
        asked, person = dict(form.validated_data), signed_in(request)
        made = flexible.create(
            machine=catalogue.find_machine(pk=asked.pop("machine")),
            user=person,
            booked_by=person,
            length=asked.pop("hours") * HOUR,
            design=design_named(asked["design"], person) if asked.get("design") else None,
            **{name: value for name, value in asked.items() if name != "design"},
        )
        return Response(FlexibleSerializer(made).data, status=201)


class OneFlexible(APIView):
    """A booking that follows the sun."""

    permission_classes = OWN

    @extend_schema(responses=FlexibleSerializer)
    def get(self, request: Request, flexible: uuid.UUID) -> Response:
        """The flexible booking of that id, if it is yours."""
        return Response(FlexibleSerializer(_mine(request, flexible)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, flexible: uuid.UUID) -> Response:
        """Cancel its booking; the time is free."""
        bookings.cancel_booking(booking=_mine(request, flexible).booking, by=signed_in(request))
        return Response(status=204)


class Keep(APIView):
    """Moving no more."""

    permission_classes = OWN

    @extend_schema(request=None, responses=FlexibleSerializer)
    def post(self, request: Request, flexible: uuid.UUID) -> Response:
        """Keep this time. 409 `flexible:fixed` where it is fixed already."""
        held = _mine(request, flexible)
        return Response(FlexibleSerializer(services.keep(flexible=held, by=signed_in(request))).data)


class TakeBack(APIView):
    """Going back."""

    permission_classes = OWN

    @extend_schema(request=None, responses=FlexibleSerializer)
    def post(self, request: Request, flexible: uuid.UUID) -> Response:
        """Back to where it stood before the last move, and fixed there; 409 where somebody else has it now."""
        held = _mine(request, flexible)
        return Response(FlexibleSerializer(services.take_back(flexible=held, by=signed_in(request))).data)


def _mine(request: Request, key: uuid.UUID) -> FlexibleBooking:
    """The flexible booking, if the caller may change it. Raises UnknownFlexible."""
    found = sunshine.find(key)
    if found is None or not policies.may_change_booking(caller(request), found.booking):
        raise UnknownFlexible(_("There is no such flexible booking, or it is not yours."))
    return found


class SunDaySerializer(serializers.ModelSerializer[SunDay]):
    """A day of a lab: measured kWh, how much fell on local surplus, and how much at the times first asked for."""

    class Meta:
        model = SunDay
        fields = ("day", "jobs", "moved", "kwh", "sun_kwh", "first_sun_kwh", "exact", "method", "number", "made_at")
        read_only_fields = fields


class ByDay(CursorPagination):
    """Newest first."""

    ordering = "-day"


class SunDays(generics.ListAPIView[SunDay]):
    """What came of a lab's days."""

    permission_classes = PUBLIC
    serializer_class = SunDaySerializer
    pagination_class = ByDay
    queryset = SunDay.objects.none()

    def get_queryset(self) -> QuerySet[SunDay]:
        return SunDay.objects.filter(lab=catalogue.find_lab(self.kwargs["lab"]))


class LabNowSerializer(serializers.Serializer[Any]):
    """A lab with its live load: W now, when it was heard, and the kWh that are booked for the rest of the day."""

    slug = serializers.CharField()
    name = serializers.CharField()
    lat = serializers.FloatField(allow_null=True)
    lon = serializers.FloatField(allow_null=True)
    url = serializers.CharField()
    watts = serializers.FloatField(allow_null=True)
    heard_at = serializers.DateTimeField(allow_null=True)
    machines = serializers.IntegerField()
    running = serializers.IntegerField()
    planned_kwh = serializers.FloatField(allow_null=True)


class LabNow(APIView):
    """What a lab draws."""

    permission_classes = PUBLIC

    @extend_schema(responses=LabNowSerializer)
    def get(self, request: Request, lab: str) -> Response:
        """The live load of a lab, and what is booked for the rest of its day."""
        [now] = standing.of_labs([catalogue.find_lab(lab)], timezone.now())
        return Response(LabNowSerializer(now.document()).data)
