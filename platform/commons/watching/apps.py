"""What the city measures of itself, as a Django app."""

from django.apps import AppConfig


class WatchingConfig(AppConfig):
    """It has no tables: what it knows is counted anew by each process."""

    name = "commons.watching"
    label = "watching"
    verbose_name = "Watching"
