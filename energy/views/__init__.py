"""Pages of the room, by noun."""

from energy.views.communities import community, index, sharing, simulate
from energy.views.forecasts import forecast

__all__ = ["community", "forecast", "index", "sharing", "simulate"]
