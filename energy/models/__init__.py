"""Tables of the room: communities, their data and what simulations of them answered; participants and their meters."""

from energy.models.communities import (
    Community,
    CommunityVersion,
    Member,
    Simulation,
    SimulationSeries,
    VersionSeries,
)
from energy.models.meters import MeterDay, MeterFile, MeterPoint, UtilityMapping
from energy.models.participants import Asset, Invitation, Participant
from energy.models.publishing import Publication

__all__ = [
    "Asset",
    "Community",
    "CommunityVersion",
    "Invitation",
    "Member",
    "MeterDay",
    "MeterFile",
    "MeterPoint",
    "Participant",
    "Publication",
    "Simulation",
    "SimulationSeries",
    "UtilityMapping",
    "VersionSeries",
]
