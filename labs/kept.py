"""What labs keep of a person. Books and logs of a lab are only ever added to, so what stands in them stays."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from commons.kept import BOOKS, DELETED, FOLLOWS, UNLINKED, About, Attached, Files, Kept

_BOOKS = _("A lab's books are kept for as long as the law on bookkeeping says; they are only ever added to.")
_LOG = _("The log of a lab is a safety record that is only ever added to; it holds the number of a closed account.")

ABOUT = About(
    _("Labs"),
    _(
        "Your jobs, badges, answers and wallet: you and those who run the lab. Who belongs to a lab sees there who has "
        "booked; everybody else, that a machine is taken."
    ),
    _("a lab’s books and its safety log as the law says; the rest as long as the account"),
)

KEPT = (
    Kept("labs.Booking", _("Bookings of machines"),
         {"user": FOLLOWS, "booked_by": UNLINKED, "decided_by": UNLINKED}),
    Kept("labs.BookingSeries", _("Bookings that come again"), {"user": FOLLOWS}),
    Kept("labs.WaitlistEntry", _("Waitlists on which you stood"), {"user": DELETED}),
    Kept("labs.Excuse", _("Bookings that did not count against you, or that you excused"),
         {"booking__user": FOLLOWS, "by": UNLINKED}),
    Kept("labs.FlexibleBooking", _("Bookings that follow the sun"), {"user": FOLLOWS}),
    Kept("labs.FlexibleMove", _("Where such a booking stood before"), {"flexible__user": FOLLOWS}),
    Kept("labs.FirstAsked", _("What you first asked for when you booked"), {"booking__user": FOLLOWS}),
    Kept("labs.BookingPlan", _("Power that your bookings were planned with"), {"booking__user": FOLLOWS}),
    Kept("labs.Joining", _("Labs that you asked to join, or whose askers you answered"),
         {"user": DELETED, "by": UNLINKED, "answered_by": UNLINKED}),
    Kept("labs.BadgeGrant", _("Badges that you have, or gave"), {"user": FOLLOWS, "granted_by": UNLINKED}),
    Kept("labs.Credential", _("Your badges as signed documents"), {"grant__user": FOLLOWS},
         hidden=frozenset({"share"})),
    Kept("labs.OutsideBadge", _("Badges from elsewhere that you showed"), {"user": DELETED}),
    Kept("labs.CheckAnswer", _("Your answers in courses"), {"user": FOLLOWS}),
    Kept("labs.Seat", _("Course sessions in which you had a seat"), {"user": FOLLOWS}),
    Kept("labs.SignOff", _("What a trainer signed for you, or you signed"), {"user": FOLLOWS, "trainer": UNLINKED}),
    Kept("labs.CourseSession", _("Course sessions that you hold"), {"trainer": UNLINKED}),
    Kept("labs.Teaching", _("Courses that you brought to a lab"), {"by": UNLINKED}),
    Kept("labs.Renewal", _("Badges that you had people learn again"), {"by": UNLINKED}),
    Kept("labs.Job", _("Jobs that machines did for you"), {"booking__user": FOLLOWS}),
    Kept("labs.JobEvent", _("What machines said about your jobs"), {"job__booking__user": FOLLOWS}),
    Kept("labs.EnergyFigure", _("What your jobs took"), {"job__booking__user": FOLLOWS}),
    Kept("labs.JobFile", _("Files that you sent for a job"), {"by": UNLINKED, "job__booking__user": FOLLOWS},
         hidden=frozenset({"printed"})),
    Kept("labs.JobClaim", _("Jobs of which you said what was made"), {"by": FOLLOWS}),
    Kept("labs.Slice", _("Programs for machines that were made for you"),
         {"by": UNLINKED, "booking__user": FOLLOWS}),
    Kept("labs.SlicingProfile", _("Slicing profiles that you brought"), {"by": UNLINKED}),
    Kept("labs.MakeOrder", _("Orders of makes"), {"person": FOLLOWS, "quoted_by": UNLINKED}, why=_BOOKS),
    Kept("labs.OrderEvent", _("What became of your orders"), {"order__person": FOLLOWS, "by": UNLINKED}),
    Kept("labs.OrderBooking", _("Bookings that your orders needed"), {"order__person": FOLLOWS}),
    Kept("labs.Account", _("Your wallets"), {"user": BOOKS}, why=_BOOKS),
    Kept("labs.Entry", _("What came into your wallets and went"), {"account__user": BOOKS}, why=_BOOKS),
    Kept("labs.Posting", _("What was posted for you, or by you"),
         {"entries__account__user": BOOKS, "by": BOOKS}, why=_BOOKS),
    Kept("labs.Invoice", _("Invoices to you, or that you made"), {"user": BOOKS, "by": BOOKS}, why=_BOOKS),
    Kept("labs.InvoiceLine", _("Lines of your invoices"), {"invoice__user": BOOKS}, why=_BOOKS),
    Kept("labs.Fault", _("Faults that you reported or mended"),
         {"reporter": UNLINKED, "keeper": UNLINKED, "closed_by": UNLINKED}),
    Kept("labs.Outage", _("Machines that you took out of use"), {"opened_by": UNLINKED}),
    Kept("labs.LogEntry", _("What you wrote in the log of a lab"), {"by": BOOKS}, why=_LOG),
    Kept("labs.InterlockCommand", _("Machines that were switched on or off for you"), {"person": BOOKS}, why=_LOG),
    Kept("labs.MaintenanceRecord", _("Maintenance that you did"), {"person": BOOKS}, why=_LOG),
    Kept("labs.MaintenancePlan", _("Maintenance that you planned"), {"by": UNLINKED}),
    Kept("labs.Mending", _("Power that was lent to you, or by you, to mend a machine"),
         {"person": DELETED, "by": UNLINKED}),
    Kept("labs.MachinePhoto", _("Photos of machines that you took"), {"by": UNLINKED}),
    Kept("labs.Manual", _("Manuals that you brought"), {"by": UNLINKED}),
    Kept("labs.StockEntry", _("Stock that you brought or took"), {"by": UNLINKED}),
    Kept("labs.PassportEntry", _("What you wrote in passports of made things"), {"by": UNLINKED}),
    Kept("labs.FeedKey", _("Addresses of your calendars"), {"user": DELETED}, hidden=frozenset({"digest"})),
    Kept("labs.KioskPass", _("Your PIN at kiosks"), {"user": DELETED}, hidden=frozenset({"pin", "badge_digest"})),
    Kept("labs.Kiosk", _("Kiosks that you set up"), {"made_by": UNLINKED},
         hidden=frozenset({"code_digest", "secret_digest"})),
    Kept("labs.LabImport", _("Tables that you brought into a lab"), {"by": UNLINKED}, hidden=frozenset({"report"})),
    Kept("labs.BookingRule", _("Rules of a lab that you set or ended"), {"by": UNLINKED, "ended_by": UNLINKED}),
    Kept("labs.Tariff", _("Prices of a lab that you set or ended"), {"by": UNLINKED, "ended_by": UNLINKED}),
    Kept("labs.LabTie", _("Ties of labs to communities and buildings that you asked for or answered"),
         {"asked_by": UNLINKED, "answered_by": UNLINKED}),
    Kept("labs.LabDraft", _("Labs that you were about to open"), {"owner": DELETED, "makers": FOLLOWS}),
    Kept("labs.LabDraft_makers", _("Labs that you helped to prepare"), {"user": DELETED, "labdraft__owner": FOLLOWS}),
    Kept("labs.TrustPolicy", _("Whose badges count, where you said so"), {"changed_by": UNLINKED}),
    Kept("labs.TrustRule", _("Rules about others' badges that you set"), {"by": UNLINKED}),
)  # fmt: skip



def _photos(person: Any) -> Iterator[Attached]:
    """Photos of machines as they are shown; one that is not drawn yet, as it was sent."""
    from labs.models import MachinePhoto  # noqa: PLC0415 models must be ready
    from labs.services import equipment  # noqa: PLC0415 as above

    for photo in MachinePhoto.objects.filter(by=person).order_by("pk"):
        drawn = photo.state == MachinePhoto.State.READY
        yield Attached(f"machine-{photo.machine_id}-{photo.pk}{'.jpg' if drawn else ''}",
                       equipment.picture_path(photo.name, "large") if drawn else equipment.incoming(photo))  # fmt: skip


def _manuals(person: Any) -> Iterator[Attached]:
    from labs.models import Manual  # noqa: PLC0415 models must be ready
    from labs.services import equipment  # noqa: PLC0415 as above

    for manual in Manual.objects.filter(by=person).exclude(name="").order_by("pk"):
        yield Attached(f"machine-{manual.machine_id}-{manual.pk}.pdf", equipment.manual_path(manual))


def _programs(person: Any) -> Iterator[Attached]:
    """Programs of machines: those that were sent with a job, and those that were sliced here."""
    from labs.models import JobFile, Slice  # noqa: PLC0415 models must be ready
    from labs.services import slices  # noqa: PLC0415 as above
    from labs.services.jobs import files  # noqa: PLC0415 as above

    for sent in JobFile.objects.filter(Q(by=person) | Q(job__booking__user=person)).order_by("pk").distinct():
        yield Attached(f"sent-{sent.pk}.gcode", files.path_of(sent))
    for made in Slice.objects.filter(Q(by=person) | Q(booking__user=person)).order_by("pk").distinct():
        yield Attached(f"sliced-{made.pk}.gcode", slices.path_of(made))


FILES = (
    Files("photos-of-machines", _("Photos of machines that you took"), frozenset({"labs.MachinePhoto"}), _photos,
          _("stays with the machine, without your name")),
    Files("manuals", _("Manuals that you brought"), frozenset({"labs.Manual"}), _manuals,
          _("stays with the machine, without your name")),
    Files("programs", _("Programs of machines that you sent, or that were made for you"),
          frozenset({"labs.JobFile", "labs.Slice"}), _programs, _("goes with the booking, or after the lab’s time")),
)  # fmt: skip

OF_A_LAB = (
    "Lab", "Badge", "Machine", "Machine_required_badges", "IssuerKey", "StatusList", "PowerMeter", "Circuit",
    "Consumable", "Consumable_machines", "MachineLabel", "Course", "RuleSet", "Till", "Passport", "HiddenEntry",
    "PassportCredential", "ProductionDay", "ProductionDue", "OpeningException", "Backer", "FilePolicy",
    "JobCandidate", "ShapeProfile", "PowerProfile", "SunDay", "Interlock",
)  # fmt: skip
NOT_PERSONAL = {f"labs.{name}": "of a lab, or of what it made" for name in OF_A_LAB} | {
    "labs.ImportFile": "a table as a lab brought it, until it is taken over or for a week",
    "labs.ImportedRow": "which row became which thing of the lab, by number",
    "labs.Lab.address": "where the lab is",
    "labs.Lab.email": "how the lab is reached",
    "labs.Lab.phone": "how the lab is reached",
    "labs.Interlock.username": "an account of the relay, not a person's",
}
