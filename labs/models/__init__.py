"""Tables of the room: what a lab has, who may use it, when it is booked, and what its machines made."""

from labs.models.bookings import Booking
from labs.models.catalogue import Badge, BadgeGrant, Lab, Machine
from labs.models.equipment import Circuit, Consumable, MachinePhoto, Manual, StockEntry
from labs.models.jobs import Job, JobEvent
from labs.models.orders import MakeOrder, OrderBooking, OrderEvent
from labs.models.profile import Backer, Joining, OpeningException

__all__ = [
    "Backer",
    "Badge",
    "BadgeGrant",
    "Booking",
    "Circuit",
    "Consumable",
    "Job",
    "JobEvent",
    "Joining",
    "Lab",
    "Machine",
    "MachinePhoto",
    "MakeOrder",
    "Manual",
    "OpeningException",
    "OrderBooking",
    "OrderEvent",
    "StockEntry",
]
