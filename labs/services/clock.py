"""What the clock does with bookings and the waitlist, in the order in which one thing frees time for the next."""

import datetime as dt

from labs.services import bookings, faults, maintenance, waitlist


def tick(now: dt.datetime) -> dict[str, int]:
    """Keep closed what is down, release what nobody came for, decline what nobody answered, close what is over, offer
    the free time on."""
    return {
        "kept_down": faults.keep_down(now),
        "overdue": maintenance.close_overdue(now),
        "missed": len(bookings.release_unused(now)),
        "declined": len(bookings.decline_forgotten(now)),
        "done": len(bookings.close_finished(now)),
        "lapsed": len(waitlist.expire(now)),
        "offered": len(waitlist.sweep(now)),
    }
