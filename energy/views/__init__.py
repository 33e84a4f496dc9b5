"""Pages of the room, by noun."""

from energy.views.communities import community, index, sharing, simulate

__all__ = ["community", "index", "sharing", "simulate"]
