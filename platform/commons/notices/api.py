"""My notices over the API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.notices import queries, services
from commons.notices.models import Notice
from commons.people.models import Scope, User
from commons.web.api import CursorPagination, requires
from commons.web.schema import page_of


class NoticeOut(serializers.Serializer[Any]):
    """Something that happened and concerns the caller."""

    id = serializers.IntegerField()
    kind = serializers.CharField(help_text="room.event")
    text = serializers.CharField()
    url = serializers.CharField(help_text="a path of this site")
    actor = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class ReadIn(serializers.Serializer[Any]):
    """Which notices were read; all of them without `ids`."""

    ids = serializers.ListField(child=serializers.IntegerField(), required=False, max_length=500)


class ReadOut(serializers.Serializer[Any]):
    """How many were unread before, and are now."""

    read = serializers.IntegerField()
    unread = serializers.IntegerField()


def _document(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.pk, "kind": notice.kind, "text": notice.sentence, "url": notice.url,
        "actor": notice.actor.username if notice.actor else None,
        "created_at": notice.created_at, "read_at": notice.read_at,
    }  # fmt: skip


class Notices(APIView):
    """The caller's notices."""

    permission_classes = requires(read=Scope.DESIGNS_READ, write=Scope.DESIGNS_WRITE)  # they tell of private designs

    @extend_schema(responses=page_of(NoticeOut), description="Newest first, in cursor pages.")
    def get(self, request: Request) -> Response:
        """Notices that still lead somewhere."""
        assert isinstance(request.user, User)  # noqa: S101 the permission saw to it
        pages = CursorPagination()
        mine = Notice.objects.filter(person=request.user).select_related("actor")
        page: list[Notice] = pages.paginate_queryset(mine, request, view=self) or []
        shown = queries.visible(request.user, page)
        return pages.get_paginated_response(NoticeOut([_document(notice) for notice in shown], many=True).data)

    @extend_schema(request=ReadIn, responses={200: ReadOut})
    def post(self, request: Request) -> Response:
        """Mark notices read."""
        assert isinstance(request.user, User)  # noqa: S101 the permission saw to it
        sent = ReadIn(data=request.data)
        sent.is_valid(raise_exception=True)
        done = services.mark_read(person=request.user, numbers=sent.validated_data.get("ids"))
        return Response(ReadOut({"read": done, "unread": queries.unread_count(request.user)}).data)
