"""Addresses of places: pages in `urlpatterns`, the API in `api_urlpatterns`."""

from django.urls import URLPattern, URLResolver, path

from commons.places import api

urlpatterns: list[URLPattern | URLResolver] = []
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("places/", api.PlaceList.as_view(), name="places"),
    path("places/<slug:slug>/", api.PlaceDetail.as_view(), name="place"),
    path("places/<slug:slug>/metrics/", api.PlaceMetrics.as_view(), name="place-metrics"),
]
