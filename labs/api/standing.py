"""Where a lab stands over the API: its community and building, its load in both, and the ties themselves."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Scope
from commons.web.api import requires
from labs.api.bookings import signed_in
from labs.models import LabTie
from labs.queries import catalogue, lab_days, standing, ties
from labs.services import ties as services

OPEN = requires(write=Scope.LABS_MANAGE, anonymous_reads=True)
ANSWERS = ("confirm", "decline", "end")


class TieSerializer(serializers.Serializer[Any]):
    """That a lab belongs to a community or a building; `target` is the other side's address in its room."""

    id = serializers.IntegerField()
    lab = serializers.CharField()
    kind = serializers.ChoiceField(choices=LabTie.Kind.choices)
    target = serializers.CharField()
    title = serializers.CharField()
    url = serializers.CharField()
    state = serializers.ChoiceField(choices=LabTie.State.choices)
    asked_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class NewTie(serializers.Serializer[Any]):
    """What the lab asks to belong to: a community's slug, or a building as “district/key”."""

    kind = serializers.ChoiceField(choices=LabTie.Kind.choices)
    target = serializers.CharField(max_length=190)


class TieAnswer(serializers.Serializer[Any]):
    """The other side confirms or declines; either side ends what holds, and the lab takes back what it asked."""

    answer = serializers.ChoiceField(choices=ANSWERS)


class LabHourSerializer(serializers.Serializer[Any]):
    """An hour of today, kWh; what was not measured is null."""

    start = serializers.DateTimeField()
    booked_kwh = serializers.FloatField(source="booked")
    measured_kwh = serializers.FloatField(source="measured", allow_null=True)


class LabDaySerializer(serializers.Serializer[Any]):
    """A day that is over, kWh: planned when bookings began, measured of jobs that ended, and their share of sun."""

    date = serializers.DateField()
    planned_kwh = serializers.FloatField(source="planned", allow_null=True)
    measured_kwh = serializers.FloatField(source="measured", allow_null=True)
    jobs = serializers.IntegerField()
    solar_share = serializers.FloatField(source="sun_share", allow_null=True)


class StandingSerializer(serializers.Serializer[Any]):
    """Where a lab stands: ties that hold, the community with which its bookings count, its day and the last ones."""

    lab = serializers.CharField()
    ties = TieSerializer(many=True)
    community = serializers.CharField(allow_null=True)
    watts = serializers.FloatField(allow_null=True)
    hours = LabHourSerializer(many=True)
    days = LabDaySerializer(many=True)


class LabStanding(APIView):
    """Where a lab stands."""

    permission_classes = OPEN

    @extend_schema(responses=StandingSerializer)
    def get(self, request: Request, lab: str) -> Response:
        """Its community and building, its load today hour by hour, and the last two weeks, plan against measured."""
        found, now = catalogue.find_lab(lab), timezone.now()
        here = standing.of(found)
        document = {
            "lab": found.slug,
            "ties": [services.document(tie) for tie in found.ties.filter(state=LabTie.State.HOLDS)],
            "community": here.community.slug if here.community is not None and not here.apart else None,
            "watts": standing.of_labs([found], now)[0].watts,
            "hours": lab_days.today(found, now),
            "days": lab_days.lately(found, now),
        }
        return Response(StandingSerializer(document).data)


class LabTies(APIView):
    """What a lab asks to belong to."""

    permission_classes = OPEN

    @extend_schema(request=NewTie, responses={201: TieSerializer})
    def post(self, request: Request, lab: str) -> Response:
        """Ask the stewards of a community or of the city; for who manages the lab."""
        form = NewTie(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        tie = services.ask(
            lab=catalogue.find_lab(lab), kind=asked["kind"], target=asked["target"], by=signed_in(request)
        )
        return Response(TieSerializer(services.document(tie)).data, status=201)


class AnswerTie(APIView):
    """An answer to a lab."""

    permission_classes = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)

    @extend_schema(request=TieAnswer, responses=TieSerializer)
    def post(self, request: Request, tie: int) -> Response:
        """Confirm, decline or end."""
        form = TieAnswer(data=request.data)
        form.is_valid(raise_exception=True)
        by, said = signed_in(request), form.validated_data["answer"]
        held = ties.find(tie, by)
        told = services.end(tie=held, by=by) if said == "end" else None
        told = told or services.answer(tie=held, by=by, accept=said == "confirm")
        return Response(TieSerializer(services.document(told)).data)
