"""Tables of the room: what a lab has, who may use it, when it is booked, and what its machines made."""

from labs.models.bookings import Booking
from labs.models.catalogue import Badge, BadgeGrant, Lab, Machine
from labs.models.credentials import Credential, IssuerKey, OutsideBadge, StatusList
from labs.models.jobs import Job, JobEvent
from labs.models.learning import CheckAnswer, Course, CourseSession, Renewal, Seat, SignOff, Teaching
from labs.models.trust import TrustPolicy, TrustRule

__all__ = [
    "Badge",
    "BadgeGrant",
    "Booking",
    "CheckAnswer",
    "Course",
    "CourseSession",
    "Credential",
    "IssuerKey",
    "Job",
    "JobEvent",
    "Lab",
    "Machine",
    "OutsideBadge",
    "Renewal",
    "Seat",
    "SignOff",
    "StatusList",
    "Teaching",
    "TrustPolicy",
    "TrustRule",
]
