"""What the audit log keeps of a person: an alias. It goes when the account is closed, and the rows name nobody."""

from django.utils.translation import gettext_lazy as _

from commons.kept import DELETED, Kept

KEPT = (Kept("audit.Alias", _("Your alias in the audit log"), {"user": DELETED}, hidden=frozenset({"key"})),)
NOT_PERSONAL = {
    "audit.Record": "names people by aliases, and opens their addresses by the alias's key; both go with the account",
    "audit.Record.ip": "sealed with the alias's key",
    "audit.Head": "a number and a hash",
}
