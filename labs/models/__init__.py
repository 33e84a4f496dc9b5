"""Tables of the room: what a lab has, who may use it, when it is booked, and what its machines made."""

from labs.models.bookings import Booking
from labs.models.catalogue import Badge, BadgeGrant, Lab, Machine
from labs.models.credentials import Credential, IssuerKey, OutsideBadge, StatusList
from labs.models.energy import EnergyFigure, PowerMeter
from labs.models.equipment import Circuit, Consumable, MachinePhoto, Manual, StockEntry
from labs.models.excuses import Excuse
from labs.models.faults import Fault, LogEntry, Outage
from labs.models.feeds import FeedKey
from labs.models.imports import ImportedRow, ImportFile, LabImport
from labs.models.interlocks import Interlock, InterlockCommand
from labs.models.jobs import Job, JobEvent
from labs.models.kiosk import Kiosk, KioskPass, MachineLabel
from labs.models.learning import CheckAnswer, Course, CourseSession, Renewal, Seat, SignOff, Teaching
from labs.models.maintenance import MaintenancePlan, MaintenanceRecord
from labs.models.mending import Mending
from labs.models.money import Account, Entry, Invoice, InvoiceLine, Posting, Tariff, Till
from labs.models.orders import MakeOrder, OrderBooking, OrderEvent
from labs.models.passports import HiddenEntry, Passport, PassportCredential, PassportEntry
from labs.models.production import ProductionDay, ProductionDue
from labs.models.profile import Backer, Joining, OpeningException
from labs.models.proof import FilePolicy, JobCandidate, JobClaim, JobFile, ShapeProfile
from labs.models.rules import BookingRule, RuleSet
from labs.models.series import BookingSeries
from labs.models.slices import Slice, SlicingProfile
from labs.models.sunshine import BookingPlan, FirstAsked, FlexibleBooking, FlexibleMove, PowerProfile, SunDay
from labs.models.ties import LabDraft, LabTie
from labs.models.trust import TrustPolicy, TrustRule
from labs.models.waitlist import WaitlistEntry

__all__ = [
    "Account",
    "Backer",
    "Badge",
    "BadgeGrant",
    "Booking",
    "BookingPlan",
    "BookingRule",
    "BookingSeries",
    "CheckAnswer",
    "Circuit",
    "Consumable",
    "Course",
    "CourseSession",
    "Credential",
    "EnergyFigure",
    "Entry",
    "Excuse",
    "Fault",
    "FeedKey",
    "FilePolicy",
    "FirstAsked",
    "FlexibleBooking",
    "FlexibleMove",
    "HiddenEntry",
    "ImportFile",
    "ImportedRow",
    "Interlock",
    "InterlockCommand",
    "Invoice",
    "InvoiceLine",
    "IssuerKey",
    "Job",
    "JobCandidate",
    "JobClaim",
    "JobEvent",
    "JobFile",
    "Joining",
    "Kiosk",
    "KioskPass",
    "Lab",
    "LabDraft",
    "LabImport",
    "LabTie",
    "LogEntry",
    "Machine",
    "MachineLabel",
    "MachinePhoto",
    "MaintenancePlan",
    "MaintenanceRecord",
    "MakeOrder",
    "Manual",
    "Mending",
    "OpeningException",
    "OrderBooking",
    "OrderEvent",
    "Outage",
    "OutsideBadge",
    "Passport",
    "PassportCredential",
    "PassportEntry",
    "Posting",
    "PowerMeter",
    "PowerProfile",
    "ProductionDay",
    "ProductionDue",
    "Renewal",
    "RuleSet",
    "Seat",
    "ShapeProfile",
    "SignOff",
    "Slice",
    "SlicingProfile",
    "StatusList",
    "StockEntry",
    "SunDay",
    "Tariff",
    "Teaching",
    "Till",
    "TrustPolicy",
    "TrustRule",
    "WaitlistEntry",
]
