"""Designs from elsewhere over the API: an https address, a .zip, and what goes on following its source."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Handle
from commons.runs.api import RunSerializer, accepted
from commons.runs.models import Run
from commons.web.api import requires
from commons.web.parsers import Json
from designs import queries
from designs.api import shapes
from designs.api.caller import caller
from designs.api.designs import visitor
from designs.errors import BadSource, DesignNotFound
from designs.models import Design, Mirror
from designs.policies import check_may_manage
from designs.services import import_later, mirrors, uploads, wish


class ImportIn(serializers.Serializer[Any]):
    """What to bring: `source`, an https address of a git repository, or `archive`, a .zip."""

    source = serializers.CharField(  # type: ignore[assignment]  # a field of that name, not of that attribute
        max_length=2000, required=False, allow_blank=True, default=""
    )
    archive = serializers.FileField(required=False, allow_null=True, default=None)
    owner = serializers.CharField(max_length=39, required=False, help_text="you, or an organisation that you manage")
    name = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    slug = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    summary = serializers.CharField(max_length=400, required=False, allow_blank=True, default="")
    licence = serializers.CharField(
        max_length=160, required=False, allow_blank=True, default="", help_text="read from what is brought without it"
    )
    visibility = serializers.ChoiceField(choices=Design.Visibility.choices, default=Design.Visibility.PUBLIC)
    follow_hours = serializers.IntegerField(
        min_value=0,
        max_value=mirrors.MAX_HOURS,
        default=0,
        help_text="look at it that often; 0 copies it once",
    )


class MirrorOut(serializers.ModelSerializer[Mirror]):
    """What a design follows, and how that goes."""

    class Meta:
        model = Mirror
        fields = ("url", "every_hours", "next_at", "last_at", "last_error", "failures", "created_at")
        read_only_fields = fields


class MirrorChange(serializers.Serializer[Any]):
    """How often its source is looked at."""

    every_hours = serializers.IntegerField(min_value=1, max_value=mirrors.MAX_HOURS)


class Imports(APIView):
    """Designs from elsewhere."""

    parser_classes = (Json, MultiPartParser)
    permission_classes = requires(read="designs:read", write="designs:write")

    @extend_schema(
        operation_id="designs_import",
        request={"application/json": ImportIn, "multipart/form-data": ImportIn},
        responses={201: shapes.DesignOut, 202: RunSerializer},
        description="202 with a run whose result leads to the design; 201 with the design of a small archive.",
    )
    def post(self, request: Request) -> Response:
        """Bring a repository with its history, or an archive."""
        sent = ImportIn(data=request.data)
        sent.is_valid(raise_exception=True)
        fields: dict[str, Any] = dict(sent.validated_data)
        person, archive = caller(request), fields.pop("archive")
        owner = Handle.objects.filter(name=fields.pop("owner", person.username).lower()).first()
        if owner is None:
            raise DesignNotFound(_("There is nobody of that name."))
        if bool(archive) == bool(fields["source"]):
            raise BadSource(_("Give either the address of a repository or an archive."))
        if archive is None:
            return accepted(import_later(wanted=wish(owner=owner, by=person, **fields), by=person), request)
        del fields["source"]
        if fields.pop("follow_hours"):
            raise BadSource(_("Only https addresses can be followed."))
        made = uploads.take(file=archive, owner=owner, by=person, **fields)
        if isinstance(made, Run):
            return accepted(made, request)
        return Response(shapes.DesignOut(shapes.of_design(made)).data, status=201)


def _followed(request: Request, owner: str, slug: str) -> tuple[Design, Mirror]:
    """The design and what it follows, for who may manage it."""
    design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
    check_may_manage(caller(request), design)
    if not design.is_mirror:
        raise DesignNotFound(_("“%(name)s” follows no other repository.") % {"name": design.name})
    return design, design.mirror


class OneMirror(APIView):
    """What a design follows."""

    permission_classes = requires(read="designs:read", write="designs:write")

    @extend_schema(operation_id="designs_mirror", responses=MirrorOut)
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """The source, when it was looked at and what went wrong; for who may manage the design."""
        return Response(MirrorOut(_followed(request, owner, slug)[1]).data)

    @extend_schema(operation_id="designs_mirror_change", request=MirrorChange, responses=MirrorOut)
    def patch(self, request: Request, owner: str, slug: str) -> Response:
        """Look at it more or less often."""
        design, _mirror = _followed(request, owner, slug)
        sent = MirrorChange(data=request.data)
        sent.is_valid(raise_exception=True)
        changed = mirrors.change(design=design, by=caller(request), **sent.validated_data)
        return Response(MirrorOut(changed).data)

    @extend_schema(operation_id="designs_mirror_end", responses={204: None})
    def delete(self, request: Request, owner: str, slug: str) -> Response:
        """Turn it into an ordinary design that keeps all it has."""
        design, _mirror = _followed(request, owner, slug)
        mirrors.let_go(design=design, by=caller(request))
        return Response(status=204)


class Fetch(APIView):
    """Looking at a source at once."""

    permission_classes = requires(read="designs:read", write="designs:write")

    @extend_schema(operation_id="designs_mirror_fetch", request=None, responses={202: RunSerializer})
    def post(self, request: Request, owner: str, slug: str) -> Response:
        """Start a run, or answer the one that is at it."""
        design, _mirror = _followed(request, owner, slug)
        return accepted(mirrors.fetch_now(design=design, by=caller(request)), request)
