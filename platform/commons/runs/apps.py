from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "commons.runs"
    label = "runs"
    verbose_name = "Runs"
