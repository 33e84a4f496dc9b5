"""Tables of the room: what a lab has, who may use it, when it is booked, and what its machines made."""

from labs.models.bookings import Booking
from labs.models.catalogue import Badge, BadgeGrant, Lab, Machine
from labs.models.jobs import Job, JobEvent

__all__ = ["Badge", "BadgeGrant", "Booking", "Job", "JobEvent", "Lab", "Machine"]
