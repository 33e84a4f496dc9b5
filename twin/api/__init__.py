"""The API of the twin, by noun."""

from twin.api.districts import (
    READ,
    VERSION,
    AccessSerializer,
    CellSerializer,
    CoverageSerializer,
    DistrictAccess,
    DistrictDetail,
    DistrictDetailSerializer,
    DistrictLayer,
    DistrictList,
    DistrictSerializer,
    DistrictVersionSerializer,
    EvidenceSerializer,
    PlaceCoverage,
    ReachSerializer,
    SkippedSerializer,
)
from twin.api.reckonings import DistrictRoofs, ReckoningSerializer

__all__ = [
    "READ",
    "VERSION",
    "AccessSerializer",
    "CellSerializer",
    "CoverageSerializer",
    "DistrictAccess",
    "DistrictDetail",
    "DistrictDetailSerializer",
    "DistrictLayer",
    "DistrictList",
    "DistrictRoofs",
    "DistrictSerializer",
    "DistrictVersionSerializer",
    "EvidenceSerializer",
    "PlaceCoverage",
    "ReachSerializer",
    "ReckoningSerializer",
    "SkippedSerializer",
]
