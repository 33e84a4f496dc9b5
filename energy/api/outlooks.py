"""What is foreseen to be spare of a community's sun."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.web.api import requires
from energy import queries
from energy.errors import CommunityNotFound


class PlannedSerializer(serializers.Serializer[Any]):
    """What a lab has planned by its bookings: kWh a step from its own start."""

    plan = serializers.CharField(source="row.source", help_text="who plans, such as labs:kamppi")
    name = serializers.CharField(source="row.name")
    member = serializers.CharField(source="row.member", allow_blank=True)
    start = serializers.DateTimeField(source="row.start")
    step_minutes = serializers.IntegerField(source="row.step_minutes")
    bookings = serializers.IntegerField(source="row.bookings")
    kwh = serializers.ListField(child=serializers.FloatField())


class OutlookSerializer(serializers.Serializer[Any]):
    """What one more load could draw in each step without anybody drawing more from the grid, kW; below zero what is
    drawn. Nine of ten values lie between low and high. `planned_kw` is in it. `basis` says of each local day what it
    comes from.
    """

    start = serializers.DateTimeField()
    step_minutes = serializers.IntegerField()
    low_kw = serializers.ListField(child=serializers.FloatField())
    middle_kw = serializers.ListField(child=serializers.FloatField())
    high_kw = serializers.ListField(child=serializers.FloatField())
    planned_kw = serializers.ListField(child=serializers.FloatField())
    basis = serializers.DictField(child=serializers.CharField())
    number = serializers.IntegerField(help_text="how often it has changed")
    made_at = serializers.DateTimeField()
    plans = PlannedSerializer(many=True)


class CommunityOutlook(APIView):
    """The sun to spare in the coming days."""

    permission_classes = requires(read="energy:read", anonymous_reads=True)

    @extend_schema(responses=OutlookSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """The newest outlook, made of what everybody may see. 404 where there is none."""
        community = queries.community(slug, request.user)
        ahead = queries.outlook_of(community)
        if ahead is None:
            raise CommunityNotFound(_("Nothing is foreseen for this community yet."))
        document = {
            "start": ahead.start, "step_minutes": ahead.step.seconds // 60, "low_kw": list(ahead.low),
            "middle_kw": list(ahead.middle), "high_kw": list(ahead.high), "planned_kw": list(ahead.planned),
            "basis": dict(ahead.basis), "number": ahead.number, "made_at": ahead.made_at,
            "plans": queries.planned_of(community),
        }  # fmt: skip
        return Response(OutlookSerializer(document).data)
