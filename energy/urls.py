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
    path("energy/<slug:slug>/tariffs/", views.tariffs, name="community_tariffs"),
    path("energy/<slug:slug>/tariffs/add/", views.add_tariff, name="community_tariff_add"),
    path("energy/<slug:slug>/tariffs/rules/", views.add_rules, name="community_rules_add"),
    path("energy/<slug:slug>/tariffs/prices/", views.add_prices, name="community_prices_add"),
    path("energy/<slug:slug>/tariffs/<slug:kind>/<int:pk>/take-back/", views.take_back, name="community_terms_back"),
    path("energy/<slug:slug>/bills/", views.bills, name="community_bills"),
    path("energy/<slug:slug>/bills/make/", views.make, name="community_bills_make"),
    path("energy/<slug:slug>/bills/months/<int:number>/check/", views.check, name="community_bills_check"),
    path("energy/<slug:slug>/bills/<int:number>/", views.bill, name="community_bill"),
    path("energy/<slug:slug>/bills/<int:number>.pdf", views.bill_pdf, name="community_bill_pdf"),
    path("energy/<slug:slug>/bills/<int:number>.csv", views.bill_csv, name="community_bill_csv"),
    path("energy/<slug:slug>/worth/", views.worth, name="community_worth"),
    path("energy/<slug:slug>/worth/ask/", views.ask_worth, name="community_worth_ask"),
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
    path("communities/<slug:slug>/", api.CommunityDetail.as_view(), name="community"),
    path("communities/<slug:slug>/tariffs/", api.CommunityTerms.as_view(), name="community-tariffs"),
    path("communities/<slug:slug>/statements/", api.CommunityStatements.as_view(), name="community-statements"),
    path(
        "communities/<slug:slug>/statements/<int:number>/",
        api.CommunityStatement.as_view(),
        name="community-statement",
    ),
    path("communities/<slug:slug>/settlements/", api.CommunitySettlements.as_view(), name="community-settlements"),
    path("communities/<slug:slug>/runs/", api.CommunityRuns.as_view(), name="community-runs"),
]
