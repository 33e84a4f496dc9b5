"""What the map of a district reads besides GeoJSON: tiles in parts, roofs as triangles, a stored day."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

from django.http import FileResponse, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import BadInput
from commons.web.problems import PROBLEM_JSON, problem
from twin import map_files, queries
from twin.api.districts import READ, VERSION, asked_number
from twin.errors import NoMapFile
from twin.models import DistrictVersion
from twin.queries import live

FOR_EVER = "public, max-age=31536000, immutable"
_RANGE = re.compile(r"^bytes=(\d{0,15})-(\d{0,15})$")
MOST_AT_ONCE = 4 * 1024 * 1024
"""Bytes of one answer to a question for a part; a browser asks for tiles of some 0.1 MB."""


class MapTiles(APIView):
    """The vector tiles of a large district as one PMTiles file, read in parts (Range)."""

    permission_classes = READ

    @extend_schema(
        responses={(200, "application/vnd.pmtiles"): OpenApiTypes.BINARY, 206: None, 416: None},
        operation_id="districts_map_tiles",
        parameters=[VERSION],
    )
    def get(self, request: Request, slug: str, name: str) -> HttpResponseBase:
        path = _file(request, slug, name, "pmtiles")
        return ranged(path, request.headers.get("Range", ""), tag=name)


class MapRoofs(APIView):
    """The buildings of a district's 3D model as triangles (the form is written in docs/map-of-the-district.md)."""

    permission_classes = READ

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, 304: None},
        operation_id="districts_map_roofs",
        parameters=[VERSION],
    )
    def get(self, request: Request, slug: str, name: str) -> HttpResponse:
        path = _file(request, slug, name, "mesh.gz")
        response = HttpResponse(path.read_bytes(), content_type="application/octet-stream")
        response["Content-Encoding"] = "gzip"
        response["Cache-Control"] = FOR_EVER
        return response


def _file(request: Request, slug: str, name: str, form: map_files.Form) -> Path:
    of: DistrictVersion = queries.version(queries.district(slug), asked_number(request))
    found = map_files.named(of, name, form)
    if found is None:
        raise NoMapFile(_("This file of the map is not there; it may have been made anew. Load the page again."))
    return found


def ranged(path: Path, asked: str, *, tag: str) -> HttpResponseBase:
    """The file, or the part that is asked for: 206, or 416 where it begins behind the end. Of several parts the whole
    file is the right answer (RFC 9110, 14.2).
    """
    size = path.stat().st_size
    found = _RANGE.match(asked)
    response: HttpResponseBase
    if found is None or not (found[1] or found[2]):
        response = FileResponse(path.open("rb"), content_type="application/vnd.pmtiles")
    else:
        first = int(found[1]) if found[1] else max(size - int(found[2]), 0)
        last = min(int(found[2]) if found[1] and found[2] else size - 1, size - 1, first + MOST_AT_ONCE - 1)
        if first >= size or last < first:
            told = problem(416, _("Not satisfiable"), _("The file ends before that byte."), "twin:range")
            response = JsonResponse(told, status=416, content_type=PROBLEM_JSON)
            response["Content-Range"] = f"bytes */{size}"
        else:
            with path.open("rb") as source:
                source.seek(first)
                body = source.read(last - first + 1)
            response = HttpResponse(body, status=206, content_type="application/vnd.pmtiles")
            response["Content-Range"] = f"bytes {first}-{last}/{size}"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = f'"{tag}"'
    response["Cache-Control"] = FOR_EVER
    return response


class PlayedSerializer(serializers.Serializer[Any]):
    """A thing through a day: mean power of each quarter of an hour in W (null: not heard), and of a machine what it
    did: working, free, unknown.
    """

    id = serializers.CharField()
    title = serializers.CharField()
    watts = serializers.ListField(child=serializers.FloatField(allow_null=True))
    states = serializers.ListField(child=serializers.CharField(), allow_null=True)


class DaySerializer(serializers.Serializer[Any]):
    """A stored day of a district."""

    day = serializers.DateField()
    start = serializers.DateTimeField()
    step_s = serializers.SerializerMethodField()
    labs = PlayedSerializer(many=True)
    machines = PlayedSerializer(many=True)
    meters = PlayedSerializer(many=True)

    def get_step_s(self, _day: live.Day) -> int:
        return live.STEP_S


class DistrictReplay(APIView):
    """A stored day of the district: power of its labs, machines, public meters and sensors, by quarters of an hour."""

    permission_classes = READ

    @extend_schema(
        parameters=[OpenApiParameter("day", dt.date, description="The day by the place's clock; today without it.")],
        responses=DaySerializer,
        operation_id="districts_replay_retrieve",
    )
    def get(self, request: Request, slug: str) -> Response:
        district = queries.district(slug)
        found = live.things(district)
        today = timezone.now().astimezone(found.zone).date()
        return Response(DaySerializer(live.replay(found, _day(request.query_params.get("day", ""), today))).data)


def _day(text: str, today: dt.date) -> dt.date:
    """The day that is asked for. Raises BadInput for what is no day, or one to come."""
    try:
        day = dt.date.fromisoformat(text) if text else today
    except ValueError:
        day = None
    if day is None or day > today or day.year < 2000:
        raise BadInput(_("“%(text)s” is no day that has been, such as 2026-11-23.") % {"text": text[:40]}, where="day")
    return day
