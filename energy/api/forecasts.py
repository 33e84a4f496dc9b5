"""Forecasts a day ahead, with the card that says what they are worth."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import BadInput
from commons.web.api import requires
from energy import queries
from energy.errors import CommunityNotFound
from energy.models import ForecastCard
from energy.queries import public


class ForecastCardSerializer(serializers.ModelSerializer[ForecastCard]):
    """What forecasts of a series are worth: errors are mean absolute ones, kWh a step."""

    class Meta:
        model = ForecastCard
        fields = (
            "first_day", "last_day", "learned_days", "model_mae", "served_mae", "naive", "best_naive", "skill",
            "covered", "half_width_kwh", "worst_span", "guarded", "model_skill", "model_worst", "weather",
            "participants", "served", "engine_version", "data_sha256", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ForecastSerializer(serializers.Serializer[Any]):
    """A day of a series, kWh a step of the local clock; nine of ten values lie between low and high."""

    series = serializers.CharField(source="forecast.series")
    day = serializers.DateField(source="forecast.day")
    step_minutes = serializers.IntegerField(source="forecast.step_minutes")
    served = serializers.CharField(source="forecast.served", help_text="model, or the naive guess that was better")
    middle_kwh = serializers.ListField(child=serializers.FloatField())
    low_kwh = serializers.ListField(child=serializers.FloatField())
    high_kwh = serializers.ListField(child=serializers.FloatField())
    card = ForecastCardSerializer()


class CommunityForecast(APIView):
    """What a day will bring."""

    permission_classes = requires(read="energy:read", anonymous_reads=True)

    @extend_schema(
        parameters=[OpenApiParameter("day", dt.date, description="today where it is left out")],
        responses={200: ForecastSerializer(many=True)},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Use and solar of a day, where sums by the hour may be seen; an empty list where nothing was forecast."""
        community = queries.community(slug, request.user)
        version = public.version(community, request.user)
        curves = version is not None and public.standing(version, request.user).curves
        asked = request.query_params.get("day", "")
        try:
            day = dt.date.fromisoformat(asked) if asked else timezone.now().date()
        except ValueError:
            raise BadInput(_("“%(day)s” is not a day; write it as 2026-05-31.") % {"day": asked}) from None
        told = queries.told(version, day) if version is not None and curves else {}
        told = told or queries.told_of_meters(community, day, request.user)
        if not told and not curves:
            raise CommunityNotFound(_("Hours of this community are not shown, so neither are its forecasts."))
        return Response(ForecastSerializer(list(told.values()), many=True).data)
