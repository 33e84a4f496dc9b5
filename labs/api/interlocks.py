"""Interlocks over the API: set up and locked out by who runs the lab; power asked for by whose booking it is."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Scope, User
from commons.web.api import CursorPagination, requires
from labs import policies
from labs.api.bookings import signed_in
from labs.errors import UnknownBooking
from labs.errors.interlocks import UnknownInterlock, UnknownMending
from labs.models import Interlock, InterlockCommand, Machine, Mending
from labs.queries import bookings, catalogue, interlocks
from labs.services import interlocks as services

DESK = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)


class InterlockSerializer(serializers.ModelSerializer[Interlock]):
    """The relay of a machine; its password is never told. `wanted`: whether there shall be power; `why`: the reason."""

    machine = serializers.IntegerField(source="machine_id", read_only=True)
    has_password = serializers.SerializerMethodField()
    wanted = serializers.SerializerMethodField()
    why = serializers.SerializerMethodField()
    options = serializers.DictField(read_only=True)
    state = serializers.CharField(read_only=True, help_text="off, on or fault")

    class Meta:
        model = Interlock
        fields = (
            "machine", "driver", "url", "username", "has_password", "options", "hold_s", "grace_s", "in_use", "locked",
            "locked_reason", "state", "valid_until", "answered_at", "trouble", "wanted", "why",
        )  # fmt: skip
        read_only_fields = fields

    def get_has_password(self, held: Interlock) -> bool:
        """Whether one is kept."""
        return bool(held.sealed)

    def get_wanted(self, held: Interlock) -> bool:
        """Whether there shall be power now."""
        return interlocks.wish(held, timezone.now()).on

    @extend_schema_field(serializers.CharField())
    def get_why(self, held: Interlock) -> str:
        """For which reason there shall be power, or none."""
        return interlocks.wish(held, timezone.now()).why


class NewInterlock(serializers.Serializer[Any]):
    """How a relay is spoken to. Without `password` the one that is kept stays, unless the address changes."""

    driver = serializers.ChoiceField(choices=Interlock.Driver.choices)
    url = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")
    username = serializers.CharField(required=False, allow_blank=True, max_length=64, default="")
    password = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=200, default=None)
    options = serializers.DictField(
        required=False, default=dict, help_text="channel, topic, dialect, unit, timer, ca (PEM)"
    )
    hold_s = serializers.IntegerField(required=False, min_value=60, max_value=3600, default=180)
    grace_s = serializers.IntegerField(required=False, min_value=0, max_value=1800, default=60)
    in_use = serializers.BooleanField(required=False, default=True)


class NewLock(serializers.Serializer[Any]):
    """Why nobody may have power."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class CommandSerializer(serializers.ModelSerializer[InterlockCommand]):
    """One thing that was said to a relay, or done to its interlock, and what came of it."""

    person = serializers.SerializerMethodField()

    class Meta:
        model = InterlockCommand
        fields = ("at", "what", "why", "answer", "sentence", "driver", "for_s", "took_ms", "booking", "person")
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_person(self, row: InterlockCommand) -> str | None:
        """For whom, or by whom."""
        return row.person.username if row.person else None


class PowerSerializer(serializers.Serializer[Any]):
    """The power of a booking's machine."""

    state = serializers.CharField(help_text="off, on or fault")
    trouble = serializers.CharField(allow_blank=True)


def _managed(request: Request, number: int) -> Machine:
    found = catalogue.find_machine(pk=number)
    if not policies.may_manage(signed_in(request), found.lab):
        raise UnknownInterlock(_("There is no interlock of yours on this machine."))
    return found


def _held(request: Request, number: int) -> Interlock:
    held = Interlock.objects.filter(machine=_managed(request, number)).first()
    if held is None:
        raise UnknownInterlock(_("This machine has no interlock; set it up first."))
    return held


class MachineInterlock(APIView):
    """The interlock of a machine."""

    permission_classes = DESK

    @extend_schema(responses=InterlockSerializer)
    def get(self, request: Request, machine: int) -> Response:
        """How its relay is spoken to, and what it said last."""
        return Response(InterlockSerializer(_held(request, machine)).data)

    @extend_schema(request=NewInterlock, responses=InterlockSerializer)
    def put(self, request: Request, machine: int) -> Response:
        """Set it up. 422 `interlock:bad`."""
        here = _managed(request, machine)
        form = NewInterlock(data=request.data)
        form.is_valid(raise_exception=True)
        held = services.set_interlock(machine=here, by=signed_in(request), **form.validated_data)
        return Response(InterlockSerializer(held).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, machine: int) -> Response:
        """Take it away; 422 while its power may be on."""
        services.remove(interlock=_held(request, machine), by=signed_in(request))
        return Response(status=204)


