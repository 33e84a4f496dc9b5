"""The room's API, by noun."""

from energy.api.choices import Choice, Choices
from energy.api.communities import CommunityDetail, CommunityList, CommunityRuns
from energy.api.forecasts import CommunityForecast
from energy.api.grids import CommunityGrid, GridPlaces, GridRuns
from energy.api.outlooks import CommunityOutlook
from energy.api.participants import (
    Assets,
    CommunityFounding,
    Files,
    Invitations,
    Join,
    Leave,
    Meters,
    Months,
    ParticipantDetail,
    ParticipantList,
    Proof,
    Readings,
)
from energy.api.sources import CommunityVersions, CommunityWeather, Modelled
from energy.api.statements import CommunitySettlements, CommunityStatement, CommunityStatements, CommunityTerms

__all__ = [
    "Assets",
    "Choice",
    "Choices",
    "CommunityDetail",
    "CommunityForecast",
    "CommunityFounding",
    "CommunityGrid",
    "CommunityList",
    "CommunityOutlook",
    "CommunityRuns",
    "CommunitySettlements",
    "CommunityStatement",
    "CommunityStatements",
    "CommunityTerms",
    "CommunityVersions",
    "CommunityWeather",
    "Files",
    "GridPlaces",
    "GridRuns",
    "Invitations",
    "Join",
    "Leave",
    "Meters",
    "Modelled",
    "Months",
    "ParticipantDetail",
    "ParticipantList",
    "Proof",
    "Readings",
]
