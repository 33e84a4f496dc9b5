"""Decisions plug in: their section."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DecisionsConfig(AppConfig):
    name = "commons.decisions"
    label = "decisions"
    verbose_name = "Decisions"

    def ready(self) -> None:
        """Fill the sockets."""
        from commons import sockets  # noqa: PLC0415 models must be ready

        sockets.nav.register(sockets.NavEntry("decisions", _("Decisions"), "rooms:decisions", "decisions", order=60))
