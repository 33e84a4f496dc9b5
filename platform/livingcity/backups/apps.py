"""Backups as a Django app of the site."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BackupsConfig(AppConfig):
    """It has no tables: what is known of backups stands in their folder, which outlives the database."""

    name = "livingcity.backups"
    label = "backups"
    verbose_name = "Backups"

    def ready(self) -> None:
        """Plug in what `/readyz` says of backups, and the notice to staff."""
        from commons.notices.kinds import NoticeKind, kinds  # noqa: PLC0415 apps are ready only now
        from commons.sockets import HealthCheck, health_checks  # noqa: PLC0415 as above
        from livingcity.backups.telling import health  # noqa: PLC0415 as above

        health_checks.register(HealthCheck("backups", health, order=90))
        title = _("A backup or its drill failed, or is too old (for staff)")
        kinds.register(NoticeKind("city.backup", title, needed=True, order=0, urgent=True))
