"""Bookings over the API: one's own, and for managers those of their lab."""

import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import NotAllowed
from commons.people.models import Scope as TokenScope
from commons.people.models import User
from commons.web.api import CursorPagination, requires
from labs import policies
from labs.api.common import caller, design_named, moment
from labs.engine.recurrence import LONGEST_TEXT
from labs.errors import UnknownBooking, UnknownMachine
from labs.models import Booking, Machine
from labs.queries import bookings, catalogue
from labs.services import bookings as services
from labs.services import waitlist
from labs.services.bookings.create import MOST_TOGETHER
from labs.services.bookings.move import SCOPES

OWN = requires(read=TokenScope.BOOKINGS_READ, write=TokenScope.BOOKINGS_WRITE)
CLASHES = (("refuse", "refuse"), ("skip", "skip"))


class BookingSerializer(serializers.ModelSerializer[Booking]):
    """A booking. Those made in one step share `together`; those of a series share `series`."""

    lab = serializers.CharField(source="machine.lab.slug", read_only=True)
    person = serializers.CharField(source="user.username", read_only=True)
    design = serializers.SerializerMethodField()
    excused = serializers.SerializerMethodField()
    url = serializers.HyperlinkedIdentityField(
        view_name="rooms:booking", lookup_field="pk", lookup_url_kwarg="booking", read_only=True
    )

    class Meta:
        model = Booking
        fields = (
            "id",
            "machine",
            "lab",
            "person",
            "kind",
            "start",
            "end",
            "status",
            "design",
            "note",
            "reason",
            "excused",
            "together",
            "series",
            "offer_until",
            "checked_in_at",
            "ended_at",
            "sequence",
            "created_at",
            "updated_at",
            "url",
        )
        read_only_fields = fields

    def get_design(self, booking: Booking) -> str | None:
        """owner/name, or null."""
        return f"{booking.design.owner.name}/{booking.design.slug}" if booking.design else None

    def get_excused(self, booking: Booking) -> str | None:
        """Why a missed booking is not counted, or null."""
        if booking.status != Booking.Status.MISSED:
            return None
        excuse = getattr(booking, "excuse", None)
        return excuse.reason if excuse is not None else None


class RepeatIn(serializers.Serializer[Any]):
    """A rule of RFC 5545 by the lab's clock, such as FREQ=WEEKLY;COUNT=8, and starts that are left out."""

    rrule = serializers.CharField(max_length=LONGEST_TEXT)
    on_clash = serializers.ChoiceField(
        choices=CLASHES, default="refuse", help_text="what to do with times that cannot be had"
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`except` is a word of Python, so the field is named here."""
        left_out = serializers.ListField(
            child=serializers.DateTimeField(), required=False, default=list, max_length=200, source="left_out"
        )
        return {**super().get_fields(), "except": left_out}


class NewBooking(serializers.Serializer[Booking]):
    """What to book: a machine's number or several, from when until when, perhaps again and again, and perhaps for a
    design (owner/name). Managers may name the person for whom they book."""

    machine = serializers.IntegerField(required=False)
    machines: "serializers.ListField" = serializers.ListField(
        child=serializers.IntegerField(), required=False, min_length=1, max_length=MOST_TOGETHER
    )
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    design = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=120)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    person = serializers.CharField(required=False, allow_blank=True, max_length=39)
    repeat = RepeatIn(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of `machine` and `machines`."""
        if ("machine" in attrs) == ("machines" in attrs):
            raise serializers.ValidationError(_("Name either “machine” or “machines”."))
        return attrs


class ClashOut(serializers.Serializer[Any]):
    """A time of a series that was left out, and why."""

    machine = serializers.IntegerField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    code = serializers.CharField()
    detail = serializers.CharField()
    next_free: "serializers.JSONField" = serializers.JSONField(allow_null=True)


class BookingsMade(serializers.Serializer[Any]):
    """Several bookings made in one step."""

    bookings = BookingSerializer(many=True)
    series = serializers.UUIDField(allow_null=True)
    skipped = ClashOut(many=True)


class OtherTime(serializers.Serializer[Booking]):
    """Another time for a booking, or another machine of the lab; what is left out stays."""

    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)
    machine = serializers.IntegerField(required=False)
    scope = serializers.ChoiceField(
        choices=[(s, s) for s in SCOPES], default="one", help_text="how far the change reaches in a group or series"
    )


