"""Points and money of a lab: what things cost, and the books, which are only ever added to."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from labs.models.rules import Scoped


class Till(models.Model):
    """What a lab asks for use of its machines: nothing, points, or money; and how it writes its invoices.

    `credit` is how far below nothing a wallet may go. Prices stand without tax; `tax_pct` comes on top.
    `next_invoice` is taken under a lock on this row, so the numbers have no gaps.
    """

    class Mode(models.TextChoices):
        NONE = "none", _("Nothing: use is free")
        POINTS = "points", _("Points that come back each week")
        MONEY = "money", _("Money")

    lab = models.OneToOneField("labs.Lab", on_delete=models.CASCADE, related_name="till")
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.NONE)
    currency = models.CharField(max_length=3, default="EUR")
    tax_pct = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    credit = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    no_show_fee = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    seller = models.TextField(blank=True, max_length=600)
    invoice_prefix = models.CharField(max_length=12, blank=True)
    next_invoice = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(auto_now=True)
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.CheckConstraint(name="labs_till_tax_share", condition=models.Q(tax_pct__range=(0, 100))),
            models.CheckConstraint(name="labs_till_credit", condition=models.Q(credit__gte=0, no_show_fee__gte=0)),
        )

    def __str__(self) -> str:
        return f"{self.lab}: {self.get_mode_display()}"

    @property
    def unit(self) -> str:
        """The currency, or "points"."""
        return "points" if self.mode == self.Mode.POINTS else self.currency


class Tariff(Scoped):
    """What use costs, without tax: for an hour, for a booking, for a measured kWh, and at least."""

    per_hour = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    per_booking = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    per_kwh = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    minimum = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    class Meta:
        ordering = ("-since", "-pk")
        indexes = (models.Index(fields=["lab", "active"], name="labs_tariff_of_lab"),)
        constraints = (
            models.UniqueConstraint(
                fields=["lab", "machine", "cls", "role"],
                condition=models.Q(active=True),
                nulls_distinct=False,
                name="labs_tariff_once",
            ),
            models.CheckConstraint(
                name="labs_tariff_has_one_scope", condition=models.Q(machine=None) | models.Q(cls="")
            ),
            models.CheckConstraint(
                name="labs_tariff_not_negative",
                condition=models.Q(per_hour__gte=0, per_booking__gte=0, per_kwh__gte=0, minimum__gte=0),
            ),
        )

    def __str__(self) -> str:
        return f"{self.lab}: {self.per_hour}/h"


class Account(models.Model):
    """One side of the books of a lab in one unit: a person's wallet, or one of the lab's own.

    `balance` is kept by the database as entries come in, for wallets alone (one row of the lab for all its charges
    would let everybody wait for everybody); nobody else writes it. `floor` is how low a charge may bring it.
    """

    class Kind(models.TextChoices):
        WALLET = "wallet", _("Wallet")
        INCOME = "income", _("Income")
        TAX = "tax", _("Tax to pass on")
        CASH = "cash", _("Paid in")
        GRANTS = "grants", _("Points given")
        CORRECTIONS = "corrections", _("Corrections")

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="accounts")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    unit = models.CharField(max_length=6)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="wallets"
    )
    balance = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    floor = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["lab", "kind", "unit", "user"], nulls_distinct=False, name="labs_account_once"
            ),
            models.CheckConstraint(
                name="labs_account_wallet_of_person",
                condition=models.Q(kind="wallet", user__isnull=False)
                | (~models.Q(kind="wallet") & models.Q(user=None)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.lab} {self.kind} {self.user or ''}".strip()


class Posting(models.Model):
    """Something that happened to money or points, at one time, with entries that add up to nothing. Never changed.

    `once` names what may happen once alone, such as the grant of a week. Booking and job are kept as numbers that
    outlive what they point to, since books stay when a machine goes.
    """

    class What(models.TextChoices):
        CHARGE = "charge", _("Booking")
        REFUND = "refund", _("Refund")
        ENERGY = "energy", _("Energy used")
        FEE = "fee", _("Fee for not coming")
        TOP_UP = "top-up", _("Paid in")
        PAY_OUT = "pay-out", _("Paid out")
        GRANT = "grant", _("Points of the week")
        DECAY = "decay", _("Points that faded")
        CORRECTION = "correction", _("Correction")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="postings")
    what = models.CharField(max_length=12, choices=What.choices)
    at = models.DateTimeField()
    unit = models.CharField(max_length=6)
    memo = models.CharField(max_length=200, blank=True)
    tax_pct = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    booking = models.ForeignKey(
        "labs.Booking", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="postings"
    )
    job = models.ForeignKey(
        "labs.Job", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="postings"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    once = models.CharField(max_length=80, null=True, blank=True)  # noqa: DJ001 NULL is what is not unique

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (
            models.Index(fields=["lab", "-at"], name="labs_posting_of_lab"),
            models.Index(fields=["booking"], name="labs_posting_of_booking"),
        )
        constraints = (models.UniqueConstraint(fields=["lab", "once"], name="labs_posting_once"),)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.what}"


class Entry(models.Model):
    """A part of a posting on one account: above nothing adds to it, below takes from it. Never changed."""

    posting = models.ForeignKey(Posting, on_delete=models.CASCADE, related_name="entries")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="entries")
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(name="labs_entry_is_something", condition=~models.Q(amount=0)),
            models.UniqueConstraint(fields=["posting", "account"], name="labs_entry_once"),
        )

    def __str__(self) -> str:
        return f"{self.amount}"


class Invoice(models.Model):
    """What a person is billed for: a number without gaps in the lab, and a copy of all that it said. Never changed."""

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="invoices")
    number = models.PositiveIntegerField()
    prefix = models.CharField(max_length=12, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="invoices")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    issued_at = models.DateTimeField()
    seller = models.TextField(blank=True)
    buyer = models.TextField(blank=True)
    currency = models.CharField(max_length=6)
    net = models.DecimalField(max_digits=12, decimal_places=2)
    tax = models.DecimalField(max_digits=12, decimal_places=2)
    gross = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=["lab", "number"], name="labs_invoice_number_once"),
            models.CheckConstraint(
                name="labs_invoice_adds_up", condition=models.Q(gross=models.F("net") + models.F("tax"))
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Its number as it is written."""
        return f"{self.prefix}{self.number}"


class InvoiceLine(models.Model):
    """One posting on an invoice; a posting stands on one invoice at most."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    posting = models.OneToOneField(Posting, on_delete=models.CASCADE, related_name="invoice_line")
    text = models.CharField(max_length=240)
    tax_pct = models.DecimalField(max_digits=5, decimal_places=2)
    net = models.DecimalField(max_digits=12, decimal_places=2)
    tax = models.DecimalField(max_digits=12, decimal_places=2)
    gross = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.text
