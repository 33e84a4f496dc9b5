"""Rules of a lab over the API: read by everybody, set by who runs the lab; and why a time cannot be booked."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import BadInput, NotAllowed
from commons.people.models import Scope, User
from commons.web.api import requires
from labs import policies
from labs.api.common import caller, moment
from labs.engine.hours import Span
from labs.errors import UnknownBooking
from labs.models import BookingRule, Lab, RuleSet
from labs.queries import bookings, catalogue, rule_preview, rule_words, rules
from labs.services import rules as services

OPEN = requires(write=Scope.LABS_MANAGE, anonymous_reads=True)
MOST_SHOWN = 100


class RuleSerializer(serializers.ModelSerializer[BookingRule]):
    """A rule that holds. `machine` and `class` are both empty for the whole lab, `role` is empty for everybody;
    an empty `value` says that there is no limit."""

    machine = serializers.IntegerField(source="machine_id", read_only=True, allow_null=True)
    role = serializers.CharField(read_only=True)
    sentence = serializers.SerializerMethodField()

    class Meta:
        model = BookingRule
        fields = ("id", "name", "value", "unit", "machine", "role", "since", "sentence")
        read_only_fields = fields

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`class` is a word of Python, so the field is named here."""
        return {**super().get_fields(), "class": serializers.CharField(source="cls", read_only=True)}

    @extend_schema_field(OpenApiTypes.STR)
    def get_sentence(self, rule: BookingRule) -> str:
        """What it says, in words."""
        return rule_words.sentence(rule.name, rules.row(rule).value)


class RuleListSerializer(serializers.Serializer[Any]):
    """All rules of a lab that hold, and the number that counts their changes."""

    revision = serializers.IntegerField()
    results = RuleSerializer(many=True)


