"""Designs and their files over the API."""

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Handle, User
from commons.web.api import CursorPagination, has_scope, requires
from commons.web.schema import page_of
from designs import queries, vocabulary
from designs.api import shapes
from designs.api.caller import caller
from designs.api.shapes_social import DesignChange
from designs.errors import DesignNotFound
from designs.models import Card
from designs.queries import listing
from designs.queries.asked import SORTS, read
from designs.queries.matches import by_index
from designs.services import create_design, housekeeping, lifecycle

FILTERS = [
    OpenApiParameter("q", str, description="words in name, tags, owner, summary and README; typing errors are mended"),
    OpenApiParameter("licence", str, description="open, non-commercial, other, or exactly this SPDX expression"),
    OpenApiParameter("process", str, description="can be made so: " + ", ".join(vocabulary.PROCESSES)),
    OpenApiParameter("format", str, description="has a file of this format now"),
    OpenApiParameter("tag", str),
    OpenApiParameter("fits", str, description="every part goes into this box in mm, turned as it likes: 220x220x250"),
    OpenApiParameter("has_release", bool),
    OpenApiParameter("near", str, description="a place: its machines can make it (also as place)"),
    OpenApiParameter("owner", str),
    OpenApiParameter("sort", str, enum=SORTS, description="best where words are asked, else new"),
    OpenApiParameter("cursor", str),
    OpenApiParameter("limit", int),
]


def visitor(request: Request) -> User | None:
    """The caller, when their session or token lets them see what is private."""
    user = request.user
    if not isinstance(user, User):
        return None
    return user if request.auth is None or has_scope(request.auth, "designs:read") else None


class NewestPushed(CursorPagination):
    """Newest push first."""

    ordering = ("-pushed_at", "-pk")  # type: ignore[assignment]


class FormatIsAFilter(DefaultContentNegotiation):
    """`?format=stl` asks for designs with an STL here, not for an answer in another format."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:
        """All of them."""
        return list(renderers)


class Designs(APIView):
    """All designs that the caller may see; a new one."""

    content_negotiation_class = FormatIsAFilter
    permission_classes = requires(read="designs:read", write="designs:write", anonymous_reads=True)

    @extend_schema(
        operation_id="designs_list",
        parameters=FILTERS,
        responses=page_of(shapes.DesignOut),
        description="Cursor pages: {next, previous, results}. A filter that means nothing is 400 design:bad-query.",
    )
    def get(self, request: Request) -> Response:
        """Designs in the order that is asked."""
        asked = read(request.query_params)
        found = listing.found(asked, visitor(request))
        pages = CursorPagination()
        pages.ordering = (f"-{listing.FIELD_OF[asked.order]}", "-pk")  # type: ignore[assignment]
        with by_index() if found.ranks else nullcontext():
            page: list[Card] = pages.paginate_queryset(found.cards, request, view=self) or []
        designs = listing.designs_of(card.pk for card in page)
        return pages.get_paginated_response(shapes.DesignOut([shapes.of_design(d) for d in designs], many=True).data)

    @extend_schema(operation_id="designs_create", request=shapes.DesignIn, responses={201: shapes.DesignOut})
    def post(self, request: Request) -> Response:
        """A new design with an empty repository."""
        sent = shapes.DesignIn(data=request.data)
        sent.is_valid(raise_exception=True)
        fields: dict[str, Any] = dict(sent.validated_data)
        design = create_design(owner=_owner(request, fields.pop("owner", "")), by=caller(request), **fields)
        return Response(shapes.DesignOut(shapes.of_design(design)).data, status=201)


def _owner(request: Request, name: str) -> Handle:
    person = caller(request)
    owner = Handle.objects.filter(name=(name or person.username).lower()).first()
    if owner is None:
        raise DesignNotFound(_("There is nobody called “%(name)s”.") % {"name": name[:40]})
    return owner


class OneDesign(APIView):
    """A design."""

    permission_classes = requires(read="designs:read", write="designs:write", anonymous_reads=True)

    @extend_schema(operation_id="designs_read", responses=shapes.DesignOut)
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """A design by its address."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        return Response(shapes.DesignOut(shapes.of_design(design)).data)

    @extend_schema(operation_id="designs_change", request=DesignChange, responses=shapes.DesignOut)
    def patch(self, request: Request, owner: str, slug: str) -> Response:
        """Change what is given: all of it, or nothing when a part is refused."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        sent = DesignChange(data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        changed = housekeeping.apply(design=design, by=caller(request), **sent.validated_data)
        return Response(shapes.DesignOut(shapes.of_design(changed)).data)

    @extend_schema(operation_id="designs_delete", responses={204: None})
    def delete(self, request: Request, owner: str, slug: str) -> Response:
        """Delete a design; for thirty days its owner can bring it back on the site."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        lifecycle.remove(design=design, by=caller(request), typed=design.slug)
        return Response(status=204)
