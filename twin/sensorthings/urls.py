"""Addresses of SensorThings 1.1. They have no language and stand outside `/api/v1/`."""

from django.urls import URLPattern, path
from django.views.generic import RedirectView

from twin.sensorthings import views

urlpatterns: list[URLPattern] = [
    path("sensorthings/", RedirectView.as_view(pattern_name="sensorthings-root"), name="sensorthings"),
    path("sensorthings/v1.1/", views.Root.as_view(), name="sensorthings-root"),
    path("sensorthings/v1.1/<path:path>", views.Resource.as_view(), name="sensorthings-resource"),
]
