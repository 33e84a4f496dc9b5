"""Tables of the twin, by noun."""

from twin.models.ahead import Ahead, Sandbox
from twin.models.coverage import CoverageDay
from twin.models.districts import (
    LAYER_MODELS,
    Access,
    Area,
    Building,
    District,
    DistrictVersion,
    People,
    Service,
    Street,
    Thing,
)
from twin.models.offers import Conflict, Correction, Offer
from twin.models.reckonings import Reckoning
from twin.models.scenario_comments import ScenarioComment
from twin.models.scenarios import Scenario, ScenarioResult, ScenarioVersion
from twin.models.traffic import Traffic

__all__ = [
    "LAYER_MODELS",
    "Access",
    "Ahead",
    "Area",
    "Building",
    "Conflict",
    "Correction",
    "CoverageDay",
    "District",
    "DistrictVersion",
    "Offer",
    "People",
    "Reckoning",
    "Sandbox",
    "Scenario",
    "ScenarioComment",
    "ScenarioResult",
    "ScenarioVersion",
    "Service",
    "Street",
    "Thing",
    "Traffic",
]
