"""Tables of the room: what a lab has, who may use it, when it is booked, and what its machines made."""

from labs.models.bookings import Booking
from labs.models.catalogue import Badge, BadgeGrant, Lab, Machine
from labs.models.credentials import Credential, IssuerKey, OutsideBadge, StatusList
from labs.models.feeds import FeedKey
from labs.models.jobs import Job, JobEvent
from labs.models.learning import CheckAnswer, Course, CourseSession, Renewal, Seat, SignOff, Teaching
from labs.models.money import Account, Entry, Invoice, InvoiceLine, Posting, Tariff, Till
from labs.models.rules import BookingRule, RuleSet
from labs.models.series import BookingSeries
from labs.models.trust import TrustPolicy, TrustRule
from labs.models.waitlist import WaitlistEntry

__all__ = [
    "Account",
    "Badge",
    "BadgeGrant",
    "Booking",
    "BookingRule",
    "BookingSeries",
    "CheckAnswer",
    "Course",
    "CourseSession",
    "Credential",
    "Entry",
    "FeedKey",
    "Invoice",
    "InvoiceLine",
    "IssuerKey",
    "Job",
    "JobEvent",
    "Lab",
    "Machine",
    "OutsideBadge",
    "Posting",
    "Renewal",
    "RuleSet",
    "Seat",
    "SignOff",
    "StatusList",
    "Tariff",
    "Teaching",
    "Till",
    "TrustPolicy",
    "TrustRule",
    "WaitlistEntry",
]
