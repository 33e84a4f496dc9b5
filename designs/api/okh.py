"""OKH manifests over the API."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from commons.web.api import requires
from designs import git, okh, queries
from designs.api.designs import visitor

REF = OpenApiParameter("ref", str, description="branch, tag or commit; the default branch without it")


class _Manifest(APIView):
    permission_classes = requires(read="designs:read", write="designs:write", anonymous_reads=True)
    syntax = "toml"
    media = "application/toml"

    def _answer(self, request: Request, owner: str, slug: str) -> HttpResponse:
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        repository = git.of(design.repository)
        ref = request.query_params.get("ref", "")
        commit = repository.commit_of(ref) if ref else repository.head(design.default_branch)
        return HttpResponse(
            okh.write(design, commit, syntax=self.syntax), content_type=f"{self.media}; charset=utf-8",
            headers={"X-Content-Type-Options": "nosniff"},
        )  # fmt: skip


class Toml(_Manifest):
    """The manifest of a version in OKH-LOSH."""

    @extend_schema(
        operation_id="designs_okh_toml", parameters=[REF],
        responses={(200, "application/toml"): OpenApiTypes.STR},
    )  # fmt: skip
    def get(self, request: Request, owner: str, slug: str) -> HttpResponse:
        """Filled from the design, its history, parts, releases and files; what its own manifest says stands."""
        return self._answer(request, owner, slug)


class Yaml(_Manifest):
    """The manifest of a version in OKH v1."""

    syntax = "yaml"
    media = "application/yaml"

    @extend_schema(
        operation_id="designs_okh_yaml", parameters=[REF],
        responses={(200, "application/yaml"): OpenApiTypes.OBJECT},
    )  # fmt: skip
    def get(self, request: Request, owner: str, slug: str) -> HttpResponse:
        """The same in the older language."""
        return self._answer(request, owner, slug)
