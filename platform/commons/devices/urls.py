"""Addresses of devices: the API alone; people meet devices on the pages of what they belong to."""

from django.urls import URLPattern, URLResolver, path

from commons.devices import api, api_commands

urlpatterns: list[URLPattern | URLResolver] = []
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("devices/enrol/", api.EnrolView.as_view(), name="device-enrol"),
    path("telemetry/", api.TelemetryView.as_view(), name="telemetry"),
    path("device/commands/", api_commands.CommandsView.as_view(), name="device-commands"),
    path("device/commands/<uuid:command>/", api_commands.AnswerView.as_view(), name="device-command"),
    path("device/commands/<uuid:command>/file/", api_commands.FileView.as_view(), name="device-command-file"),
    path("readings/", api.ReadingsView.as_view(), name="readings"),
]
