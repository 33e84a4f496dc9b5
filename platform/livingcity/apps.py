from django.apps import AppConfig


class LivingCityConfig(AppConfig):
    name = "livingcity"
    verbose_name = "Living City"

    def ready(self) -> None:
        """Plug in the health of the database and of Valkey."""
        from commons.sockets import HealthCheck, health_checks  # noqa: PLC0415 apps are ready only now
        from livingcity.views import health  # noqa: PLC0415 beside the above

        health_checks.register(HealthCheck("database", health.database, order=10))
        health_checks.register(HealthCheck("valkey", health.broker, order=20))
