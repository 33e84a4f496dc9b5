"""Tables of the room: communities, their data and what simulations of them answered."""

from energy.models.communities import (
    Community,
    CommunityVersion,
    Member,
    Simulation,
    SimulationSeries,
    VersionSeries,
)

__all__ = [
    "Community",
    "CommunityVersion",
    "Member",
    "Simulation",
    "SimulationSeries",
    "VersionSeries",
]
