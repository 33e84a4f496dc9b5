from django.apps import AppConfig


class DesignsConfig(AppConfig):
    name = "designs"
    verbose_name = "Designs"

    def ready(self) -> None:
        from designs import tasks  # noqa: F401, PLC0415 registers the kinds of runs
        from designs.plugs import plug_in  # noqa: PLC0415 models must be loaded first

        plug_in()
