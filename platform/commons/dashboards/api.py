"""Dashboards over the API; readable without a token."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.dashboards import documents
from commons.places import queries as places
from commons.web.api import requires


class PartNameOut(serializers.Serializer[Any]):
    """Something that can be read of a dashboard."""

    what = serializers.CharField()
    title = serializers.CharField()
    url = serializers.CharField()


class DashboardOut(serializers.Serializer[Any]):
    """What there is to read of a place."""

    place = serializers.CharField()
    parts = PartNameOut(many=True)


class PartOut(serializers.Serializer[Any]):
    """A part of a dashboard with its definition; `rows` have the names of `columns`."""

    what = serializers.CharField()
    title = serializers.CharField()
    place = serializers.CharField()
    at = serializers.DateTimeField()
    definition = serializers.CharField()
    version = serializers.CharField()
    demo = serializers.BooleanField()
    url = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.DictField())


class Dashboard(APIView):
    """A place's dashboard."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(operation_id="places_dashboard_list", responses={200: DashboardOut})
    def get(self, request: Request, slug: str) -> Response:
        """The names of its parts."""
        here = places.place(slug)
        parts = [
            {"what": what, "title": title, "url": reverse("api:place-dashboard-part", args=[here.slug, what])}
            for what, title in documents.names(here)
        ]
        return Response(DashboardOut({"place": here.slug, "parts": parts}).data)


class Part(APIView):
    """A figure's past, a panel, the sectors or the comparison."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(operation_id="places_dashboard_part", responses={200: PartOut})
    def get(self, request: Request, slug: str, what: str) -> Response:
        """With definition and version."""
        document = documents.table(what, places.place(slug)).document()
        return Response({**document, **PartOut(document).data})
