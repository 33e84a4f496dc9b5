"""The room's API, by noun."""

from energy.api.communities import CommunityDetail, CommunityList, CommunityRuns
from energy.api.forecasts import CommunityForecast

__all__ = ["CommunityDetail", "CommunityForecast", "CommunityList", "CommunityRuns"]
