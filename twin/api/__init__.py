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
from twin.api.offers import Conflicts, OfferDecision, Offers, OneConflict, OneOffer
from twin.api.reckonings import DistrictCarbon, DistrictRisk, DistrictRoofs, ReckoningSerializer
from twin.api.traffic import AskTrafficSerializer, DistrictTraffic, TrafficSerializer
from twin.api.versions import Difference, OneVersion, Undo, Versions

__all__ = [
    "READ",
    "VERSION",
    "AccessSerializer",
    "AskTrafficSerializer",
    "CellSerializer",
    "Conflicts",
    "CoverageSerializer",
    "Difference",
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
    "OfferDecision",
    "Offers",
    "OneConflict",
    "OneOffer",
    "OneVersion",
    "PlaceCoverage",
    "ReachSerializer",
    "ReckoningSerializer",
    "SkippedSerializer",
    "TrafficSerializer",
    "Undo",
    "Versions",
]
