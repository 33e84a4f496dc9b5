"""Reports over the API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Scope, User
from commons.reports import queries, services
from commons.reports.models import Reason, Report
from commons.web.api import CursorPagination, requires
from commons.web.schema import page_of


class ReportIn(serializers.Serializer[Any]):
    """What is wrong with a thing of the site."""

    kind = serializers.CharField(max_length=40, help_text="such as designs.design, designs.comment, designs.make")
    key = serializers.CharField(max_length=80, help_text="its number; for a design also owner/slug")
    reason = serializers.ChoiceField(choices=Reason.choices)
    words = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class ReportOut(serializers.Serializer[Any]):
    """A report of the caller's."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    key = serializers.CharField()
    title = serializers.CharField()
    reason = serializers.CharField()
    words = serializers.CharField()
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField(allow_null=True, help_text="dismissed or hidden, once it is decided")


def _document(report: Report) -> dict[str, Any]:
    case = report.case
    return {
        "id": report.pk, "kind": case.kind, "key": case.key, "title": case.title, "reason": report.reason,
        "words": report.words, "created_at": report.created_at, "closed_at": report.closed_at,
        "outcome": report.outcome or None,
    }  # fmt: skip


class Reports(APIView):
    """Say that something is wrong; what became of it."""

    permission_classes = requires(read=Scope.DESIGNS_READ, write=Scope.DESIGNS_WRITE)  # they tell of private designs

    @extend_schema(operation_id="reports_list", responses=page_of(ReportOut), description="The caller's own.")
    def get(self, request: Request) -> Response:
        """The caller's reports, newest first."""
        assert isinstance(request.user, User)  # noqa: S101 the permission saw to it
        pages = CursorPagination()
        page: list[Report] = pages.paginate_queryset(queries.reports_of(request.user), request, view=self) or []
        return pages.get_paginated_response(ReportOut([_document(report) for report in page], many=True).data)

    @extend_schema(operation_id="reports_create", request=ReportIn, responses={201: ReportOut})
    def post(self, request: Request) -> Response:
        """Report something."""
        assert isinstance(request.user, User)  # noqa: S101 the permission saw to it
        sent = ReportIn(data=request.data)
        sent.is_valid(raise_exception=True)
        made = services.report(by=request.user, **sent.validated_data)
        return Response(ReportOut(_document(made)).data, status=201)
