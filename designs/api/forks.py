"""Forks of a design over the API."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Handle, User
from commons.web.api import requires
from commons.web.schema import page_of
from designs import queries
from designs.api import shapes
from designs.api.designs import NewestPushed, visitor
from designs.errors import DesignNotFound, NotYours
from designs.models import Design
from designs.queries.forks import forks_of
from designs.services import fork_design


class ForkIn(serializers.Serializer[Any]):
    """Whose the fork will be and what it is called; by default the caller's, with the same name."""

    owner = serializers.CharField(max_length=39, required=False, help_text="you, or an organisation that you manage")
    name = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    slug = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    ref = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="", help_text="branch, tag or commit to begin with"
    )


class Forks(APIView):
    """The forks of a design."""

    permission_classes = requires(read="designs:read", write="designs:write", anonymous_reads=True)

    @extend_schema(
        operation_id="designs_forks",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
        responses=page_of(shapes.DesignOut),
        description="Cursor pages: {next, previous, results}.",
    )
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """Forks that the caller may see, newest push first."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        pages = NewestPushed()
        found = forks_of(design, visitor(request))
        page: list[Design] = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response(shapes.DesignOut([shapes.of_design(d) for d in page], many=True).data)

    @extend_schema(operation_id="designs_fork", request=ForkIn, responses={201: shapes.DesignOut})
    def post(self, request: Request, owner: str, slug: str) -> Response:
        """A fork: a design of one's own with all branches and tags of this one."""
        person = request.user
        if not isinstance(person, User):
            raise NotYours(_("Only a person can fork a design."))
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        sent = ForkIn(data=request.data)
        sent.is_valid(raise_exception=True)
        fields: dict[str, Any] = dict(sent.validated_data)
        made = fork_design(design=design, owner=_owner(person, fields.pop("owner", "")), by=person, **fields)
        return Response(shapes.DesignOut(shapes.of_design(made)).data, status=201)


def _owner(person: User, name: str) -> Handle:
    owner = Handle.objects.filter(name=(name or person.username).lower()).first()
    if owner is None:
        raise DesignNotFound(_("There is nobody called “%(name)s”.") % {"name": name[:40]})
    return owner
