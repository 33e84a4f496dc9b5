"""The site as a Django app; it loads the Celery app, so that every `shared_task` finds its broker."""

from django.apps import AppConfig


class LivingCityConfig(AppConfig):
    """Loaded first of all apps."""

    name = "livingcity"
    verbose_name = "Living City"

    def ready(self) -> None:
        """Bind shared tasks to our Celery app."""
        import livingcity.celery  # noqa: F401, PLC0415 it reads the settings
