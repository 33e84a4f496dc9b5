from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "commons.people"
    label = "people"
    verbose_name = "People"
