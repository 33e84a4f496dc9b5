"""Who may stop a run: its owner and staff. A token needs a scope of the run's room to see it, and one that does more
than read to stop it."""

from typing import Any

from django.utils.translation import gettext as _

from commons.errors import NotAllowed
from commons.runs.models import Run

#: Scopes that are named after what a room keeps, and the room.
ROOM_OF = {"bookings": "labs"}


def rooms_of(token: Any, *, changing: bool = False) -> frozenset[str] | None:
    """The rooms of which a token has a scope, or one that does more than read; None for all: nobody's token, or one of
    `admin`.
    """
    if token is None or "admin" in token.scopes:
        return None
    named = {scope.partition(":")[0] for scope in token.scopes if not (changing and scope.endswith(":read"))}
    return frozenset(ROOM_OF.get(name, name) for name in named)


def may_cancel(user: Any, run: Run) -> bool:
    """Whether this person may stop it."""
    return bool(user.is_authenticated and (user.is_staff or run.owner_id == user.pk))


def check_may_cancel(user: Any, run: Run, *, token: Any = None) -> None:
    """Raises NotAllowed with the reason."""
    if not may_cancel(user, run):
        raise NotAllowed(_("Only the person who started this, or staff, can stop it."))
    room, rooms = run.kind.partition(".")[0], rooms_of(token, changing=True)
    if rooms is not None and room not in rooms:
        raise NotAllowed(_("This token has no scope of “%(room)s”.") % {"room": room})
