"""What the audit log keeps of a person: an alias. It goes when the account is closed, and the rows name nobody."""

from django.utils.translation import gettext_lazy as _

from commons.kept import DELETED, About, Kept

ABOUT = About(
    _("The audit log"),
    _(
        "Staff read who did what with more than their own rights. It names people by an alias, which "
        "opens only while the account is there."
    ),
    _("rows for ever; your alias as long as the account"),
)

KEPT = (Kept("audit.Alias", _("Your alias in the audit log"), {"user": DELETED}, hidden=frozenset({"key"})),)
NOT_PERSONAL = {
    "audit.Record": "names people by aliases, and opens their addresses by the alias's key; both go with the account",
    "audit.Record.ip": "sealed with the alias's key",
    "audit.Head": "a number and a hash",
}
