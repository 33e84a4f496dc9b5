"""The room's API, by noun."""

from energy.api.communities import CommunityDetail, CommunityList, CommunityRuns
from energy.api.statements import CommunitySettlements, CommunityStatement, CommunityStatements, CommunityTerms

__all__ = [
    "CommunityDetail",
    "CommunityList",
    "CommunityRuns",
    "CommunitySettlements",
    "CommunityStatement",
    "CommunityStatements",
    "CommunityTerms",
]
