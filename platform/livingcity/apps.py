from django.apps import AppConfig


class LivingCityConfig(AppConfig):
    name = "livingcity"
    verbose_name = "Living City"
