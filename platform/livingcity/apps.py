"""The site as a Django app; it loads the Celery app, so that every `shared_task` finds its broker."""

from django.apps import AppConfig


class LivingCityConfig(AppConfig):
    """Loaded first of all apps."""

    name = "livingcity"
    verbose_name = "Living City"

    def ready(self) -> None:
        """Bind shared tasks to our Celery app; plug in the health of the database, of Valkey and of the disk."""
        import livingcity.celery  # noqa: F401, PLC0415 it reads the settings
        from commons.sockets import HealthCheck, health_checks  # noqa: PLC0415 apps are ready only now
        from livingcity.views import health  # noqa: PLC0415 beside the above

        health_checks.register(HealthCheck("database", health.database, order=10))
        health_checks.register(HealthCheck("valkey", health.broker, order=20))
        health_checks.register(HealthCheck("disk", health.disk, order=50))
