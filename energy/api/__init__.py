"""The room's API, by noun."""

from energy.api.communities import CommunityDetail, CommunityList, CommunityRuns
from energy.api.forecasts import CommunityForecast
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
    "CommunityDetail",
    "CommunityForecast",
    "CommunityFounding",
    "CommunityList",
    "CommunityRuns",
    "CommunitySettlements",
    "CommunityStatement",
    "CommunityStatements",
    "CommunityTerms",
    "CommunityVersions",
    "CommunityWeather",
    "Files",
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
