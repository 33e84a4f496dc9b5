"""The room's API, by noun."""

from energy.api.communities import CommunityDetail, CommunityList, CommunityRuns
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

__all__ = [
    "Assets",
    "CommunityDetail",
    "CommunityFounding",
    "CommunityList",
    "CommunityRuns",
    "Files",
    "Invitations",
    "Join",
    "Leave",
    "Meters",
    "Months",
    "ParticipantDetail",
    "ParticipantList",
    "Proof",
    "Readings",
]
