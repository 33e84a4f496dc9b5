"""Addresses of dashboards."""

from django.urls import URLPattern, URLResolver, path, re_path

from commons.dashboards import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("places/<slug:slug>/dashboard/", views.overview, name="dashboard"),
    path("places/<slug:slug>/dashboard/sectors/", views.sectors, name="dashboard_sectors"),
    path("places/<slug:slug>/dashboard/compare/", views.compare, name="dashboard_compare"),
    path("places/<slug:slug>/dashboard/<slug:tab>/", views.tab, name="dashboard_tab"),
    re_path(
        r"^places/(?P<slug>[-\w]+)/dashboard/(?P<what>[-\w]+)\.(?P<form>csv|json)$",
        views.export,
        name="dashboard_export",
    ),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("places/<slug:slug>/dashboard/", api.Dashboard.as_view(), name="place-dashboard"),
    path("places/<slug:slug>/dashboard/<slug:what>/", api.Part.as_view(), name="place-dashboard-part"),
]
