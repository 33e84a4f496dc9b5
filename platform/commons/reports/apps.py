from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "commons.reports"
    label = "reports"
    verbose_name = "Reports"
