"""Tables of the room: what a lab has, who may use it, when it is booked, and what its machines made."""

from labs.models.bookings import Booking
from labs.models.catalogue import Badge, BadgeGrant, Lab, Machine
from labs.models.feeds import FeedKey
from labs.models.jobs import Job, JobEvent
from labs.models.series import BookingSeries
from labs.models.waitlist import WaitlistEntry

__all__ = [
    "Badge",
    "BadgeGrant",
    "Booking",
    "BookingSeries",
    "FeedKey",
    "Job",
    "JobEvent",
    "Lab",
    "Machine",
    "WaitlistEntry",
]
