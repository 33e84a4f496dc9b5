"""Tables of the room: what a lab has, who may use it, when it is booked, and what its machines made."""

from labs.models.bookings import Booking
from labs.models.catalogue import Badge, BadgeGrant, Lab, Machine
from labs.models.jobs import Job, JobEvent
from labs.models.money import Account, Entry, Invoice, InvoiceLine, Posting, Tariff, Till
from labs.models.rules import BookingRule, RuleSet

__all__ = [
    "Account",
    "Badge",
    "BadgeGrant",
    "Booking",
    "BookingRule",
    "Entry",
    "Invoice",
    "InvoiceLine",
    "Job",
    "JobEvent",
    "Lab",
    "Machine",
    "Posting",
    "RuleSet",
    "Tariff",
    "Till",
]
