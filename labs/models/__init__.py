"""Tables of the room: what a lab has, who may use it, when it is booked, and what its machines made."""

from labs.models.bookings import Booking
from labs.models.catalogue import Badge, BadgeGrant, Lab, Machine
from labs.models.feeds import FeedKey
from labs.models.interlocks import Interlock, InterlockCommand
from labs.models.jobs import Job, JobEvent
from labs.models.maintenance import MaintenancePlan, MaintenanceRecord
from labs.models.money import Account, Entry, Invoice, InvoiceLine, Posting, Tariff, Till
from labs.models.rules import BookingRule, RuleSet
from labs.models.series import BookingSeries
from labs.models.waitlist import WaitlistEntry

__all__ = [
    "Account",
    "Badge",
    "BadgeGrant",
    "Booking",
    "BookingRule",
    "BookingSeries",
    "Entry",
    "FeedKey",
    "Interlock",
    "InterlockCommand",
    "Invoice",
    "InvoiceLine",
    "Job",
    "JobEvent",
    "Lab",
    "Machine",
    "MaintenancePlan",
    "MaintenanceRecord",
    "Posting",
    "RuleSet",
    "Tariff",
    "Till",
    "WaitlistEntry",
]
