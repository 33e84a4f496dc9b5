from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "commons.audit"
    label = "audit"
    verbose_name = _("Audit log")

    def ready(self) -> None:
        """Listen for sign-ins and keys; cut the alias of who leaves."""
        from commons import sockets  # noqa: PLC0415 apps are ready only now
        from commons.audit import listening, services  # noqa: PLC0415 models must be ready

        listening.connect()
        sockets.leavers.register(sockets.Leaver("audit", services.forget, lambda _user: False, order=900))
