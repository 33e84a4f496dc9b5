"""The API of what is foreseen, of power, of a district's coverage, and of sandboxes."""

import uuid
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import BadInput
from commons.people.models import User
from commons.web.api import CursorPagination, requires
from twin import policies, queries
from twin.api.districts import READ
from twin.api.reckonings import ReckoningSerializer, _Reckoned
from twin.coverage.cells import breadth, cells, collected, depth
from twin.coverage.levels import standing
from twin.coverage.supply import next_step
from twin.coverage.systems import RULES_VERSION, SYSTEMS
from twin.errors import NothingForeseen, SandboxNotFound, SignInFirst
from twin.models import Ahead, CoverageDay, Sandbox
from twin.services import sandboxes as services


class AheadSerializer(serializers.ModelSerializer[Ahead]):
    """48 hours of a series from `start` on, kWh an hour (machine hours for machines), with the band of nine in ten and
    the best simple guess; `backtest` as it was when this was made; `came` and `score` once they are known.
    """

    backtest = serializers.DictField()
    middle = serializers.ListField(child=serializers.FloatField(allow_null=True))
    low = serializers.ListField(child=serializers.FloatField(allow_null=True))
    high = serializers.ListField(child=serializers.FloatField(allow_null=True))
    naive = serializers.ListField(child=serializers.FloatField(allow_null=True))
    came = serializers.ListField(child=serializers.FloatField(allow_null=True), allow_null=True)
    score = serializers.DictField(allow_null=True)

    class Meta:
        model = Ahead
        fields = (
            "series",
            "day",
            "start",
            "issued_at",
            "engine_version",
            "data_sha256",
            "source",
            "served",
            "best_naive",
            "middle",
            "low",
            "high",
            "naive",
            "backtest",
            "came",
            "score",
            "scored_at",
        )


class DistrictAhead(APIView):
    """The next 48 hours of a district."""

    permission_classes = READ

    @extend_schema(
        parameters=[OpenApiParameter("day", str, description="What was foreseen of this day; the newest without it.")],
        responses=AheadSerializer(many=True),
        operation_id="districts_ahead_list",
    )
    def get(self, request: Request, slug: str) -> Response:
        """Each series, as it was foreseen at the midnight that began the day."""
        found = queries.district(slug)
        text = request.query_params.get("day", "")
        rows = queries.newest_ahead(found)
        if text:
            try:
                day = parse_date(text)
            except ValueError:
                day = None
            if day is None:
                raise BadInput(_("“%(text)s” is no day such as 2026-11-23.") % {"text": text[:40]})
            rows = queries.ahead_of(found, day)
        if not rows:
            raise NothingForeseen(_("Nothing was foreseen of this district then."))
        return Response(AheadSerializer(rows, many=True).data)


class DistrictEnergy(_Reckoned):
    """Power of a district over a year as it is today: `parts` of use, solar, what the grid gives and takes (kWh), the
    prosumer ratio, the peak (kW), cost and CO2, sums by month and mean days of two seasons.
    """

    kind = "energy"

    @extend_schema(responses=ReckoningSerializer, operation_id="districts_energy_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        return self.answer(request, slug)


# --- coverage -----------------------------------------------------------------------------------------------
class DistrictEvidenceSerializer(serializers.Serializer[Any]):
    """A piece of evidence: the level that it was brought for, the one that it gives now, and why not more."""

    level = serializers.IntegerField()
    claimed_level = serializers.IntegerField()
    why = serializers.CharField(allow_blank=True)
    what = serializers.CharField()
    count = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of the answer, not of the class
    as_of = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField(allow_blank=True)
    proof = serializers.DictField()


class NextStepSerializer(serializers.Serializer[Any]):
    """What the next level wants."""

    level = serializers.IntegerField()
    words = serializers.CharField()
    why = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)
    command = serializers.CharField(allow_blank=True)


class SystemLevelSerializer(serializers.Serializer[Any]):
    """A system with its level."""

    system = serializers.CharField()
    title = serializers.CharField()
    level = serializers.IntegerField()
    evidence = DistrictEvidenceSerializer(many=True)
    next = NextStepSerializer(allow_null=True)


class CoverageDaySerializer(serializers.ModelSerializer[CoverageDay]):
    """What stood on a day."""

    levels = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = CoverageDay
        fields = ("day", "breadth", "depth", "levels", "rules")


class DistrictCoverageSerializer(serializers.Serializer[Any]):
    """The 16 systems of a district by the rules `rules`, and day by day."""

    place = serializers.CharField()
    rules = serializers.CharField()
    breadth = serializers.IntegerField()
    of = serializers.IntegerField()
    depth = serializers.FloatField()
    systems = SystemLevelSerializer(many=True)
    days = CoverageDaySerializer(many=True)


