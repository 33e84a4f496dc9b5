"""Tables of the room: communities, their data and what simulations of them answered."""

from energy.models.communities import (
    Community,
    CommunityVersion,
    Member,
    Simulation,
    SimulationSeries,
    VersionSeries,
)
from energy.models.forecasts import Forecast, ForecastCard

__all__ = [
    "Community",
    "CommunityVersion",
    "Forecast",
    "ForecastCard",
    "Member",
    "Simulation",
    "SimulationSeries",
    "VersionSeries",
]
