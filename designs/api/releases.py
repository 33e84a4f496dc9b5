"""Releases and lineage over the API."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.web.api import CursorPagination, requires
from commons.web.schema import page_of
from designs import queries
from designs.api import shapes_releases as shapes
from designs.api.caller import caller
from designs.api.designs import visitor
from designs.models import Release
from designs.queries import lineage
from designs.queries import releases as found
from designs.services import releases, rights

PERMISSIONS = requires(read="designs:read", write="designs:write", anonymous_reads=True)


class Newest(CursorPagination):
    """Newest first."""

    ordering = ("-created_at", "-pk")  # type: ignore[assignment]


class Releases(APIView):
    """The releases of a design; a new one."""

    permission_classes = PERMISSIONS

    @extend_schema(
        operation_id="designs_releases",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
        responses=page_of(shapes.ReleaseOut),
        description="Cursor pages: {next, previous, results}.",
    )
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """Releases, newest first."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        pages = Newest()
        page: list[Release] = pages.paginate_queryset(found.of_design(design), request, view=self) or []
        for release in page:
            release.design = design
        return pages.get_paginated_response(shapes.ReleaseOut([shapes.of_release(r) for r in page], many=True).data)

    @extend_schema(operation_id="designs_release", request=shapes.ReleaseIn, responses={201: shapes.OneReleaseOut})
    def post(self, request: Request, owner: str, slug: str) -> Response:
        """Release a version: it never changes again. Its archive is made by a worker."""
        person = caller(request)
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        sent = shapes.ReleaseIn(data=request.data)
        sent.is_valid(raise_exception=True)
        release = releases.publish(design=design, by=person, **sent.validated_data)
        return Response(shapes.OneReleaseOut(shapes.of_release(release)).data, status=201)


class OneRelease(APIView):
    """A release."""

    permission_classes = PERMISSIONS

    @extend_schema(operation_id="designs_release_read", responses=shapes.OneReleaseOut)
    def get(self, request: Request, owner: str, slug: str, version: str) -> Response:
        """A release with its files and their SHA-256."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        return Response(shapes.OneReleaseOut(shapes.of_release(found.find(design, version))).data)


class Lineage(APIView):
    """Where a design comes from."""

    permission_classes = PERMISSIONS

    @extend_schema(operation_id="designs_lineage", responses=shapes.LineageOut)
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """The design and all that it comes from, over any number of hops."""
        who = visitor(request)
        design = queries.find(owner=owner, slug=slug, visitor=who)
        links = [shapes.of_link(link) for link in lineage.chain(design, visitor=who)]
        return Response(shapes.LineageOut({"results": links}).data)

    @extend_schema(operation_id="designs_source_declare", request=shapes.SourceIn, responses={201: shapes.SourceOut})
    def post(self, request: Request, owner: str, slug: str) -> Response:
        """Say what the design was adapted from or contains parts of."""
        person = caller(request)
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        sent = shapes.SourceIn(data=request.data)
        sent.is_valid(raise_exception=True)
        source = rights.declare_source(design=design, by=person, **sent.validated_data)
        return Response(shapes.SourceOut(source).data, status=201)


class OneSource(APIView):
    """A declared source."""

    permission_classes = requires(write="designs:write")

    @extend_schema(operation_id="designs_source_remove", responses={204: None})
    def delete(self, request: Request, owner: str, slug: str, source: int) -> Response:
        """Take a declared source away."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        rights.remove_source(design=design, source_id=source, by=caller(request))
        return Response(status=204)
