"""The API of runs: see them, wait for them, stop them."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import translation
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from commons.runs import policies, queries, services
from commons.runs.models import Run
from commons.said import language_of
from commons.web.api import CursorPagination, requires

LANGUAGE = OpenApiParameter("lang", str, description="of title and stage, such as fi; the site's own without it")


class RunErrorSerializer(serializers.Serializer[Any]):
    """Why a run has no result."""

    code = serializers.CharField()
    detail = serializers.CharField()


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run as every room answers it: 202 when it is started, and then at `runs/{id}/`."""

    title = serializers.CharField(source="name", read_only=True)
    stage = serializers.CharField(source="doing", read_only=True)
    result = serializers.JSONField(read_only=True, allow_null=True)
    error = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    events = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = (
            "id", "kind", "title", "subject", "status", "progress", "stage", "result", "error", "inputs_sha256",
            "engine_version", "seed", "attempts", "cancel_requested", "created_at", "started_at", "finished_at",
            "url", "events",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(RunErrorSerializer(allow_null=True))
    def get_error(self, run: Run) -> dict[str, str] | None:
        """The refusal's code and sentence, or null."""
        return {"code": run.error_code, "detail": run.error} if run.error_code else None

    def get_url(self, run: Run) -> str:
        """Where to ask again."""
        return reverse("api:run", args=[run.pk], request=self.context.get("request"))

    def get_events(self, run: Run) -> str:
        """Server-sent events of its progress."""
        return f"{self.get_url(run)}events"


def accepted(run: Run, request: Request) -> Response:
    """202 with the run and where to ask for it: what a POST that starts long work answers."""
    document = RunSerializer(run, context={"request": request}).data
    return Response(document, status=202, headers={"Location": document["url"]})


class RunPages(CursorPagination):
    """Newest first."""

    ordering = "-created_at"


class RunList(generics.ListAPIView[Run]):
    """Runs that the caller may see, newest first."""

    permission_classes = requires(anonymous_reads=True)
    serializer_class = RunSerializer
    pagination_class = RunPages
    filters: ClassVar[tuple[str, ...]] = ("kind", "status", "subject")
    queryset = Run.objects.none()

    def get_queryset(self) -> QuerySet[Run]:
        """Those of the filters in the address."""
        given = {name: self.request.query_params[name] for name in self.filters if name in self.request.query_params}
        return queries.visible_to(self.request.user, self.request.auth).filter(**given)

    @extend_schema(
        parameters=[
            OpenApiParameter("kind", description="such as energy.simulate"),
            OpenApiParameter("status", enum=Run.Status.values),
            OpenApiParameter("subject", description="such as energy.community:fontana17"),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of them."""
        return super().get(request, *args, **kwargs)


class RunDetail(APIView):
    """One run."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(parameters=[LANGUAGE], responses={200: RunSerializer})
    def get(self, request: Request, pk: UUID) -> Response:
        """How far it is, or what came of it."""
        run = queries.run(pk, request.user, request.auth)
        with translation.override(language_of(request.query_params.get("lang", ""))):
            return Response(RunSerializer(run, context={"request": request}).data)


class RunCancel(APIView):
    """Stop a run."""

    permission_classes = requires()

    @extend_schema(request=None, responses={200: RunSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Ask it to stop; one that waits stops at once, one that works stops at its next step."""
        run = queries.run(pk, request.user, request.auth)
        policies.check_may_cancel(request.user, run, token=request.auth)
        services.cancel(run=run)
        run.refresh_from_db()
        return Response(RunSerializer(run, context={"request": request}).data)
