"""What is kept of a person by runs."""

from django.utils.translation import gettext_lazy as _

from commons.kept import UNLINKED, About, Kept

ABOUT = About(
    _("Work that ran for you"),
    _("You alone, unless its result is a public figure."),
    _("as long as the account"),
)

KEPT = (Kept("runs.Run", _("Work that ran for you, with its results"), {"owner": UNLINKED}),)
NOT_PERSONAL: dict[str, str] = {}
