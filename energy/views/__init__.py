"""Pages of the room, by noun."""

from energy.views.communities import community, index, sharing, simulate
from energy.views.getting_in import found, homes, join, setup
from energy.views.meter_files import bring, meter_file
from energy.views.participants import letter, members, participant

__all__ = [
    "bring",
    "community",
    "found",
    "homes",
    "index",
    "join",
    "letter",
    "members",
    "meter_file",
    "participant",
    "setup",
    "sharing",
    "simulate",
]
