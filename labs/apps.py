"""What the room plugs into the sockets."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LabsConfig(AppConfig):
    """The room of labs."""

    name = "labs"
    verbose_name = _("Labs")

    def ready(self) -> None:
        """Plug in, and listen for late readings."""
        from labs import plugs, signals  # noqa: F401, PLC0415 models must be loaded first

        plugs.plug_in()
