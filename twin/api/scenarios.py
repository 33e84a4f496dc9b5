"""The API of scenarios: made and revised by everybody, run, compared; GeoJSON of what differs where.

Nobody needs an account. Who has a scenario's id may see it, also where it is not listed. Who made it without an account
gets an `edit_key` once, in the answer to the POST, and sends it as the header `X-Edit-Key` to change it.
"""

import gzip
import secrets
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from commons.errors import BadInput, NotAllowed
from commons.people.models import User
from commons.runs.api import RunSerializer, accepted
from commons.runs.models import Run
from commons.web.api import SAFE, CursorPagination, Throttle, has_scope
from twin import comparison, policies, queries, services
from twin.api.districts import geojson
from twin.errors import NoAnswerYet, NoSuchLayer
from twin.models import Scenario, ScenarioResult, ScenarioVersion

PAGED = [OpenApiParameter("cursor", str), OpenApiParameter("limit", int)]
MOST_BESIDE = 6
EDIT_KEY = OpenApiParameter("X-Edit-Key", str, OpenApiParameter.HEADER, description="of who made it without an account")


class Everybody(permissions.BasePermission):
    """Everybody reads and writes; a token needs its scope to write."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method in SAFE or request.auth is None or has_scope(request.auth, "twin:write")


class ScenarioThrottle(Throttle):
    """Scenarios made, changed and run, by person or address."""

    scope = "scenario"
    rate = "30/min"

    def get_rate(self) -> str:
        """So many in a minute."""
        return self.rate

    def principal(self, request: Request) -> str | None:
        """Reading is not counted here."""
        if request.method in SAFE:
            return None
        user = request.user
        return f"user:{user.pk}" if isinstance(user, User) else f"ip:{self.get_ident(request)}"


class ScenarioView(APIView):
    """What these views share."""

    permission_classes = (Everybody,)

    def get_throttles(self) -> list[Any]:
        """The usual ones, and one of its own for writing."""
        return [*super().get_throttles(), ScenarioThrottle()]


class ScenarioVersionSerializer(serializers.ModelSerializer[ScenarioVersion]):
    """One list of measures."""

    class Meta:
        model = ScenarioVersion
        fields = ("number", "measures", "assumptions", "note", "created_at")
        read_only_fields = fields


class ScenarioSerializer(serializers.ModelSerializer[Scenario]):
    """A scenario with its newest version. `may_edit`: whether the caller may change it."""

    district = serializers.CharField(source="district.slug", read_only=True)
    owner = serializers.CharField(source="owner.username", default=None, read_only=True, allow_null=True)
    version = serializers.SerializerMethodField()
    measures = serializers.SerializerMethodField()
    assumptions = serializers.SerializerMethodField()
    parent = serializers.SerializerMethodField()  # type: ignore[assignment]  # of the answer
    versions = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    may_edit = serializers.SerializerMethodField()

    class Meta:
        model = Scenario
        fields = (
            "id", "district", "owner", "title", "question", "listed", "version", "versions", "measures", "assumptions",
            "parent", "may_edit", "created_at", "url",
        )  # fmt: skip
        read_only_fields = fields

    def _newest(self, of: Scenario) -> ScenarioVersion:
        return max(of.versions.all(), key=lambda each: each.number)

    def get_version(self, of: Scenario) -> int:
        """The number of the newest version."""
        return self._newest(of).number

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_measures(self, of: Scenario) -> list[Any]:
        """Of the newest version."""
        return list(self._newest(of).measures)

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_assumptions(self, of: Scenario) -> dict[str, Any]:
        """Of the newest version, only what differs from ours."""
        return dict(self._newest(of).assumptions)

    @extend_schema_field(ScenarioVersionSerializer(many=True))
    def get_versions(self, of: Scenario) -> list[Any]:
        """All of them, newest first."""
        rows = sorted(of.versions.all(), key=lambda each: -each.number)
        return list(ScenarioVersionSerializer(rows, many=True).data)

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_parent(self, of: Scenario) -> dict[str, Any] | None:
        """What it was copied from, where that is listed: {"scenario", "version"}."""
        found = of.parent_version
        if found is None or not found.scenario.listed:
            return None
        return {"scenario": found.scenario_id, "version": found.number}

    def get_url(self, of: Scenario) -> str:
        """Where it is."""
        return reverse("api:scenario", args=[of.pk], request=self.context.get("request"))

    def get_may_edit(self, of: Scenario) -> bool:
        """Whether the caller may change it."""
        request = self.context["request"]
        return policies.may_edit_scenario(request.user, of, edit_key(request))


class MadeScenarioSerializer(ScenarioSerializer):
    """A new scenario; `edit_key` is said once, to who has no account."""

    edit_key = serializers.CharField(read_only=True, allow_null=True)

    class Meta(ScenarioSerializer.Meta):
        fields = (*ScenarioSerializer.Meta.fields, "edit_key")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class ScenarioInSerializer(serializers.Serializer[dict[str, Any]]):
    """A scenario file: a title, a question, and measures as [{"kind": …, field: value}]."""

    title = serializers.CharField(max_length=services.scenarios.LONGEST_TITLE)
    question = serializers.CharField(
        max_length=services.scenarios.LONGEST_QUESTION, required=False, allow_blank=True, default=""
    )
    measures = serializers.ListField(child=serializers.JSONField(), allow_empty=True)
    assumptions = serializers.DictField(required=False, default=dict)
    listed = serializers.BooleanField(required=False, default=True)


class ScenarioChangeSerializer(serializers.Serializer[dict[str, Any]]):
    """What to change; other measures or assumptions make a new version."""

    title = serializers.CharField(max_length=services.scenarios.LONGEST_TITLE, required=False)
    question = serializers.CharField(max_length=services.scenarios.LONGEST_QUESTION, required=False, allow_blank=True)
    measures = serializers.ListField(child=serializers.JSONField(), allow_empty=True, required=False)
    assumptions = serializers.DictField(required=False)
    listed = serializers.BooleanField(required=False)
    note = serializers.CharField(max_length=services.scenarios.LONGEST_NOTE, required=False, allow_blank=True)


class ForkSerializer(serializers.Serializer[dict[str, Any]]):
    """What to copy: a version, the newest without one; and under which title."""

    version = serializers.IntegerField(required=False, min_value=1)
    title = serializers.CharField(
        max_length=services.scenarios.LONGEST_TITLE, required=False, allow_blank=True, default=""
    )
    listed = serializers.BooleanField(required=False, default=True)


class ScenarioPageSerializer(serializers.Serializer[dict[str, Any]]):
    """A page of scenarios, newest first."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ScenarioSerializer(many=True)


