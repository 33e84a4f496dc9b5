from collections.abc import Callable
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from commons.devices.models import Device


class DevicesConfig(AppConfig):
    name = "commons.devices"
    label = "devices"
    verbose_name = "Devices"

    def ready(self) -> None:
        """Plug the health checks, the live board of a device and the demo's part in; listen for what is stored."""
        from commons.devices import authentication, health, live, signals  # noqa: F401, PLC0415 only now
        from commons.sockets import DemoPart, LiveBoard, demo_parts, live_boards  # noqa: PLC0415

        health.plug_in()
        signals.readings_stored.connect(_tell, dispatch_uid="devices.news")
        live_boards.register(LiveBoard("device", live.device_board))
        demo_parts.register(DemoPart("devices", seed=_seed, remove=_remove, order=15))


def _tell(device: "Device", **_: object) -> None:
    """Tell who watches, once it is committed."""
    from django.db import transaction  # noqa: PLC0415

    from commons.devices.news import teller  # noqa: PLC0415

    transaction.on_commit(lambda: teller.tell(device.pk), robust=True)


def _seed(say: Callable[[str], None]) -> None:
    """Devices come with the rooms' own parts; here the days that they will report on are made ready."""
    from commons.devices.tasks import days_ahead  # noqa: PLC0415

    days_ahead()
    say("Readings: partitions of today and the next two days")


def _remove(say: Callable[[str], None]) -> None:
    from commons.devices.services.demo import remove_demo_devices  # noqa: PLC0415

    say(f"Demo devices taken away: {remove_demo_devices()}")
