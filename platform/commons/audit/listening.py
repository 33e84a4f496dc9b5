"""Sign-ins, passwords, addresses of mail and second factors, as Django and allauth tell of them."""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_save, pre_save

from commons.audit.recording import after_save, before_save, note
from commons.people.models import User


def connect() -> None:
    """Once, when all apps stand."""
    pre_save.connect(before_save, dispatch_uid="audit.before")
    post_save.connect(after_save, dispatch_uid="audit.after")
    for signal, what in (
        (user_logged_in, "signed in"),
        (user_logged_out, "signed out"),
        (account.password_set, "password set"),
        (account.password_changed, "password changed"),
        (account.password_reset, "password reset"),
        (account.email_changed, "e-mail changed"),
        (mfa.authenticator_added, "second factor added"),
        (mfa.authenticator_removed, "second factor removed"),
        (mfa.authenticator_reset, "recovery codes made"),
    ):
        signal.connect(_teller(what), weak=False, dispatch_uid=f"audit.{what}")
    user_locked_out.connect(_locked, weak=False, dispatch_uid="audit.locked")


def _teller(what: str) -> Any:
    def tell(sender: Any, user: Any = None, request: Any = None, **_more: Any) -> None:
        if isinstance(user, User) and request is not None:
            note(what, by=user)

    return tell


def _locked(sender: Any, **_more: Any) -> None:
    """Somebody guessed too often; at which account stands with axes, for a wrong name may be somebody's password."""
    note("sign-in closed for an address")
