"""The API of what is modelled: versions of measured and modelled members, a participant's year, a place's weather."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import User
from commons.web.api import requires
from energy import policies, queries
from energy.errors import CommunityNotFound, UnknownParticipant
from energy.models import Community, ModelledYear, WeatherFeed
from energy.queries import participants as reads
from energy.queries import sources
from energy.services import measured, modelling, weather


class StartedSerializer(serializers.Serializer[Any]):
    """The run that was started."""

    run = serializers.UUIDField()


class VersionAskedSerializer(serializers.Serializer[Any]):
    """Local days from `start` until the day before `end`; prices per kWh, those of the newest data where left out."""

    start = serializers.DateField()
    end = serializers.DateField()
    fill = serializers.CharField(default="", allow_blank=True, help_text="empty: refuse gaps; week, zero or model")
    import_price = serializers.FloatField(required=False, allow_null=True, default=None)
    export_price = serializers.FloatField(required=False, allow_null=True, default=None)


class WeatherFeedSerializer(serializers.ModelSerializer[WeatherFeed]):
    """Where the weather of a community's place is had; an empty address: nowhere."""

    url = serializers.URLField(max_length=500, allow_blank=True)

    class Meta:
        model = WeatherFeed
        fields = ("url", "asked_at", "trouble")
        read_only_fields = ("asked_at", "trouble")


class ModelledSerializer(serializers.ModelSerializer[ModelledYear]):
    """A year worked out from what a participant owns; kWh. Nobody measured it."""

    used_kwh = serializers.SerializerMethodField()

    class Meta:
        model = ModelledYear
        fields = (
            "start", "timezone", "weather", "used_kwh", "load_kwh", "car_kwh", "heat_pump_kwh", "pv_kwh", "own_kwh",
            "made_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_used_kwh(self, year: ModelledYear) -> float:
        """All use, the car's with it."""
        return year.load_kwh + year.car_kwh


class _Base(APIView):
    permission_classes = requires(read="energy:read", write="energy:write")


def _stewarded(request: Request, slug: str) -> tuple[Community, User]:
    community = queries.community(slug, request.user)
    if not isinstance(request.user, User) or not policies.is_steward(request.user, community):
        raise CommunityNotFound(_("There is no such page, or it is not yours to see."))
    return community, request.user


class CommunityVersions(_Base):
    """Versions of a community's data out of its meters."""

    @extend_schema(request=VersionAskedSerializer, responses={202: StartedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Make a version of what was measured, and model the rest if `fill` says so. For stewards; 404 for others."""
        community, by = _stewarded(request, slug)
        asked = VersionAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        run = measured.start_version(community=community, by=by, **asked.validated_data)
        return Response({"run": run.pk}, status=status.HTTP_202_ACCEPTED)


class CommunityWeather(_Base):
    """Where the weather of a community's place is had."""

    serializer_class: ClassVar[type[WeatherFeedSerializer]] = WeatherFeedSerializer

    @extend_schema(responses={200: WeatherFeedSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """The feed, when it was asked and what went wrong. For stewards; 404 for others."""
        community, _by = _stewarded(request, slug)
        return Response(_feed(sources.feed_of(community)))

    @extend_schema(request=WeatherFeedSerializer, responses={200: WeatherFeedSerializer})
    def put(self, request: Request, slug: str) -> Response:
        """Choose the feed. For stewards; 404 for others."""
        community, by = _stewarded(request, slug)
        asked = WeatherFeedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(_feed(weather.set_feed(community=community, by=by, url=asked.validated_data["url"])))


def _feed(found: WeatherFeed | None) -> dict[str, Any]:
    return dict(WeatherFeedSerializer(found).data) if found else {"url": "", "asked_at": None, "trouble": ""}


class Modelled(_Base):
    """What a participant's year would look like."""

    @extend_schema(responses={200: ModelledSerializer})
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """The year that was worked out; 404 for who may not see its curves, and where there is none."""
        found = reads.participant(slug, pk, request.user)
        year = ModelledYear.objects.filter(participant=found).first()
        if year is None or not policies.may_see_readings(request.user, found):
            raise UnknownParticipant(_("There is no modelled year here, or it is not yours to see."))
        return Response(ModelledSerializer(year).data)

    @extend_schema(request=None, responses={202: StartedSerializer})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Work it out anew. For the household."""
        found = reads.participant(slug, pk, request.user)
        if not isinstance(request.user, User):
            raise UnknownParticipant(_("There is no such participant, or it is not yours to see."))
        run = modelling.start_home(participant=found, by=request.user)
        return Response({"run": run.pk}, status=status.HTTP_202_ACCEPTED)
