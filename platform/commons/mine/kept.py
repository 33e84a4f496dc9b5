"""What is kept of a person's first hour."""

from django.utils.translation import gettext_lazy as _

from commons.kept import DELETED, About, Kept

ABOUT = About(
    _("Your first hour"),
    _("You alone."),
    _("as long as the account"),
)

KEPT = (Kept("mine.FirstHour", _("Your first hour here"), {"person": DELETED}),)
NOT_PERSONAL: dict[str, str] = {}
