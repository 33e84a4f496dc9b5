"""Reads of the books: wallets, what a booking has cost so far, rows for the bookkeeper, and whether all adds up."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.engine.prices import NOTHING
from labs.errors.money import UnknownInvoice, UnknownWallet
from labs.models import Account, Booking, Entry, Invoice, Lab, Posting

COSTS = (Posting.What.CHARGE, Posting.What.REFUND)
BILLED = (*COSTS, Posting.What.ENERGY, Posting.What.FEE)
"""What stands on invoices. What was paid in, and corrections by hand, do not."""


def wallets(user: User) -> QuerySet[Account]:
    """A person's wallets in all labs."""
    return (
        Account.objects.filter(kind=Account.Kind.WALLET, user=user).select_related("lab__place").order_by("lab__name")
    )


def wallets_of(lab: Lab) -> QuerySet[Account]:
    """All wallets of a lab, by person."""
    rows = Account.objects.filter(kind=Account.Kind.WALLET, lab=lab).select_related("user", "lab")
    return rows.order_by("user__username", "unit")


def wallet_of(lab: Lab | int, user: User, unit: str) -> Account | None:
    """A person's wallet in a lab, if there is one."""
    return Account.objects.filter(kind=Account.Kind.WALLET, lab=lab, user=user, unit=unit).first()


def find_wallet(key: int) -> Account:
    """The wallet of that number. Raises UnknownWallet."""
    found = Account.objects.filter(kind=Account.Kind.WALLET, pk=key).select_related("lab__place", "user").first()
    if found is None:
        raise UnknownWallet(_("There is no such wallet, or it is not yours."))
    return found


def entries(account: Account) -> QuerySet[Entry]:
    """What came and went, newest first."""
    rows = Entry.objects.filter(account=account).select_related("posting__booking__machine", "posting__invoice_line")
    return rows.order_by("-posting__at", "-pk")


def charged(booking: Booking | uuid.UUID) -> Decimal:
    """What the person has paid for a booking so far, refunds taken off."""
    key = booking.pk if isinstance(booking, Booking) else booking
    rows = Entry.objects.filter(
        posting__booking=key, posting__what__in=COSTS, account__kind=Account.Kind.WALLET
    ).aggregate(total=Sum("amount"))
    return -(rows["total"] or NOTHING)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something in the books that does not add up."""

    what: str
    key: str
    says: Decimal
    sums: Decimal


def mismatches(lab: Lab | None = None) -> list[Mismatch]:
    """Wallets whose balance is not the sum of their entries, and postings that do not come to nothing.

    The database sees to it that there are none; this asks the rows themselves.
    """
    summed = Entry.objects.filter(account=OuterRef("pk")).order_by().values("account").annotate(s=Sum("amount"))
    accounts = Account.objects.filter(kind=Account.Kind.WALLET)
    postings = Posting.objects.all()
    if lab is not None:
        accounts, postings = accounts.filter(lab=lab), postings.filter(lab=lab)
    wrong = accounts.annotate(sums=Coalesce(Subquery(summed.values("s")), NOTHING)).exclude(balance=F("sums"))
    found = [Mismatch("wallet", str(row.pk), row.balance, row.sums) for row in wrong]
    crooked = postings.annotate(sums=Sum("entries__amount")).exclude(sums=0)
    return found + [Mismatch("posting", str(row.pk), NOTHING, row.sums or NOTHING) for row in crooked]


COLUMNS = (
    "date",
    "posting",
    "what",
    "account",
    "person",
    "amount",
    "unit",
    "tax_pct",
    "booking",
    "machine",
    "job",
    "invoice",
    "by",
    "memo",
)
"""Columns of the CSV. Each posting is two lines or more that come to nothing; amounts are as on the account."""


def rows(
    lab: Lab, *, start: dt.datetime | None = None, end: dt.datetime | None = None, user: User | None = None
) -> Iterator[tuple[str, ...]]:
    """Every entry of a lab between two times, oldest first, as text; a person's own alone with `user`."""
    found = Entry.objects.filter(posting__lab=lab).select_related(
        "posting__by", "posting__booking__machine", "posting__invoice_line__invoice", "account__user"
    )
    if start is not None:
        found = found.filter(posting__at__gte=start)
    if end is not None:
        found = found.filter(posting__at__lt=end)
    if user is not None:
        found = found.filter(account__user=user)
    for entry in found.order_by("posting__at", "posting_id", "pk").iterator(chunk_size=500):
        yield _row(entry)


def _row(entry: Entry) -> tuple[str, ...]:
    posting = entry.posting
    line = getattr(posting, "invoice_line", None)
    return (
        posting.at.astimezone(dt.UTC).isoformat(timespec="seconds"),
        str(posting.pk),
        posting.what,
        entry.account.kind,
        entry.account.user.username if entry.account.user else "",
        f"{entry.amount:.2f}",
        posting.unit,
        f"{posting.tax_pct:.2f}",
        str(posting.booking_id or ""),
        posting.booking.machine.name if posting.booking_id and posting.booking else "",
        str(posting.job_id or ""),
        line.invoice.name if line is not None else "",
        posting.by.username if posting.by_id and posting.by else "",
        posting.memo,
    )


def invoices_of(user: User) -> QuerySet[Invoice]:
    """A person's invoices, newest first."""
    return Invoice.objects.filter(user=user).select_related("lab").order_by("-issued_at")


def find_invoice(lab: Lab, number: int) -> Invoice:
    """A lab's invoice of that number. Raises UnknownInvoice."""
    found = Invoice.objects.filter(lab=lab, number=number).select_related("lab__place", "user").first()
    if found is None:
        raise UnknownInvoice(_("There is no such invoice, or it is not yours."))
    return found
