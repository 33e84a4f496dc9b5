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
from twin.api.reckonings import DistrictCarbon, DistrictRisk, DistrictRoofs, ReckoningSerializer
from twin.api.traffic import AskTrafficSerializer, DistrictTraffic, TrafficSerializer

__all__ = [
    "READ",
    "VERSION",
    "AccessSerializer",
    "AskTrafficSerializer",
    "CellSerializer",
    "CoverageSerializer",
    "DistrictAccess",
    "DistrictCarbon",
    "DistrictDetail",
    "DistrictDetailSerializer",
    "DistrictLayer",
    "DistrictList",
    "DistrictRisk",
    "DistrictRoofs",
    "DistrictSerializer",
    "DistrictTraffic",
    "DistrictVersionSerializer",
    "EvidenceSerializer",
    "PlaceCoverage",
    "ReachSerializer",
    "ReckoningSerializer",
    "SkippedSerializer",
    "TrafficSerializer",
]
