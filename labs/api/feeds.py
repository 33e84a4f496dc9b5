"""Calendar feeds: the text itself behind a secret key, and the keys of the caller."""

import json
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import renderers, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.web.api import requires
from labs.api.bookings import OWN, signed_in
from labs.errors.feeds import UnknownFeed
from labs.models import FeedKey
from labs.queries import catalogue, feeds
from labs.services import feeds as services

KEY = OpenApiParameter("key", OpenApiTypes.STR, required=True, description="the secret of the address")


class CalendarText(renderers.BaseRenderer):
    """RFC 5545."""

    media_type = "text/calendar"
    format = "ics"
    charset = "utf-8"

    def render(self, data: Any, *_args: Any, **_kwargs: Any) -> bytes:
        """Text as it is; a refusal as the document that it calls itself."""
        return (data if isinstance(data, str) else json.dumps(data, default=str, ensure_ascii=False)).encode()


class Whatever(BaseContentNegotiation):
    """Calendar programs ask for all kinds of types, and there is one answer."""

    def select_parser(self, request: Request, parsers: Sequence[BaseParser]) -> BaseParser:  # type: ignore[override]
        """The first."""
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """The first."""
        return (renderers[0], renderers[0].media_type)


class Calendar(APIView):
    """A calendar feed."""

    permission_classes = requires(anonymous_reads=True)
    authentication_classes = ()
    renderer_classes = (CalendarText,)
    content_negotiation_class = Whatever

    def show(self, request: Request, key: FeedKey) -> HttpResponse:
        """The feed, or 304 when the caller has it already."""
        now = timezone.now()
        services.used(key=key, today=now.date())
        made = feeds.feed(key, now=now)
        etag = quote_etag(feeds.digest(made.body)[:32])
        answer = HttpResponse(made.body, content_type="text/calendar; charset=utf-8")
        answer.headers["ETag"] = etag
        answer.headers["Last-Modified"] = http_date(made.changed.timestamp())
        answer.headers["Cache-Control"] = "private, no-cache"
        answer.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
        found = get_conditional_response(
            request._request, etag=etag, last_modified=int(made.changed.timestamp()), response=answer
        )
        assert found is not None  # noqa: S101 it was given one
        return found


class MyCalendar(Calendar):
    """My bookings as a calendar."""

    @extend_schema(operation_id="people_me_calendar", parameters=[KEY], responses={(200, "text/calendar"): str})
    def get(self, request: Request) -> HttpResponse:
        """The bookings of the person whose key it is."""
        key = feeds.find_key(request.query_params.get("key", ""), kind=FeedKey.Kind.PERSON)
        return self.show(request, key)


class LabCalendar(Calendar):
    """A lab's bookings as a calendar."""

    @extend_schema(operation_id="labs_calendar", parameters=[KEY], responses={(200, "text/calendar"): str})
    def get(self, request: Request, lab: str) -> HttpResponse:
        """The lab's bookings; people's names only for the lab's own people."""
        key = feeds.find_key(request.query_params.get("key", ""), kind=FeedKey.Kind.LAB, lab=lab)
        return self.show(request, key)


class MachineCalendar(Calendar):
    """A machine's bookings as a calendar."""

    @extend_schema(operation_id="machines_calendar", parameters=[KEY], responses={(200, "text/calendar"): str})
    def get(self, request: Request, machine: int) -> HttpResponse:
        """The machine's bookings; people's names only for the lab's own people."""
        key = feeds.find_key(request.query_params.get("key", ""), kind=FeedKey.Kind.MACHINE, machine=machine)
        return self.show(request, key)


class FeedSerializer(serializers.ModelSerializer[FeedKey]):
    """A calendar address. `url` is told once, when it is made."""

    lab = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = FeedKey
        fields = ("id", "kind", "machine", "lab", "created_at", "last_used_on", "url")
        read_only_fields = fields

    def get_lab(self, key: FeedKey) -> str | None:
        """The lab's name in addresses, or null."""
        return key.lab.slug if key.lab else None

    def get_url(self, key: FeedKey) -> str | None:
        """The address with its key, or null."""
        return self.context.get("url")


class NewFeed(serializers.Serializer[Any]):
    """Of what: a machine's number, a lab's name, or neither for one's own bookings."""

    machine = serializers.IntegerField(required=False, allow_null=True)
    lab = serializers.CharField(required=False, allow_blank=True, max_length=39)


class Feeds(APIView):
    """Calendar addresses."""

    permission_classes = OWN

    @extend_schema(operation_id="people_me_calendars_list", responses=FeedSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Those that you have made; their keys are not told again."""
        return Response(FeedSerializer(feeds.of_person(signed_in(request)), many=True).data)

    @extend_schema(request=NewFeed, responses={201: FeedSerializer})
    def post(self, request: Request) -> Response:
        """Make one, or renew it: the old address opens nothing any more."""
        form = NewFeed(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        machine = catalogue.find_machine(pk=asked["machine"]) if asked.get("machine") else None
        lab = catalogue.find_lab(asked["lab"]) if asked.get("lab") and not machine else None
        key, secret = services.make_key(user=signed_in(request), machine=machine, lab=lab)
        context = {"url": address(request._request, key, secret)}
        return Response(FeedSerializer(key, context=context).data, status=201)


class OneFeed(APIView):
    """A calendar address."""

    permission_classes = OWN

    @extend_schema(responses={204: None})
    def delete(self, request: Request, feed: int) -> Response:
        """Remove it; it opens nothing any more."""
        key = FeedKey.objects.filter(pk=feed, user=signed_in(request)).first()
        if key is None:
            raise UnknownFeed(_("There is no such calendar, or it is not yours."))
        services.remove_key(key=key)
        return Response(status=204)


def address(request: HttpRequest, key: FeedKey, secret: str) -> str:
    """The whole secret address of a feed."""
    if key.machine_id:
        path = reverse("api:machine_calendar", args=[key.machine_id])
    elif key.lab is not None:
        path = reverse("api:lab_calendar", args=[key.lab.slug])
    else:
        path = reverse("api:my_calendar")
    return f"{request.build_absolute_uri(path)}?key={secret}"
