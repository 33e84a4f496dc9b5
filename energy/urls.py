"""Addresses of the room: pages in `urlpatterns`, the API in `api_urlpatterns`."""

from django.urls import URLPattern, URLResolver, path

from energy import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("energy/", views.index, name="energy"),
    path("energy/<slug:slug>/", views.community, name="community"),
    path("energy/<slug:slug>/sharing/", views.sharing, name="community_sharing"),
    path("energy/<slug:slug>/simulate/", views.simulate, name="community_simulate"),
    path("energy/<slug:slug>/forecast/", views.forecast, name="community_forecast"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("communities/", api.CommunityList.as_view(), name="communities"),
    path("communities/<slug:slug>/", api.CommunityDetail.as_view(), name="community"),
    path("communities/<slug:slug>/runs/", api.CommunityRuns.as_view(), name="community-runs"),
    path("communities/<slug:slug>/forecast/", api.CommunityForecast.as_view(), name="community-forecast"),
]
