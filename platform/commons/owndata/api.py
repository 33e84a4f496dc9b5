"""The API of one's own data: ask for the file, fetch it, close the account."""

import uuid
from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from commons.owndata import closing, exports
from commons.people.models import Scope, User
from commons.runs.api import RunSerializer, accepted
from commons.web.api import SAFE, has_scope

ZIP = "application/zip"
READS = (Scope.DESIGNS_READ, Scope.BOOKINGS_READ, Scope.ENERGY_READ)
WRITES = (Scope.DESIGNS_WRITE, Scope.BOOKINGS_WRITE, Scope.ENERGY_READ)


class WholePerson(permissions.BasePermission):
    """Who is signed in; a token only where it may do in every room what is asked, since nothing is left out here."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not (request.user and request.user.is_authenticated):
            return False
        token = request.auth
        if token is None or has_scope(token, Scope.ADMIN):
            return True
        return all(has_scope(token, scope) for scope in (READS if request.method in SAFE else WRITES))


class ExportOut(serializers.Serializer[Any]):
    """A file that can be fetched until `expires_at`."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    tables = serializers.IntegerField()
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.CharField(help_text="where the ZIP is")


class MyDataOut(serializers.Serializer[Any]):
    """Files that are ready, and the one that is being written."""

    exports = ExportOut(many=True)
    running = serializers.UUIDField(allow_null=True, help_text="the run that writes one now")


class CloseIn(serializers.Serializer[Any]):
    """Proof that it is meant: the account's name, and its password where it has one."""

    name = serializers.CharField(max_length=39)
    password = serializers.CharField(max_length=4096, required=False, default="", trim_whitespace=False)


class FirstOut(serializers.Serializer[Any]):
    """Something to pass on or to delete before the account can be closed."""

    title = serializers.CharField()
    url = serializers.CharField(help_text="a path of this site")
    detail = serializers.CharField()


class ClosingLineOut(serializers.Serializer[Any]):
    """So many rows of a kind."""

    title = serializers.CharField()
    rows = serializers.IntegerField(source="n")
    why = serializers.CharField()


class ClosingOut(serializers.Serializer[Any]):
    """What closing the account would do."""

    possible = serializers.BooleanField()
    first = FirstOut(many=True)
    deleted = ClosingLineOut(many=True)
    unlinked = ClosingLineOut(many=True)
    books = ClosingLineOut(many=True)
    account_stays = serializers.BooleanField(source="stays", help_text="closed and without a name, since books need it")


class ClosedOut(serializers.Serializer[Any]):
    """It is closed."""

    closed = serializers.BooleanField()
    whole = serializers.BooleanField(help_text="false: a closed account without a name stays for the books")


class MyData(APIView):
    """The caller's own data as a file."""

    permission_classes = (WholePerson,)

    @extend_schema(responses=MyDataOut)
    def get(self, request: Request) -> Response:
        """Files that can be fetched now."""
        person = _person(request)
        going = exports.going(person)
        found = [_shown(export, request) for export in exports.ready(person)]
        return Response(MyDataOut({"exports": found, "running": going.pk if going else None}).data)

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request) -> Response:
        """Begin to write one; where one is being written already, that one is answered."""
        return accepted(exports.start(person=_person(request)), request)


class MyDataFile(APIView):
    """One file of the caller's own data."""

    permission_classes = (WholePerson,)

    @extend_schema(
        operation_id="people_me_data_file_retrieve",
        responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, pk: uuid.UUID) -> FileResponse:
        """The ZIP: each table as JSON and CSV, and a README."""
        _export, path = exports.find(_person(request), pk)
        response = FileResponse(path.open("rb"), as_attachment=True, content_type=ZIP, filename="data.zip")
        response["Cache-Control"] = "no-store"
        return response


class CloseMe(APIView):
    """The end of the caller's account."""

    permission_classes = (WholePerson,)

    @extend_schema(responses=ClosingOut)
    def get(self, request: Request) -> Response:
        """What it would do, in numbers, and what has to be passed on before."""
        return Response(ClosingOut(closing.plan(_person(request))).data)

    @extend_schema(request=CloseIn, responses=ClosedOut)
    def post(self, request: Request) -> Response:
        """Close it, for good."""
        sent = CloseIn(data=request.data)
        sent.is_valid(raise_exception=True)
        person = _person(request)
        closing.prove(request._request, person, **sent.validated_data)
        return Response(ClosedOut({"closed": True, "whole": closing.close(person)}).data)


def _person(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 the permission saw to it
    return request.user


def _shown(export: exports.Export, request: Request) -> dict[str, Any]:
    return {
        "id": export.run.pk, "created_at": export.run.created_at, "expires_at": export.expires_at,
        "tables": export.tables, "rows": export.rows, "bytes": export.bytes, "sha256": export.sha256,
        "url": reverse("api:own-data-file", args=[export.run.pk], request=request),
    }  # fmt: skip
