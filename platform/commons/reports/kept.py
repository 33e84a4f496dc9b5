"""What is kept of a person by reports."""

from django.utils.translation import gettext_lazy as _

from commons.kept import UNLINKED, About, Kept

ABOUT = About(
    _("Reports"),
    _("Staff and who looks after the reported thing. The one who was reported does not learn who did it."),
    _("as long as the case"),
)

KEPT = (
    Kept("reports.Case", _("Things of yours that were reported"), {"author": UNLINKED}),
    Kept("reports.Report", _("What you reported"), {"reporter": UNLINKED}),
    Kept("reports.LogEntry", _("What you did about what was reported"), {}, names={"by": UNLINKED}),
)
NOT_PERSONAL: dict[str, str] = {}
