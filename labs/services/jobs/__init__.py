"""Jobs: taken in from devices (`events`), proven (`proof`), measured (`energy`)."""

from labs.services.jobs.energy import measure, readings_came
from labs.services.jobs.events import Ack, booking_of, messages_of, read, refold, seq_of, store, take_events
from labs.services.jobs.proof import prove

__all__ = (
    "Ack",
    "booking_of",
    "measure",
    "messages_of",
    "prove",
    "read",
    "readings_came",
    "refold",
    "seq_of",
    "store",
    "take_events",
)
