from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "commons.audit"
    label = "audit"
    verbose_name = _("Audit log")

    def ready(self) -> None:
        """Listen for sign-ins and keys."""
        from commons.audit import listening  # noqa: PLC0415 models must be ready

        listening.connect()