class Reason(serializers.Serializer[Booking]):
    """Why, in a sentence that the person reads."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


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
        rows = Booking.objects.filter(seen).select_related("machine__lab", "user", "design__owner", "excuse")
        asked = self.request.query_params
        if status := asked.get("status"):
            rows = rows.filter(status__in=status.split(","))
        if lab := asked.get("lab"):
            rows = rows.filter(machine__lab__slug=lab.lower())
        if asked.get("from"):
            rows = rows.filter(end__gt=moment(self.request, "from", _never()))
        if asked.get("to"):
            rows = rows.filter(start__lt=moment(self.request, "to", _never()))
        return rows

    @extend_schema(
        parameters=[
            OpenApiParameter("status", OpenApiTypes.STR, description="only these states, with commas between"),
            OpenApiParameter("lab", OpenApiTypes.STR, description="only this lab"),
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="what ends after this time"),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="what starts before this time"),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One's own bookings and, for managers, all of their labs; closures among them."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewBooking,
        responses={
            201: PolymorphicProxySerializer(
                component_name="Booked",
                serializers=[BookingSerializer, BookingsMade],
                resource_type_field_name=None,
            )
        },
    )
    def post(self, request: Request) -> Response:
        """Book a machine: 201 with the booking; several, or again and again: 201 with all of them.

        409 names the next free time, or the times of a series that cannot be had; 403 the missing badge.
        """
        form = NewBooking(data=request.data)
        form.is_valid(raise_exception=True)
        asked, by = form.validated_data, signed_in(request)
        machines = _machines(asked.get("machines") or [asked["machine"]])
        facts: dict[str, Any] = {
            "user": _for_whom(asked.get("person") or "", by, machines),
            "booked_by": by,
            "start": asked["start"],
            "end": asked["end"],
            "design": design_named(asked["design"], by) if asked.get("design") else None,
            "note": asked["note"],
        }
        if repeat := asked.get("repeat"):
            done = services.create_series(
                machines=machines,
                rrule=repeat["rrule"],
                left_out=repeat["left_out"],
                skip=repeat["on_clash"] == "skip",
                **facts,
            )
            return self._made(done.bookings, done.series.pk, done.skipped)
        if "machines" in asked:
            return self._made(services.book_together(machines=machines, **facts), None, [])
        booking = services.create_booking(machine=machines[0], **facts)
        return Response(shown(booking, request), status=201)

    def _made(self, made: list[Booking], series: uuid.UUID | None, skipped: Any) -> Response:
        document = {"bookings": made, "series": series, "skipped": skipped}
        return Response(BookingsMade(document, context={"request": self.request}).data, status=201)


def _never() -> Any:
    return None


def _machines(numbers: list[int]) -> list[Machine]:
    """These machines, in this order. Raises UnknownMachine with the first that is none."""
    found = {machine.pk: machine for machine in catalogue.machines().filter(pk__in=numbers)}
    for number in numbers:
        if number not in found:
            raise UnknownMachine(_("There is no machine “%(name)s”.") % {"name": number})
    return [found[number] for number in numbers]


def _for_whom(name: str, by: User, machines: list[Machine]) -> User:
    """The caller, or for those who run the lab the person whom they name."""
    if not name or name == by.username:
        return by
    if not all(policies.may_manage(by, machine.lab) for machine in machines):
        raise NotAllowed(_("Only those who run a lab book for somebody else."))
    found = User.objects.filter(username=name.lower(), is_active=True).first()
    if found is None:
        raise UnknownBooking(_("There is no account “%(name)s”.") % {"name": name})
    return found


class OneBooking(APIView):
    """A booking."""

    permission_classes = OWN

    @extend_schema(responses=BookingSerializer)
    def get(self, request: Request, booking: uuid.UUID) -> Response:
        """The booking of that id, if it is yours."""
        return Response(shown(mine(request, booking), request))

    @extend_schema(request=OtherTime, responses=BookingSerializer)
    def patch(self, request: Request, booking: uuid.UUID) -> Response:
        """Move it or make it longer or shorter, under the rules of a new booking."""
        found = mine(request, booking)
        form = OtherTime(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        machine = _other_machine(asked["machine"], found) if "machine" in asked else None
        moved = services.move_booking(
            booking=found,
            start=asked.get("start", found.start),
            end=asked.get("end", found.end),
            machine=machine,
            scope=asked["scope"],
            by=signed_in(request),
        )
        return Response(shown(moved, request))

    @extend_schema(
        responses={204: None},
        parameters=[
            OpenApiParameter("scope", OpenApiTypes.STR, enum=SCOPES, description="one by default"),
            OpenApiParameter("reason", OpenApiTypes.STR, description="what its person reads"),
        ],
    )
    def delete(self, request: Request, booking: uuid.UUID) -> Response:
        """Cancel it; the time is free at once. An offer of the waitlist is let go."""
        scope, reason = request.query_params.get("scope", "one"), request.query_params.get("reason", "")
        services.cancel_booking(
            booking=mine(request, booking),
            by=signed_in(request),
            scope=next((known for known in SCOPES if known == scope), "one"),
            reason=reason[:200],
        )
        return Response(status=204)


def _other_machine(number: int, found: Booking) -> Machine:
    machine = catalogue.find_machine(pk=number)
    if machine.lab_id != found.machine.lab_id:
        raise UnknownMachine(_("A booking moves to a machine of the same lab; book anew in another."))
    return machine


class Deed(APIView):
    """Something that is done to a booking."""

    permission_classes = OWN


class Approve(Deed):
    """Saying yes."""

    @extend_schema(request=None, responses=BookingSerializer)
    def post(self, request: Request, booking: uuid.UUID) -> Response:
        """Approve what was asked for; for those who run the lab."""
        done = services.approve_booking(booking=managed(request, booking), by=signed_in(request))
        return Response(shown(done, request))


class Decline(Deed):
    """Saying no."""

    @extend_schema(request=Reason, responses=BookingSerializer)
    def post(self, request: Request, booking: uuid.UUID) -> Response:
        """Decline what was asked for, with a reason; for those who run the lab. The time is free."""
        form = Reason(data=request.data)
        form.is_valid(raise_exception=True)
        found, reason = managed(request, booking), form.validated_data["reason"]
        return Response(shown(services.decline_booking(booking=found, by=signed_in(request), reason=reason), request))


class Excuse(Deed):
    """Not being counted."""

    @extend_schema(request=Reason, responses=BookingSerializer)
    def post(self, request: Request, booking: uuid.UUID) -> Response:
        """Excuse a missed booking, with a reason; for those who train or run the lab. 409 when there is nothing to
        excuse. What it cost and its fee are given back."""
        found, by = bookings.find(booking), signed_in(request)
        sees = found is not None and (policies.may_change_booking(by, found) or policies.may_excuse(by, found))
        if found is None or not sees:
            raise UnknownBooking(_("There is no such booking, or it is not yours."))
        if found.user_id == by.pk or not policies.may_train(by, found.machine.lab):
            raise NotAllowed(_("Only those who look after the lab excuse, and nobody excuses themselves."))
        form = Reason(data=request.data)
        form.is_valid(raise_exception=True)
        services.excuse_missed(booking=found, by=by, reason=form.validated_data["reason"])
        return Response(shown(bookings.find(booking) or found, request))


class CheckIn(Deed):
    """Being there."""

    @extend_schema(request=None, responses=BookingSerializer)
    def post(self, request: Request, booking: uuid.UUID) -> Response:
        """Check in, from a quarter of an hour before the start."""
        done = services.check_in(booking=mine(request, booking), by=signed_in(request))
        return Response(shown(done, request))


class End(Deed):
    """Being done."""

    @extend_schema(request=None, responses=BookingSerializer)
    def post(self, request: Request, booking: uuid.UUID) -> Response:
        """End it now; the rest of the time is free."""
        done = services.end_early(booking=mine(request, booking), by=signed_in(request))
        return Response(shown(done, request))


class Accept(Deed):
    """Taking an offer up."""

    @extend_schema(request=None, responses=BookingSerializer)
    def post(self, request: Request, booking: uuid.UUID) -> Response:
        """Take up what the waitlist offers; for the one who waits."""
        found, person = mine(request, booking), signed_in(request)
        if found.user_id != person.pk:
            raise NotAllowed(_("Only the one who waits can take an offer up."))
        return Response(shown(waitlist.accept_offer(booking=found, by=person), request))


def shown(booking: Booking, request: Request) -> dict[str, Any]:
    """The booking as the API tells it."""
    return dict(BookingSerializer(booking, context={"request": request}).data)


def signed_in(request: Request) -> User:
    """The person who calls. Raises UnknownBooking for a device."""
    person = caller(request)
    if person is None:
        raise UnknownBooking(_("Sign in to book."))
    return person


def mine(request: Request, booking: uuid.UUID) -> Booking:
    """The booking, if the caller may change it. Raises UnknownBooking."""
    found = bookings.find(booking)
    if found is None or not policies.may_change_booking(caller(request), found):
        raise UnknownBooking(_("There is no such booking, or it is not yours."))
    return found


def managed(request: Request, booking: uuid.UUID) -> Booking:
    """The booking, if the caller runs its lab. Raises UnknownBooking, or NotAllowed for its own person."""
    found = mine(request, booking)
    if not policies.may_manage(caller(request), found.machine.lab):
        raise NotAllowed(_("Only those who run the lab decide on bookings."))
    return found
