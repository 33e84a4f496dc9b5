"""What is kept of a person by reports."""

from django.utils.translation import gettext_lazy as _

from commons.kept import UNLINKED, Kept

KEPT = (
    Kept("reports.Case", _("Things of yours that were reported"), {"author": UNLINKED}),
    Kept("reports.Report", _("What you reported"), {"reporter": UNLINKED}),
    Kept("reports.LogEntry", _("What you did about what was reported"), {}, names={"by": UNLINKED}),
)
NOT_PERSONAL: dict[str, str] = {}
