"""Pages of the room, by noun."""

from energy.views.communities import community, index, live, sharing, simulate
from energy.views.mine import mine, mine_csv
from energy.views.simulations import again, simulations
from energy.views.year import year, year_csv

__all__ = [
    "again",
    "community",
    "index",
    "live",
    "mine",
    "mine_csv",
    "sharing",
    "simulate",
    "simulations",
    "year",
    "year_csv",
]
