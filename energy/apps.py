from django.apps import AppConfig


class EnergyConfig(AppConfig):
    """The room of energy; `ready` plugs it into the sockets of the ground floor."""

    name = "energy"
    verbose_name = "Energy"

    def ready(self) -> None:
        """Register the kinds of runs and what the room offers to other pages."""
        from energy import plugs, tasks  # noqa: F401, PLC0415 models must be loaded first

        plugs.register()
