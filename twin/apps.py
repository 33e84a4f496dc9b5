"""The twin plugs in: its section, search, evidence, figure, card, demo."""

from django.apps import AppConfig


class TwinConfig(AppConfig):
    name = "twin"
    verbose_name = "Twin"

    def ready(self) -> None:
        """Register the kinds of runs and fill the sockets."""
        from twin import (  # noqa: PLC0415 models must be ready
            plugs,
            tasks,  # noqa: F401 registers its kinds of runs
        )

        plugs.plug_in()
