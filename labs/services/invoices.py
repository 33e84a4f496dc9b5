"""Invoices: numbered without gaps in a lab, copies of what was posted, never changed."""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.engine.prices import NOTHING
from labs.errors.money import NothingToInvoice
from labs.models import Account, Invoice, InvoiceLine, Lab, Posting, Till
from labs.queries import books


@transaction.atomic
def issue_invoice(*, lab: Lab, user: User, by: User | None, buyer: str = "") -> Invoice:
    """Bill a person for every charge, refund, fee and energy that stands on no invoice yet.

    The till is locked while a number is taken and the invoice is written, so numbers have no gaps and no posting
    stands on two invoices. Raises NothingToInvoice.
    """
    Till.objects.get_or_create(lab=lab, defaults={"demo": lab.demo})
    till = Till.objects.select_for_update(no_key=True).get(lab=lab)
    held = books.wallet_of(lab, user, till.currency)
    open_ones = (
        Posting.objects.filter(
            lab=lab, unit=till.currency, entries__account=held, what__in=books.BILLED, invoice_line=None
        )
        if held is not None
        else Posting.objects.none()
    )
    lines = [_line(posting) for posting in open_ones.prefetch_related("entries__account").order_by("at", "pk")]
    if not lines:
        words = {"person": user, "lab": lab.name}
        raise NothingToInvoice(_("Everything that %(person)s owes %(lab)s stands on an invoice already.") % words)
    net, tax = sum((line.net for line in lines), NOTHING), sum((line.tax for line in lines), NOTHING)
    invoice = Invoice.objects.create(
        lab=lab,
        number=till.next_invoice,
        prefix=till.invoice_prefix,
        user=user,
        by=by,
        issued_at=timezone.now(),
        seller=till.seller or f"{lab.name}\n{lab.address}".strip(),
        buyer=buyer.strip() or str(user),
        currency=till.currency,
        net=net,
        tax=tax,
        gross=net + tax,
    )
    for line in lines:
        line.invoice = invoice
    InvoiceLine.objects.bulk_create(lines)
    till.next_invoice += 1
    till.save(update_fields=["next_invoice"])
    return invoice


def _line(posting: Posting) -> InvoiceLine:
    """A posting as a line: net is what went to income, tax what went to tax."""
    sums: dict[str, Decimal] = {entry.account.kind: entry.amount for entry in posting.entries.all()}
    net, tax = sums.get(Account.Kind.INCOME, NOTHING), sums.get(Account.Kind.TAX, NOTHING)
    text = f"{posting.get_what_display()}: {posting.memo}"
    return InvoiceLine(posting=posting, text=text[:240], tax_pct=posting.tax_pct, net=net, tax=tax, gross=net + tax)
