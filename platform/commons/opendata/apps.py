from django.apps import AppConfig


class OpenDataConfig(AppConfig):
    name = "commons.opendata"
    label = "opendata"
    verbose_name = "Open data"

    def ready(self) -> None:
        """The demo is in the files when all of it is there, and out of them when all of it is gone."""
        from commons.opendata.tasks import renewed  # noqa: PLC0415 models must be loaded first
        from commons.sockets import DemoPart, demo_parts  # noqa: PLC0415 as above

        demo_parts.register(DemoPart("opendata", seed=renewed, remove=lambda _say: None, order=1000))
        demo_parts.register(DemoPart("opendata-without", seed=lambda _say: None, remove=renewed, order=0))