class AskScenarioSerializer(serializers.Serializer[dict[str, Any]]):
    """How deep, and of which version; the newest without one."""

    depth = serializers.ChoiceField(choices=ScenarioResult.Depth.choices, default=ScenarioResult.Depth.QUICK)
    version = serializers.IntegerField(required=False, min_value=1)


class ScenarioResultSerializer(serializers.ModelSerializer[ScenarioResult]):
    """A kept answer, without its figures."""

    version = serializers.IntegerField(source="version.number", read_only=True)
    run = serializers.UUIDField(source="run_id", read_only=True)

    class Meta:
        model = ScenarioResult
        fields = (
            "version", "depth", "inputs_hash", "city_version", "engines", "seeds", "detail_sha256", "took_s", "run",
            "made_at",
        )  # fmt: skip
        read_only_fields = fields


class ScenarioRunsSerializer(serializers.Serializer[dict[str, Any]]):
    """What was answered to a scenario, and the runs that work on its newest version."""

    results = ScenarioResultSerializer(many=True)
    runs = RunSerializer(many=True)


class ScenarioFigureSerializer(serializers.Serializer[dict[str, Any]]):
    """A figure today and in the scenario; `low` and `high` are null where it has no range, and `how` says why."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of the answer
    unit = serializers.CharField()
    group = serializers.ChoiceField(choices=["energy", "traffic", "access", "carbon", "risk"])
    baseline = serializers.FloatField()
    scenario = serializers.FloatField()
    difference = serializers.FloatField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    better = serializers.ChoiceField(choices=["up", "down", "none"])
    engine = serializers.CharField()
    how = serializers.CharField()


class ScenarioWhoSerializer(serializers.Serializer[dict[str, Any]]):
    """How many of a group gain and lose by a figure; people for ages, else buildings."""

    by = serializers.ChoiceField(choices=["use", "age", "member"])
    group = serializers.CharField()
    count = serializers.IntegerField()
    figure = serializers.CharField()
    unit = serializers.CharField()
    gain = serializers.IntegerField()
    lose = serializers.IntegerField()
    same = serializers.IntegerField()
    median = serializers.FloatField()


class ScenarioEngineSerializer(serializers.Serializer[dict[str, Any]]):
    """An engine that answered."""

    name = serializers.CharField()
    version = serializers.CharField()
    what = serializers.CharField()


class ComparisonSerializer(serializers.Serializer[dict[str, Any]]):
    """A scenario beside today."""

    scenario = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    district = serializers.CharField()
    city_version = serializers.IntegerField()
    depth = serializers.CharField()
    inputs_hash = serializers.CharField()
    seeds = serializers.ListField(child=serializers.IntegerField())
    engines = ScenarioEngineSerializer(many=True)
    figures = ScenarioFigureSerializer(many=True)
    who = ScenarioWhoSerializer(many=True)
    limits = serializers.ListField(child=serializers.CharField())
    buildings = serializers.CharField()
    streets = serializers.CharField()
    took_s = serializers.FloatField()
    licence = serializers.CharField(help_text="of the city model that it was reckoned from")
    attribution = serializers.CharField()


class ComparisonsSerializer(ComparisonSerializer):
    """A scenario beside today, and up to five others of the same district in `others`."""

    others = ComparisonSerializer(many=True)


def caller(request: Request) -> User | None:
    """Who calls, None for somebody without an account. Raises NotAllowed for devices."""
    if isinstance(request.user, User):
        return request.user
    if getattr(request.user, "is_authenticated", False):
        raise NotAllowed(_("Only people do this."))
    return None


def edit_key(request: Request | HttpRequest) -> str:
    """The key that the caller sent."""
    return str(request.headers.get("X-Edit-Key", ""))[:200]


class Scenarios(ScenarioView):
    """Scenarios of a district."""

    @extend_schema(operation_id="districts_scenarios_list", parameters=PAGED, responses=ScenarioPageSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Those that are listed, and one's own, newest first."""
        rows = queries.scenarios.scenarios(queries.district(slug), caller(request)).prefetch_related("versions")
        pages = CursorPagination()
        pages.ordering = "-created_at"
        page = pages.paginate_queryset(rows.select_related("parent_version__scenario"), request, view=self)
        shown = ScenarioSerializer(page, many=True, context={"request": request})
        return pages.get_paginated_response(shown.data)

    @extend_schema(
        operation_id="districts_scenarios_create",
        request=ScenarioInSerializer,
        responses={201: MadeScenarioSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """A new scenario; without an account the answer has the key to change it with."""
        asked = ScenarioInSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        by, key = caller(request), _new_key(request)
        made = services.scenarios.create(district=queries.district(slug), by=by, edit_key=key, **asked.validated_data)
        return _made(made, key, request)


def _new_key(request: Request) -> str:
    return "" if caller(request) else secrets.token_urlsafe(24)


def _made(made: Scenario, key: str, request: Request) -> Response:
    document = ScenarioSerializer(queries.scenarios.scenario(made.pk), context={"request": request}).data
    shown = {**document, "may_edit": True, "edit_key": key or None}
    return Response(shown, status=201, headers={"Location": document["url"]})


class OneScenario(ScenarioView):
    """A scenario."""

    @extend_schema(operation_id="scenarios_retrieve", parameters=[EDIT_KEY], responses=ScenarioSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """With all its versions, for whoever has its id."""
        return Response(ScenarioSerializer(queries.scenarios.scenario(pk), context={"request": request}).data)

    @extend_schema(
        operation_id="scenarios_partial_update",
        parameters=[EDIT_KEY],
        request=ScenarioChangeSerializer,
        responses=ScenarioSerializer,
    )
    def patch(self, request: Request, pk: str) -> Response:
        """Change it; other measures or assumptions make a new version."""
        asked = ScenarioChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.scenarios.revise(
            scenario=queries.scenarios.scenario(pk),
            by=caller(request),
            edit_key=edit_key(request),
            **asked.validated_data,
        )
        return Response(ScenarioSerializer(queries.scenarios.scenario(pk), context={"request": request}).data)


class ScenarioFork(ScenarioView):
    """Copies of a scenario."""

    @extend_schema(operation_id="scenarios_fork", request=ForkSerializer, responses={201: MadeScenarioSerializer})
    def post(self, request: Request, pk: str) -> Response:
        """A copy that the caller goes on with."""
        asked = ForkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = dict(asked.validated_data)
        version = queries.scenarios.scenario_version(queries.scenarios.scenario(pk), data.pop("version", None))
        key = _new_key(request)
        return _made(services.scenarios.fork(version=version, by=caller(request), edit_key=key, **data), key, request)


class ScenarioRuns(ScenarioView):
    """Answers to a scenario."""

    @extend_schema(operation_id="scenarios_runs_list", responses=ScenarioRunsSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """What was answered, and what is at work."""
        found = queries.scenarios.scenario(pk)
        newest = queries.scenarios.scenario_version(found)
        runs = [queries.scenarios.scenario_run(newest, depth) for depth in ScenarioResult.Depth.values]
        return Response(
            {
                "results": ScenarioResultSerializer(queries.scenarios.scenario_results(found)[:100], many=True).data,
                "runs": RunSerializer([run for run in runs if run], many=True, context={"request": request}).data,
            }
        )

    @extend_schema(
        operation_id="scenarios_runs_create",
        request=AskScenarioSerializer,
        responses={200: ComparisonSerializer, 202: RunSerializer},
    )
    def post(self, request: Request, pk: str) -> Response:
        """The comparison if it is kept, else 202 with the run that makes it."""
        asked = AskScenarioSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        version = queries.scenarios.scenario_version(
            queries.scenarios.scenario(pk), asked.validated_data.get("version")
        )
        found = services.scenario_runs.start(version=version, depth=asked.validated_data["depth"], by=caller(request))
        if isinstance(found, Run):
            return accepted(found, request)
        return Response(comparison.document(found, version))


class ScenarioComparison(ScenarioView):
    """A scenario beside today, and beside others."""

    @extend_schema(
        operation_id="scenarios_comparison",
        parameters=[
            OpenApiParameter("depth", str, enum=ScenarioResult.Depth.values, description="the deepest without it"),
            OpenApiParameter("version", int, description="of this scenario; the newest without it"),
            OpenApiParameter("with", str, description="ids of up to five other scenarios, with commas between"),
        ],
        responses=ComparisonsSerializer,
    )
    def get(self, request: Request, pk: str) -> Response:
        """The kept comparison; 404 `twin:no-answer-yet` before a run has made it."""
        depth = request.query_params.get("depth", "")
        if depth and depth not in ScenarioResult.Depth.values:
            raise BadInput(_("There is no such depth."), where="depth")
        version = queries.scenarios.scenario_version(queries.scenarios.scenario(pk), _number(request))
        others = [each for each in request.query_params.get("with", "").split(",") if each]
        if len(others) >= MOST_BESIDE:
            raise BadInput(_("Up to %(n)d scenarios stand side by side.") % {"n": MOST_BESIDE}, where="with")
        found = comparison.document(queries.scenarios.answered(version, depth), version)
        found["others"] = []
        for other in others:
            beside = queries.scenarios.scenario_version(queries.scenarios.scenario(other))
            if beside.scenario.district_id != version.scenario.district_id:
                raise BadInput(_("Scenarios of different districts cannot stand side by side."), where="with")
            found["others"].append(comparison.document(queries.scenarios.answered(beside, depth), beside))
        return Response(found)


def _number(request: Request) -> int | None:
    text = request.query_params.get("version", "")
    if text and not text.isdecimal():
        raise BadInput(_("A version is a number."), where="version")
    return int(text[:9]) if text else None


class ScenarioLayer(APIView):
    """What differs where."""

    permission_classes = (Everybody,)

    @extend_schema(
        operation_id="scenarios_layer",
        parameters=[
            OpenApiParameter(
                "fields", str, enum=["map"], description="`map`: no names, no shapes, no figures that differ nowhere."
            )
        ],
        responses={(200, "application/geo+json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, pk: str, inputs_hash: str, layer: str) -> HttpResponse:
        """Buildings or streets of an answer as GeoJSON, each with its own differences (`_before` is today)."""
        if layer not in {"buildings", "streets"}:
            raise NoSuchLayer(_("An answer has the layers buildings and streets."))
        queries.scenarios.scenario(pk)
        result = (
            ScenarioResult.objects.select_related("version__scenario__district").filter(inputs_hash=inputs_hash).first()
        )
        if result is None:
            raise NoAnswerYet(_("No engine has given this answer."))
        slim = request.query_params.get("fields") == "map"
        features = list(comparison.values(result, layer) if slim else comparison.features(result, layer))
        body = orjson.dumps({"type": "FeatureCollection", **comparison.credit(result), "features": features})
        packed = gzip.compress(body, compresslevel=6, mtime=0)
        response = geojson(packed, request.headers.get("Accept-Encoding", ""))
        patch_vary_headers(response, ["Accept-Encoding"])
        return response
