"""Tables of the room: communities, their data and what simulations of them answered."""

from energy.models.communities import (
    Community,
    CommunityVersion,
    Member,
    Simulation,
    SimulationSeries,
    VersionSeries,
)
from energy.models.parts import SimulationPart

__all__ = [
    "Community",
    "CommunityVersion",
    "Member",
    "Simulation",
    "SimulationPart",
    "SimulationSeries",
    "VersionSeries",
]
