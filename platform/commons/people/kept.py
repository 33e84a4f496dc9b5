"""What is kept of a person as such: the account, and what signing in leaves behind."""

from django.utils.translation import gettext_lazy as _

from commons.kept import DELETED, FOLLOWS, About, Kept

ABOUT = About(
    _("Your account"),
    _(
        "Everybody sees your name and the organisations to which you belong. Your e-mail address, sessions, "
        "tokens and attempts to sign in are seen by you alone; staff see that an account is there and "
        "its address."
    ),
    _("as long as the account; attempts to sign in, until you sign in or the account is closed"),
)

KEPT = (
    Kept("people.User", _("Your account"), {"pk": FOLLOWS}, hidden=frozenset({"password"})),
    Kept("people.User_groups", _("Groups of staff to which you belong"), {"user": DELETED}),
    Kept("people.User_user_permissions", _("Rights that staff gave you"), {"user": DELETED}),
    Kept("people.Handle", _("Your name in the city"), {"user": FOLLOWS}),
    Kept("people.Membership", _("Organisations to which you belong"), {"user": DELETED}),
    Kept("people.ApiToken", _("Tokens for scripts and git"), {"user": DELETED}, hidden=frozenset({"sha256"})),
    Kept("people.SignInLink", _("Links that signed you in"), {"user": DELETED}, hidden=frozenset({"sha256"})),
    Kept("account.EmailAddress", _("Your e-mail addresses"), {"user": DELETED}),
    Kept(
        "account.EmailConfirmation", _("Letters that asked you to confirm an address"),
        {"email_address__user": FOLLOWS}, hidden=frozenset({"key"}),
    ),
    Kept(
        "mfa.Authenticator", _("Passkeys and codes (without their secrets)"), {"user": DELETED},
        hidden=frozenset({"data"}),
    ),
    Kept(
        "usersessions.UserSession", _("Where you are signed in"), {"user": DELETED},
        hidden=frozenset({"session_key", "data"}),
    ),
    Kept("admin.LogEntry", _("What you did on staff pages"), {"user": DELETED}),
    Kept(
        "axes.AccessAttempt", _("Attempts to sign in that failed"), {}, names={"username": DELETED},
        hidden=frozenset({"post_data", "get_data"}),
    ),
    Kept("axes.AccessFailureLog", _("Log of attempts that failed"), {}, names={"username": DELETED}),
    Kept(
        "axes.AccessLog", _("Log of signing in and out"), {}, names={"username": DELETED},
        hidden=frozenset({"session_hash"}),
    ),
)  # fmt: skip

NOT_PERSONAL = {
    "people.Organisation": "of a group, not of a person",
    "auth.Permission": "of the code",
    "auth.Group": "a kind of staff",
    "auth.Group_permissions": "a kind of staff",
    "contenttypes.ContentType": "of the code",
    "sessions.Session": "sealed; a person's sessions are found by reading them, and end when the account is closed",
    "axes.AccessAttemptExpiration": "when a row of axes.AccessAttempt is forgotten; goes with it",
}
