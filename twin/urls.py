"""Addresses of the room: pages in `urlpatterns`, the API in `api_urlpatterns`."""

from django.urls import URLPattern, URLResolver, path

from twin import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("twin/", views.home, name="twin"),
    path("twin/new/", views.new, name="district-new"),
    path("twin/new/<uuid:run_id>/", views.importing, name="district-importing"),
    path("twin/<slug:slug>/", views.district, name="district"),
    path("twin/<slug:slug>/list/", views.things, name="district-list"),
    path("twin/<slug:slug>/buildings/<str:key>/", views.building, name="building"),
    path("twin/<slug:slug>/traffic/", views.traffic, name="district-traffic"),
    path("twin/<slug:slug>/traffic/<int:number>.svg", views.traffic_picture, name="district-traffic-picture"),
    path("twin/<slug:slug>/plan.svg", views.picture, name="district-plan"),
    path("twin/<slug:slug>/roofs/", views.roofs, name="district-roofs"),
    path("twin/<slug:slug>/risk/", views.risk, name="district-risk"),
    path("twin/<slug:slug>/risk/heat.svg", views.heat_picture, name="district-heat-picture"),
    path("twin/<slug:slug>/carbon/", views.carbon, name="district-carbon"),
    path("twin/<slug:slug>/roofs/sun.svg", views.roofs_picture, name="district-roofs-picture"),
    path("twin/<slug:slug>/roofs/shadows.svg", views.shadows_picture, name="district-shadows-picture"),
]
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
    path("places/<slug:slug>/coverage/", api.PlaceCoverage.as_view(), name="place-coverage"),
]