class NewRule(serializers.Serializer[Any]):
    """A rule to set, in place of the one with the same name, scope and role; an empty value says “no limit”.

    With `revision` it is refused when somebody else changed the rules since.
    """

    name = serializers.CharField(max_length=24)
    value = serializers.CharField(max_length=400, allow_blank=True)
    machine = serializers.IntegerField(required=False, allow_null=True)
    role = serializers.CharField(required=False, allow_blank=True, max_length=8)
    revision = serializers.IntegerField(required=False, allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`class` is a word of Python, so the field is named here."""
        kind = serializers.CharField(source="cls", required=False, allow_blank=True, max_length=24)
        return {**super().get_fields(), "class": kind}


class PreviewSerializer(serializers.Serializer[Any]):
    """What a rule would have done to the bookings to come."""

    looked_at = serializers.IntegerField()
    refused = serializers.IntegerField()
    people = serializers.IntegerField()
    bookings = serializers.ListField(child=serializers.UUIDField(), help_text="at most 100, soonest first")


class RuleRefusalSerializer(serializers.Serializer[Any]):
    """A rule that speaks against the time."""

    rule = serializers.CharField()
    code = serializers.CharField()
    sentence = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True)
    facts = serializers.DictField(source="data", help_text="such as the missing badge, or hours left")


class TimeSerializer(serializers.Serializer[Any]):
    """From when until when."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class WhyNotSerializer(serializers.Serializer[Any]):
    """Whether the time could be booked by the caller, all that speaks against it, and the next that could."""

    allowed = serializers.BooleanField()
    free = serializers.BooleanField()
    refusals = RuleRefusalSerializer(many=True)
    next_allowed = TimeSerializer(allow_null=True)


def _managed(request: Request, slug: str) -> Lab:
    lab = catalogue.find_lab(slug)
    if not policies.may_manage(caller(request), lab):
        raise NotAllowed(_("The rules of %(lab)s are set by the people who run it.") % {"lab": lab.name})
    return lab


def _scope(lab: Lab, asked: dict[str, Any]) -> services.Scope:
    machine = None
    if asked.get("machine") is not None:
        machine = catalogue.machines(lab).filter(pk=asked["machine"]).first()
        if machine is None:
            raise BadInput(_("%(lab)s has no machine with that number.") % {"lab": lab.name})
    return services.Scope(machine, asked.get("cls", ""), asked.get("role", ""))


class LabRules(APIView):
    """The rules of a lab."""

    permission_classes = OPEN

    @extend_schema(responses=RuleListSerializer)
    def get(self, request: Request, lab: str) -> Response:
        """All that hold now."""
        found = catalogue.find_lab(lab)
        held = RuleSet.objects.filter(lab=found).first()
        document = {"revision": held.revision if held else 0, "results": rules.active(found)}
        return Response(RuleListSerializer(document).data)

    @extend_schema(request=NewRule, responses={201: RuleSerializer})
    def post(self, request: Request, lab: str) -> Response:
        """Set a rule."""
        found = _managed(request, lab)
        form = NewRule(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        rule = services.set_rule(
            lab=found,
            name=asked["name"],
            text=asked["value"],
            by=caller(request),
            scope=_scope(found, asked),
            revision=asked.get("revision"),
        )
        return Response(RuleSerializer(rule).data, status=201)


class OneRule(APIView):
    """A rule."""

    permission_classes = OPEN

    @extend_schema(responses={204: None})
    def delete(self, request: Request, lab: str, rule: int) -> Response:
        """End it; what is wider holds again."""
        services.end_rule(lab=_managed(request, lab), key=rule, by=caller(request))
        return Response(status=204)


class RulePreview(APIView):
    """What a rule would do."""

    permission_classes = OPEN

    @extend_schema(request=NewRule, responses=PreviewSerializer)
    def post(self, request: Request, lab: str) -> Response:
        """The bookings to come that this rule would have refused; nothing is changed."""
        found = _managed(request, lab)
        form = NewRule(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        row = services.candidate(lab=found, name=asked["name"], text=asked["value"], scope=_scope(found, asked))
        would = rule_preview.preview(found, rule_preview.with_rule(found, row), now=timezone.now())
        document = {
            "looked_at": would.looked_at,
            "refused": len(would.refused),
            "people": would.people,
            "bookings": [booking.pk for booking in would.refused[:MOST_SHOWN]],
        }
        return Response(PreviewSerializer(document).data)


class WhyNot(APIView):
    """Why not this time?"""

    permission_classes = requires(read=Scope.BOOKINGS_READ)

    @extend_schema(
        responses=WhyNotSerializer,
        parameters=[
            OpenApiParameter("start", OpenApiTypes.DATETIME, required=True),
            OpenApiParameter("end", OpenApiTypes.DATETIME, required=True),
            OpenApiParameter("booking", OpenApiTypes.UUID, description="a booking of yours that would be moved"),
        ],
    )
    def get(self, request: Request, machine: int) -> Response:
        """Everything that speaks against it for the caller, and the next time that nothing speaks against."""
        found, now = catalogue.find_machine(pk=machine), timezone.now()
        person = caller(request)
        assert person is not None  # noqa: S101 the permission saw to it
        span = Span(needed(request, "start"), needed(request, "end"))
        moved = self._moved(request, person)
        refusals = rules.why_not(machine=found, user=person, span=span, now=now, moved=moved)
        free = span.end > span.start and not self._taken(found, span, moved)
        allowed = None
        if refusals or not free:
            allowed = rules.allowed_time(machine=found, user=person, span=span, now=now, moved=moved)
        document = {"allowed": free and not refusals, "free": free, "refusals": refusals, "next_allowed": allowed}
        return Response(WhyNotSerializer(document).data)

    def _moved(self, request: Request, person: User) -> Any:
        if not request.query_params.get("booking"):
            return None
        try:
            held = bookings.find(request.query_params["booking"])
        except ValueError:
            held = None
        if held is None or not policies.may_change_booking(person, held):
            raise UnknownBooking(_("There is no such booking, or it is not yours."))
        return held

    def _taken(self, machine: Any, span: Span, moved: Any) -> bool:
        held = bookings.buffers(machine)
        blocked = Span(span.start - held.before, span.end + held.after)
        return bool(bookings.taken(machine, blocked.start, blocked.end, without=[moved.pk] if moved else ()))


def needed(request: Request, name: str) -> dt.datetime:
    """A time that the caller has to name, within two centuries. Raises BadInput."""
    if not request.query_params.get(name):
        raise BadInput(_("Say “%(name)s”, a time such as 2026-06-18T13:50:00Z.") % {"name": name})
    return moment(request, name, timezone.now())
