"""Bookings: made, moved, cancelled, decided, used, closed; each a function, each one transaction.

All lock in one order: people by number, machines by number, bookings by start. So no two writers ever wait for each
other. What they refuse is named where they stand.
"""

from labs.services.bookings.closing import close_machine, reopen_machine
from labs.services.bookings.create import book_together, create_booking
from labs.services.bookings.decide import approve_booking, decline_booking, decline_forgotten
from labs.services.bookings.excuse import excuse_missed
from labs.services.bookings.move import cancel_booking, move_booking
from labs.services.bookings.presence import EARLY, check_in, close_finished, end_early, release_unused
from labs.services.bookings.series import Repeated, create_series
from labs.services.bookings.walk_up import walk_up

__all__ = [
    "EARLY",
    "Repeated",
    "approve_booking",
    "book_together",
    "cancel_booking",
    "check_in",
    "close_finished",
    "close_machine",
    "create_booking",
    "create_series",
    "decline_booking",
    "decline_forgotten",
    "end_early",
    "excuse_missed",
    "move_booking",
    "release_unused",
    "reopen_machine",
    "walk_up",
]
