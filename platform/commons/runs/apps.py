from collections.abc import Callable

from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "commons.runs"
    label = "runs"
    verbose_name = "Runs"

    def ready(self) -> None:
        """Plug in the worker's health, and the end of the demo's runs."""
        from commons.runs.workers import health  # noqa: PLC0415 settings are ready only now
        from commons.sockets import DemoPart, HealthCheck, demo_parts, health_checks  # noqa: PLC0415 beside the above

        health_checks.register(HealthCheck("worker", health, order=30))
        demo_parts.register(DemoPart("runs", seed=lambda _say: None, remove=forget_demo, order=5))


def forget_demo(say: Callable[[str], None]) -> None:
    """Take the demo's runs away, last of all: the rooms' parts make them."""
    from commons.runs.models import Run  # noqa: PLC0415 models are ready only after the apps

    deleted, _rows = Run.objects.filter(demo=True).delete()
    say(f"{deleted} runs taken away")
