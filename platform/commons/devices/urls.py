"""Addresses of devices: the API alone; people meet devices on the pages of what they belong to."""

from django.urls import URLPattern, URLResolver, path

from commons.devices import api

urlpatterns: list[URLPattern | URLResolver] = []
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("devices/enrol/", api.EnrolView.as_view(), name="device-enrol"),
    path("telemetry/", api.TelemetryView.as_view(), name="telemetry"),
    path("readings/", api.ReadingsView.as_view(), name="readings"),
]
