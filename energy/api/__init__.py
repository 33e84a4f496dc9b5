"""The room's API, by noun."""

from energy.api.communities import CommunityDetail, CommunityList, CommunityRuns

__all__ = ["CommunityDetail", "CommunityList", "CommunityRuns"]
