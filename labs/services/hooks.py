"""Who hears that a booking changed: the ledger, the waitlist, the week that is being looked at.

A listener is called inside the transaction of the change, with the row as it now stands, so that what it writes
stands or falls with the change. It never refuses: rules speak before, in `checks`.
"""

from collections.abc import Callable
from typing import Literal

from labs.models import Booking

#: “offered” holds the time for somebody of the waitlist, and “created” follows when it is taken up, so that what
#: happens to each real booking (a fee, a count) listens to “created” alone; an offer that is let go is “lapsed”.
#: “cut-short”: a closure took the rest of its time.
What = Literal[
    "created",
    "moved",
    "cut-short",
    "cancelled",
    "approved",
    "declined",
    "checked-in",
    "ended",
    "missed",
    "excused",
    "offered",
    "lapsed",
]
Listener = Callable[[Booking, What], None]

_listeners: list[Listener] = []


def listen(listener: Listener) -> Listener:
    """Call this function after each change, in the order of registration; the same one is kept once."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


def changed(booking: Booking, what: What) -> None:
    """Tell everybody who listens, once for each change; call it inside the transaction."""
    for listener in _listeners:
        listener(booking, what)
