"""Who may stop a run: its owner and staff; a token needs a scope of the run's room."""

from typing import Any

from django.utils.translation import gettext as _

from commons.errors import NotAllowed
from commons.runs.models import Run


def may_cancel(user: Any, run: Run) -> bool:
    """Whether this person may stop it."""
    return bool(user.is_authenticated and (user.is_staff or run.owner_id == user.pk))


def check_may_cancel(user: Any, run: Run, *, token: Any = None) -> None:
    """Raises NotAllowed with the reason."""
    if not may_cancel(user, run):
        raise NotAllowed(_("Only the person who started this, or staff, can stop it."))
    room = run.kind.partition(".")[0]
    if token is not None and not any(scope == "admin" or scope.startswith(f"{room}:") for scope in token.scopes):
        raise NotAllowed(_("This token has no scope of “%(room)s”.") % {"room": room})
