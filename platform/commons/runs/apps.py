from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "commons.runs"
    label = "runs"
    verbose_name = "Runs"

    def ready(self) -> None:
        """Plug in the worker's health."""
        from commons.runs.workers import health  # noqa: PLC0415 settings are ready only now
        from commons.sockets import HealthCheck, health_checks  # noqa: PLC0415 beside the above

        health_checks.register(HealthCheck("worker", health, order=30))
