"""Tables of the twin, by noun."""

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
from twin.models.scenarios import Scenario, ScenarioResult, ScenarioVersion
from twin.models.traffic import Traffic

__all__ = [
    "LAYER_MODELS",
    "Access",
    "Area",
    "Building",
    "Conflict",
    "Correction",
    "District",
    "DistrictVersion",
    "Offer",
    "People",
    "Reckoning",
    "Scenario",
    "ScenarioResult",
    "ScenarioVersion",
    "Service",
    "Street",
    "Thing",
    "Traffic",
]
