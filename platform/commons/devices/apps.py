from collections.abc import Callable

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "commons.devices"
    label = "devices"
    verbose_name = "Devices"

    def ready(self) -> None:
        """Plug the health checks and the demo's part in."""
        from commons.devices import authentication, health  # noqa: F401, PLC0415 models are loaded only now
        from commons.sockets import DemoPart, demo_parts  # noqa: PLC0415

        health.plug_in()
        demo_parts.register(DemoPart("devices", seed=_seed, remove=_remove, order=15))


def _seed(say: Callable[[str], None]) -> None:
    """Devices come with the rooms' own parts; here the days that they will report on are made ready."""
    from commons.devices.tasks import days_ahead  # noqa: PLC0415

    days_ahead()
    say("Readings: partitions of today and the next two days")


def _remove(say: Callable[[str], None]) -> None:
    from commons.devices.services.demo import remove_demo_devices  # noqa: PLC0415

    say(f"Demo devices taken away: {remove_demo_devices()}")
