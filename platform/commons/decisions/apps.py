from django.apps import AppConfig


class DecisionsConfig(AppConfig):
    name = "commons.decisions"
    label = "decisions"
    verbose_name = "Decisions"
