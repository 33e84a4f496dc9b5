from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "commons.devices"
    label = "devices"
    verbose_name = "Devices"
