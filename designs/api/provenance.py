"""Where given bytes come from, over the API."""

import re

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.errors import BadInput
from commons.web.api import requires
from designs import queries
from designs.api import shapes
from designs.api.designs import visitor

LENGTHS = {"sha256": 64, "sha1": 40, "blob": 40}


class Provenance(APIView):
    """The designs that hold exactly these bytes."""

    permission_classes = requires(read="designs:read", write="designs:write", anonymous_reads=True)

    @extend_schema(
        operation_id="provenance_read",
        parameters=[
            OpenApiParameter("sha256", str, description="of the file's bytes"),
            OpenApiParameter("sha1", str, description="of the file's bytes"),
            OpenApiParameter("blob", str, description="git's object id"),
        ],
        responses=shapes.OriginsOut,
    )
    def get(self, request: Request) -> Response:
        """All origins that the caller may see, newest first; an empty list when there is none."""
        asked = {name: request.query_params.get(name, "").strip().lower() for name in LENGTHS}
        if not any(asked.values()):
            raise BadInput(_("Give one of sha256, sha1 or blob."))
        for name, value in asked.items():
            if value and not re.fullmatch(rf"[0-9a-f]{{{LENGTHS[name]}}}", value):
                raise BadInput(
                    _("%(name)s has %(n)d hexadecimal digits.") % {"name": name, "n": LENGTHS[name]}, field=name
                )
        found = queries.origins(
            sha256=asked["sha256"], sha1=asked["sha1"], blob=asked["blob"], visible_to=visitor(request)
        )
        return Response(shapes.OriginsOut({"results": [shapes.of_origin(o) for o in found]}).data)
