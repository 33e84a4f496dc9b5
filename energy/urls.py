"""Addresses of the room: pages in `urlpatterns`, the API in `api_urlpatterns`."""

from django.urls import URLPattern, URLResolver, path

from energy import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("energy/", views.index, name="energy"),
    path("energy/new/", views.found, name="energy_found"),
    path("energy/join/", views.join, name="energy_join"),
    path("energy/mine/", views.homes, name="energy_homes"),
    path("energy/<slug:slug>/", views.community, name="community"),
    path("energy/<slug:slug>/sharing/", views.sharing, name="community_sharing"),
    path("energy/<slug:slug>/live/", views.live, name="community_live"),
    path("energy/<slug:slug>/year/", views.year, name="community_year"),
    path("energy/<slug:slug>/year.csv", views.year_csv, name="community_year_csv"),
    path("energy/<slug:slug>/mine/", views.mine, name="community_mine"),
    path("energy/<slug:slug>/mine.csv", views.mine_csv, name="community_mine_csv"),
    path("energy/<slug:slug>/simulations/", views.simulations, name="community_simulations"),
    path("energy/<slug:slug>/simulations/<int:number>/again/", views.again, name="simulation_again"),
    path("energy/<slug:slug>/simulate/", views.simulate, name="community_simulate"),
    path("energy/<slug:slug>/mine/", views.setup, name="community_setup"),
    path("energy/<slug:slug>/members/", views.members, name="community_participants"),
    path("energy/<slug:slug>/members/<int:pk>/", views.participant, name="participant"),
    path("energy/<slug:slug>/members/<int:pk>/readings/", views.bring, name="participant_bring"),
    path("energy/<slug:slug>/members/<int:pk>/letters/<int:number>/", views.letter, name="meter_letter"),
    path("energy/<slug:slug>/readings/", views.bring, name="community_bring"),
    path("energy/<slug:slug>/readings/<int:pk>/", views.meter_file, name="meter_file"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("communities/", api.CommunityList.as_view(), name="communities"),
    path("communities/found/", api.CommunityFounding.as_view(), name="community-found"),
    path("communities/join/", api.Join.as_view(), name="community-join"),
    path("communities/<slug:slug>/", api.CommunityDetail.as_view(), name="community"),
    path("communities/<slug:slug>/runs/", api.CommunityRuns.as_view(), name="community-runs"),
    path("communities/<slug:slug>/invitations/", api.Invitations.as_view(), name="community-invitations"),
    path("communities/<slug:slug>/readings/", api.Files.as_view(), name="community-files"),
    path("communities/<slug:slug>/participants/", api.ParticipantList.as_view(), name="participants"),
    path("communities/<slug:slug>/participants/<int:pk>/", api.ParticipantDetail.as_view(), name="participant"),
    path("communities/<slug:slug>/participants/<int:pk>/leave/", api.Leave.as_view(), name="participant-leave"),
    path("communities/<slug:slug>/participants/<int:pk>/meters/", api.Meters.as_view(), name="participant-meters"),
    path(
        "communities/<slug:slug>/participants/<int:pk>/meters/<int:number>/proof/",
        api.Proof.as_view(),
        name="meter-proof",
    ),
    path("communities/<slug:slug>/participants/<int:pk>/assets/", api.Assets.as_view(), name="participant-assets"),
    path("communities/<slug:slug>/participants/<int:pk>/curves/", api.Readings.as_view(), name="participant-curves"),
    path("communities/<slug:slug>/participants/<int:pk>/months/", api.Months.as_view(), name="participant-months"),
    path("communities/<slug:slug>/participants/<int:pk>/readings/", api.Files.as_view(), name="participant-files"),
]
