"""Reads of the room, split by noun: communities, hours, the day, figures."""

from energy.queries.communities import (
    community,
    community_of,
    homes_spread,
    latest,
    latest_simulation,
    latest_versions,
    members_by_kind,
    named_members,
    newest,
    of_place,
    of_simulation,
    of_version,
    open_runs,
    overview,
    search,
    simulations_by_rule,
)
from energy.queries.day import Day, OpenDay, day_of_place, open_day, story
from energy.queries.figures import prosumer
from energy.queries.forecasts import Told, communities_measured, told, told_of_meters, versions_that_cover
from energy.queries.forecasts import card as forecast_card
from energy.queries.hours import locate, steps_of_day, surplus
from energy.queries.intensity import Intensity, Moment, intensity
from energy.queries.outlooks import Ahead, outlook_of, outlook_of_place, planned_of

__all__ = [
    "Ahead",
    "Day",
    "Intensity",
    "Moment",
    "OpenDay",
    "Told",
    "communities_measured",
    "community",
    "community_of",
    "day_of_place",
    "forecast_card",
    "homes_spread",
    "intensity",
    "latest",
    "latest_simulation",
    "latest_versions",
    "locate",
    "members_by_kind",
    "named_members",
    "newest",
    "of_place",
    "of_simulation",
    "of_version",
    "open_day",
    "open_runs",
    "outlook_of",
    "outlook_of_place",
    "overview",
    "planned_of",
    "prosumer",
    "search",
    "simulations_by_rule",
    "steps_of_day",
    "story",
    "surplus",
    "told",
    "told_of_meters",
    "versions_that_cover",
]
