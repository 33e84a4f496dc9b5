"""Pages of the room, by noun."""

from energy.views.communities import community, index, live, sharing, simulate
from energy.views.getting_in import found, homes, join, setup
from energy.views.meter_files import bring, meter_file
from energy.views.mine import mine, mine_csv
from energy.views.participants import letter, members, participant
from energy.views.simulations import again, simulations
from energy.views.year import year, year_csv

__all__ = [
    "again",
    "bring",
    "community",
    "found",
    "homes",
    "index",
    "join",
    "letter",
    "live",
    "members",
    "meter_file",
    "mine",
    "mine_csv",
    "participant",
    "setup",
    "sharing",
    "simulate",
    "simulations",
    "year",
    "year_csv",
]
