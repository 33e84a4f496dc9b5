"""Addresses of the room: pages in `urlpatterns`, the API in `api_urlpatterns`, those of others' standards in
`bare_urlpatterns`."""

from django.urls import URLPattern, URLResolver, path

from twin import api, views
from twin.ogc.urls import urlpatterns as ogc_urlpatterns
from twin.sensorthings.urls import urlpatterns as sensing_urlpatterns

urlpatterns: list[URLPattern | URLResolver] = [
    path("twin/", views.home, name="twin"),
    path("twin/new/", views.new, name="district-new"),
    path("twin/new/<uuid:run_id>/", views.importing, name="district-importing"),
    path("twin/<slug:slug>/", views.district, name="district"),
    path("twin/<slug:slug>/list/", views.things, name="district-list"),
    path("twin/<slug:slug>/buildings/<str:key>/", views.building, name="building"),
    path("twin/<slug:slug>/traffic/", views.traffic, name="district-traffic"),
    path("twin/<slug:slug>/traffic/<int:number>.svg", views.traffic_picture, name="district-traffic-picture"),
    path("twin/<slug:slug>/things/<slug:layer>/<str:key>/", views.thing, name="twin-thing"),
    path("twin/<slug:slug>/correct/<slug:layer>/<str:key>/", views.correct, name="twin-correct"),
    path("twin/<slug:slug>/add/", views.add, name="twin-add"),
    path("twin/<slug:slug>/corrections/", views.offers, name="twin-offers"),
    path("twin/<slug:slug>/corrections/<int:pk>/", views.decide_offer, name="twin-offer"),
    path("twin/<slug:slug>/conflicts/<int:pk>/", views.decide_conflict, name="twin-conflict"),
    path("twin/<slug:slug>/versions/", views.versions, name="twin-versions"),
    path("twin/<slug:slug>/versions/compare/", views.difference, name="twin-diff"),
    path("twin/<slug:slug>/versions/compare.svg", views.difference_picture, name="twin-diff-picture"),
    path("twin/<slug:slug>/versions/undo/", views.undo, name="twin-undo"),
    path("twin/<slug:slug>/plan.svg", views.picture, name="district-plan"),
    path("twin/<slug:slug>/roofs/", views.roofs, name="district-roofs"),
    path("twin/<slug:slug>/risk/", views.risk, name="district-risk"),
    path("twin/<slug:slug>/risk/heat.svg", views.heat_picture, name="district-heat-picture"),
    path("twin/<slug:slug>/carbon/", views.carbon, name="district-carbon"),
    path("twin/<slug:slug>/roofs/sun.svg", views.roofs_picture, name="district-roofs-picture"),
    path("twin/<slug:slug>/roofs/shadows.svg", views.shadows_picture, name="district-shadows-picture"),
]
bare_urlpatterns: list[URLPattern | URLResolver] = [*ogc_urlpatterns, *sensing_urlpatterns]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("districts/", api.DistrictList.as_view(), name="districts"),
    path("districts/<slug:slug>/", api.DistrictDetail.as_view(), name="district"),
    path(
        "districts/<slug:slug>/layers/<slug:layer>.geojson",
        api.DistrictLayer.as_view(),
        name="district-layer",
    ),
    path("districts/<slug:slug>/access/", api.DistrictAccess.as_view(), name="district-access"),
    path("districts/<slug:slug>/risk/", api.DistrictRisk.as_view(), name="district-risk"),
    path("districts/<slug:slug>/carbon/", api.DistrictCarbon.as_view(), name="district-carbon"),
    path("districts/<slug:slug>/roofs/", api.DistrictRoofs.as_view(), name="district-roofs"),
    path("districts/<slug:slug>/traffic/", api.DistrictTraffic.as_view(), name="district-traffic"),
    path("districts/<slug:slug>/versions/", api.Versions.as_view(), name="district-versions"),
    path("districts/<slug:slug>/versions/<int:number>/", api.OneVersion.as_view(), name="district-version"),
    path("districts/<slug:slug>/diff/", api.Difference.as_view(), name="district-diff"),
    path("districts/<slug:slug>/undo/", api.Undo.as_view(), name="district-undo"),
    path("districts/<slug:slug>/corrections/", api.Offers.as_view(), name="district-offers"),
    path("districts/<slug:slug>/corrections/<int:pk>/", api.OneOffer.as_view(), name="district-offer"),
    path("districts/<slug:slug>/corrections/<int:pk>/decision/", api.OfferDecision.as_view(), name="district-decision"),
    path("districts/<slug:slug>/conflicts/", api.Conflicts.as_view(), name="district-conflicts"),
    path("districts/<slug:slug>/conflicts/<int:pk>/", api.OneConflict.as_view(), name="district-conflict"),
    path("districts/<slug:slug>/scenarios/", api.Scenarios.as_view(), name="district-scenarios"),
    path("scenarios/<slug:pk>/", api.OneScenario.as_view(), name="scenario"),
    path("scenarios/<slug:pk>/fork/", api.ScenarioFork.as_view(), name="scenario-fork"),
    path("scenarios/<slug:pk>/runs/", api.ScenarioRuns.as_view(), name="scenario-runs"),
    path("scenarios/<slug:pk>/comparison/", api.ScenarioComparison.as_view(), name="scenario-comparison"),
    path(
        "scenarios/<slug:pk>/answers/<slug:inputs_hash>/<slug:layer>.geojson",
        api.ScenarioLayer.as_view(),
        name="scenario-layer",
    ),
    path("places/<slug:slug>/coverage/", api.PlaceCoverage.as_view(), name="place-coverage"),
]
