"""What differs between two versions of a design, over the API."""

import time

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.web.api import requires
from designs import queries
from designs.api.designs import visitor
from designs.api.shapes_diffs import FileDiffOut, of_comparison
from designs.queries import diffs
from designs.queries.diffs import Comparison
from designs.services import diffs as services
from designs.views.comparing import asker

WAIT_S, MAX_WAIT_S, LOOK_S = 8.0, 20.0, 0.25


class Diff(APIView):
    """What differs between two versions, in the thing itself."""

    permission_classes = requires(read="designs:read", write="designs:write", anonymous_reads=True)

    @extend_schema(
        operation_id="designs_diff",
        parameters=[
            OpenApiParameter("base", str, description="branch, tag or commit; the version before `head` without it"),
            OpenApiParameter("head", str, description="branch, tag or commit; the default branch without it"),
            OpenApiParameter("wait", float, description=f"seconds to wait for shapes, {WAIT_S:.0f} without it"),
        ],
        responses={
            200: FileDiffOut(many=True),
            202: OpenApiResponse(FileDiffOut(many=True), "Some shapes are still being compared; ask again."),
        },
    )
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """Each file that differs; shapes with the material that was added, removed and kept."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        asked = request.query_params
        head = diffs.version(design, asked.get("head", "") or design.default_branch)
        base = diffs.version(design, asked["base"]) if asked.get("base") else diffs.parent(design, head)
        found = services.compare(design, base, head, by=visitor(request), asker=asker(request._request))
        found = _waited(found, _seconds(asked.get("wait", "")))
        answer = Response(
            FileDiffOut(of_comparison(found, request.build_absolute_uri), many=True).data,
            status=202 if found.waiting else 200,
        )
        if found.waiting:
            answer["Retry-After"] = "60" if found.held_back else "2"
        return answer


def _seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.0), MAX_WAIT_S)
    except ValueError:
        return WAIT_S


def _waited(found: Comparison, seconds: float) -> Comparison:
    """The comparison once nothing is pending, or as it is when the time is over."""
    until = time.monotonic() + seconds
    while found.waiting and found.run is not None and time.monotonic() < until:
        time.sleep(LOOK_S)
        found.run.refresh_from_db(fields=["status"])
        if found.run.is_over:
            return diffs.comparison(found.design, found.base, found.head)
    return found
