"""The API's own pages: the list at its root, what an error means, and its documentation from our own server."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import get_resolver
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import CityError, NotFound
from commons.web.api import requires
from livingcity import reference


class Root(APIView):
    """Where the API begins."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """The addresses that need nothing to be filled in."""
        here = request.build_absolute_uri("/api/v1/")
        return Response(
            {
                "schema": f"{here}schema/",
                "docs": f"{here}docs/",
                **{p: here + p for p in sorted(_plain_paths())},
            }
        )


def _plain_paths() -> set[str]:
    _app, routes = get_resolver().namespace_dict["api"]
    found = (str(pattern.pattern) for pattern in routes.url_patterns)
    return {path for path in found if path and "<" not in path and not path.startswith(("^", "device"))}


class Document(SpectacularAPIView):
    """The OpenAPI document as YAML or JSON, in the language of `lang` or of the caller."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """What `reference` keeps, so that nobody makes the city compute it again and again."""
        asked = request.GET.get("lang", "")
        language = asked if asked in dict(settings.LANGUAGES) else get_language() or settings.LANGUAGE_CODE
        renderer = request.accepted_renderer
        name: str = self._get_filename(request, None)  # type: ignore[no-untyped-call]
        return HttpResponse(
            reference.written(language, type(renderer)),  # type: ignore[arg-type]  # a class is hashable
            content_type=f"{renderer.media_type}; charset={renderer.charset or 'utf-8'}",
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )


class ErrorPage(APIView):
    """What an error code means."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, room: str, reason: str) -> Response:
        """Its title, its status and when it is answered."""
        code = f"{room}:{reason}"
        known = next((kind for kind in reference.refusals() if kind.code == code), None)
        if known is None:
            raise NotFound(_("There is no error called “%(code)s”.") % {"code": code})
        return Response(_explained(known))


def _explained(kind: type[CityError]) -> dict[str, Any]:
    return {
        "code": kind.code,
        "title": str(kind.title),
        "status": kind.status,
        "meaning": (kind.__doc__ or "").strip(),
    }


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The whole API on one page, from its schema, without a script."""
    return render(
        request,
        "site/api_docs.html",
        {"reference": reference.chapters(), "refusals": [_explained(kind) for kind in reference.refusals()]},
    )
