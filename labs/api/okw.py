"""Labs as Open Know-Where documents, readable by everybody."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.web.api import requires
from labs import okw
from labs.models import Lab
from labs.queries import catalogue
from labs.services.okw import facility_of

MOST = 500


class LabOkw(APIView):
    """A lab as an Open Know-Where document."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(operation_id="lab_okw", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, lab: str) -> Response:
        """The facility with its equipment; no people, no bookings."""
        return Response(okw.document([facility_of(catalogue.find_lab(lab))]))


class AllOkw(APIView):
    """All labs as one Open Know-Where document."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(operation_id="labs_okw", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """The first 500 labs that are not closed for good, as a list of facilities."""
        labs = Lab.objects.exclude(status=Lab.Status.CLOSED).select_related("organisation").order_by("pk")
        rows = labs.prefetch_related("machines", "backers__organisation")[:MOST]
        told: dict[str, Any] = okw.document([facility_of(lab) for lab in rows])
        if "facilities" not in told:
            told = {"okw_version": told.pop("okw_version"), "facilities": [told] if told else []}
        return Response(told)