class DistrictCoverage(APIView):
    """How much of a district's city systems is modelled, each level with its evidence, and what would raise it."""

    permission_classes = READ

    @extend_schema(responses=DistrictCoverageSerializer, operation_id="districts_coverage_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        found = queries.district(slug)
        if found.place is None:
            raise NothingForeseen(_("The district models no place of the city, so it enters none of the figures."))
        now = timezone.now()
        made = cells(collected(found.place), now)
        document = {
            "place": found.place.slug,
            "rules": RULES_VERSION,
            "breadth": breadth(made),
            "of": len(SYSTEMS),
            "depth": depth(made),
            "systems": [self._system(cell, found, now) for cell in made],
            "days": queries.coverage_days(found.place.pk),
        }
        return Response(DistrictCoverageSerializer(document).data)

    @staticmethod
    def _system(cell: Any, found: Any, now: Any) -> dict[str, Any]:
        claims = [(piece, standing(piece, now)) for piece, _level in cell.evidence]
        why = next((stood.why for piece, stood in claims if piece.level > cell.level and stood.why), "")
        return {
            "system": cell.system.slug,
            "title": cell.system.title,
            "level": cell.level,
            "evidence": [
                {
                    "level": stood.level,
                    "claimed_level": piece.level,
                    "why": stood.why,
                    "what": piece.what,
                    "count": piece.count,
                    "source": piece.source,
                    "as_of": piece.as_of,
                    "url": piece.url,
                    "proof": dict(piece.proof),
                }
                for piece, stood in claims
            ],
            "next": next_step(cell, why, found),
        }


# --- sandboxes ----------------------------------------------------------------------------------------------
class SandboxSerializer(serializers.ModelSerializer[Sandbox]):
    """A frozen copy of a district; `run` works on it. `frozen` and `answer` stand in the single one alone."""

    version = serializers.IntegerField(source="version.number")
    owner = serializers.SlugRelatedField[User](slug_field="username", read_only=True, allow_null=True)
    score = serializers.DictField(allow_null=True)

    class Meta:
        model = Sandbox
        fields = (
            "id",
            "title",
            "owner",
            "version",
            "day",
            "start",
            "hours",
            "battery_kwh",
            "solar_share",
            "seed",
            "engine_version",
            "frozen_sha256",
            "run",
            "score",
            "scored_at",
            "created_at",
        )


class SandboxDetailSerializer(SandboxSerializer):
    """With what it was made of and what it says: lines of hours, each with middle, low and high."""

    frozen = serializers.DictField(allow_null=True)
    answer = serializers.DictField(allow_null=True)

    class Meta:
        model = Sandbox
        fields = (*SandboxSerializer.Meta.fields, "frozen", "answer")


class BranchSerializer(serializers.Serializer[Any]):
    """What to branch: 48 or 720 hours, storage that is added in the copy, solar as a share of what there is."""

    title = serializers.CharField(max_length=120)
    hours = serializers.ChoiceField(choices=services.HOURS, default=48)
    battery_kwh = serializers.FloatField(min_value=0, max_value=services.MOST_KWH, default=0.0)
    solar_share = serializers.FloatField(min_value=0, max_value=services.MOST_SHARE, default=0.0)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=1)


class SandboxPages(CursorPagination):
    """Newest first."""

    ordering = "-created_at"


class DistrictSandboxes(ListAPIView[Sandbox]):
    """The sandboxes of a district."""

    permission_classes = requires(write="twin:write", anonymous_reads=True)
    serializer_class = SandboxSerializer
    pagination_class = SandboxPages
    filter_backends = ()

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Sandbox.objects.none()
        found = queries.district(self.kwargs["slug"])
        return Sandbox.objects.filter(district=found).select_related("version", "owner").defer("frozen", "answer")

    @extend_schema(request=BranchSerializer, responses={201: SandboxSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Branch one; its run is queued."""
        found = queries.district(slug)
        asked = BranchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if not isinstance(request.user, User):
            raise SignInFirst(_("A token of a person is needed to begin a run."))
        box = services.branch(district=found, by=request.user, **asked.validated_data)
        return Response(SandboxSerializer(box).data, status=201)


class OneSandbox(APIView):
    """One sandbox."""

    permission_classes = requires(write="twin:write", anonymous_reads=True)
    serializer_class = SandboxDetailSerializer

    @extend_schema(responses=SandboxDetailSerializer, operation_id="districts_sandboxes_retrieve")
    def get(self, request: Request, slug: str, pk: uuid.UUID) -> Response:
        """What it was made of, what it says, how far it was off so far."""
        return Response(SandboxDetailSerializer(queries.sandbox(queries.district(slug), pk)).data)

    @extend_schema(responses={204: None}, operation_id="districts_sandboxes_destroy")
    def delete(self, request: Request, slug: str, pk: uuid.UUID) -> Response:
        """Take it away; for who branched it and for stewards."""
        box = queries.sandbox(queries.district(slug), pk)
        if not policies.may_remove_sandbox(request.user, box):
            raise SandboxNotFound(_("There is no such sandbox in this district."))
        services.remove(sandbox=box)
        return Response(status=204)
