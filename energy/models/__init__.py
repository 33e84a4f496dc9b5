"""Tables of the room: communities, their data and what simulations of them answered."""

from energy.models.communities import (
    Community,
    CommunityVersion,
    Member,
    Simulation,
    SimulationSeries,
    VersionSeries,
)
from energy.models.publishing import Publication

__all__ = [
    "Community",
    "CommunityVersion",
    "Member",
    "Publication",
    "Simulation",
    "SimulationSeries",
    "VersionSeries",
]
