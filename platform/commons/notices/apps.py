from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "commons.notices"
    label = "notices"
    verbose_name = "Notices"
