"""What is kept of a person by notices. What others were told of somebody goes with them: it says their name."""

from django.utils.translation import gettext_lazy as _

from commons.kept import DELETED, About, Kept

ABOUT = About(
    _("Notices"),
    _("The one who is told."),
    _("as long as the account; what others were told of you goes with it"),
)

KEPT = (
    Kept("notices.Notice", _("Notices to you, and those that told others what you did"),
         {"person": DELETED, "actor": DELETED}),
    Kept("notices.MailChoice", _("Which notices you want by mail"), {"person": DELETED}),
)  # fmt: skip
NOT_PERSONAL: dict[str, str] = {}
