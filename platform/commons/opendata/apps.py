from django.apps import AppConfig


class OpenDataConfig(AppConfig):
    name = "commons.opendata"
    label = "opendata"
    verbose_name = "Open data"
