from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "commons.reports"
    label = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        """Name the notices that come of reports; nobody switches them off."""
        from commons.notices import kinds  # noqa: PLC0415 apps are ready only now

        kinds.register(
            ("reports.outcome", _("What you reported is decided on"), True),
            ("reports.warned", _("The city warns you"), True),
        )