class Lock(APIView):
    """Lock a machine out."""

    permission_classes = DESK

    @extend_schema(request=NewLock, responses=InterlockSerializer)
    def post(self, request: Request, machine: int) -> Response:
        """No power for anybody from now on."""
        held = _held(request, machine)
        form = NewLock(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(
            InterlockSerializer(
                services.lock_out(interlock=held, by=signed_in(request), reason=form.validated_data["reason"])
            ).data
        )

    @extend_schema(responses=InterlockSerializer)
    def delete(self, request: Request, machine: int) -> Response:
        """Take the lock off; nothing is switched on by it."""
        held = services.free(interlock=_held(request, machine), by=signed_in(request))
        return Response(InterlockSerializer(held).data)


class NewMending(serializers.Serializer[Any]):
    """Whom to let mend, for how long, and what."""

    person = serializers.CharField(max_length=39)
    minutes = serializers.IntegerField(min_value=5, max_value=480, default=60)
    reason = serializers.CharField(max_length=200)


class MendingSerializer(serializers.ModelSerializer[Mending]):
    """Power lent to mend a machine."""

    person = serializers.CharField(source="person.username", read_only=True)

    class Meta:
        model = Mending
        fields = ("id", "machine", "person", "reason", "at", "until", "ended_at")
        read_only_fields = fields


class MendingListSerializer(serializers.Serializer[Any]):
    """Who may mend a machine now."""

    results = MendingSerializer(many=True)


class Mendings(APIView):
    """Power to mend a machine."""

    permission_classes = DESK

    @extend_schema(responses=MendingListSerializer)
    def get(self, request: Request, machine: int) -> Response:
        """Who may switch it on now to mend it."""
        found = interlocks.mendings(_managed(request, machine), timezone.now())
        return Response(MendingListSerializer({"results": found}).data)

    @extend_schema(request=NewMending, responses={201: MendingSerializer})
    def post(self, request: Request, machine: int) -> Response:
        """Let somebody of the lab mend it while it is down. 409 `interlock:no-power` while it can be used."""
        here = _managed(request, machine)
        form = NewMending(data=request.data)
        form.is_valid(raise_exception=True)
        asked = dict(form.validated_data)
        person = User.objects.filter(username=asked.pop("person").lower(), is_active=True).first()
        if person is None:
            raise UnknownMending(_("There is no such account."))
        made = services.let_mend(machine=here, person=person, by=signed_in(request), **asked)
        return Response(MendingSerializer(made).data, status=201)


class OneMending(APIView):
    """One person's power to mend."""

    permission_classes = requires(read=Scope.BOOKINGS_READ, write=Scope.BOOKINGS_WRITE)

    @extend_schema(request=None, responses={202: PowerSerializer})
    def post(self, request: Request, mending: uuid.UUID) -> Response:
        """Switch it on, for the one who mends. 409 `interlock:no-power`, with `why`."""
        found, person = interlocks.mending_for(signed_in(request), mending), signed_in(request)
        return Response(PowerSerializer(services.power_to_mend(mending=found, by=person)).data, status=202)

    @extend_schema(responses=MendingSerializer)
    def delete(self, request: Request, mending: uuid.UUID) -> Response:
        """End it, for the one who mends and for those who run the lab."""
        found, person = interlocks.mending_for(signed_in(request), mending), signed_in(request)
        return Response(MendingSerializer(services.end_mending(mending=found, by=person)).data)


class CommandPages(CursorPagination):
    """Newest first."""

    ordering = "-pk"


class Commands(generics.ListAPIView[InterlockCommand]):
    """Every word that was said to the relay of a machine, newest first."""

    permission_classes = DESK
    serializer_class = CommandSerializer
    pagination_class = CommandPages

    def get_queryset(self) -> QuerySet[InterlockCommand]:
        """Of one machine that the caller runs."""
        if getattr(self, "swagger_fake_view", False):
            return InterlockCommand.objects.none()
        here = _managed(self.request, self.kwargs["machine"])
        return InterlockCommand.objects.filter(machine=here).prefetch_related("person")


class Power(APIView):
    """Power for a booking."""

    permission_classes = requires(read=Scope.BOOKINGS_READ, write=Scope.BOOKINGS_WRITE)

    @extend_schema(request=None, responses={202: PowerSerializer})
    def post(self, request: Request, booking: uuid.UUID) -> Response:
        """Ask for it, again. 409 `interlock:no-power`, with `why`."""
        found = bookings.find(booking)
        if found is None or not policies.may_change_booking(signed_in(request), found):
            raise UnknownBooking(_("There is no such booking, or it is not yours."))
        return Response(PowerSerializer(services.ask_power(booking=found, by=signed_in(request))).data, status=202)
