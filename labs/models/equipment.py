"""What hangs on machines: circuits, photos, manuals, consumables and their stock."""

import secrets
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labs.models.catalogue import Lab, Machine


def new_name() -> str:
    """A name for a stored file that tells nothing and cannot be guessed."""
    return secrets.token_hex(16)


class Circuit(models.Model):
    """An electrical circuit of a lab and what may be drawn from it at a time, in W."""

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="circuits")
    name = models.CharField(max_length=60)
    limit_w = models.PositiveIntegerField()
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("name", "pk")
        constraints = (models.UniqueConstraint("lab", "name", name="labs_circuit_once_in_lab"),)

    def __str__(self) -> str:
        return self.name


class MachinePhoto(models.Model):
    """A photo of a machine: kept as sent only until a worker has drawn it anew in the sandbox of designs."""

    class State(models.TextChoices):
        PENDING = "pending", _("Being drawn")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Could not be drawn")

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="photos")
    name = models.CharField(max_length=32, unique=True, default=new_name)
    words = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=400, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.words or self.name[:8]


class Manual(models.Model):
    """A manual of a machine: an address elsewhere, or a PDF that was sent and is only ever given back as a download."""

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="manuals")
    title = models.CharField(max_length=120)
    url = models.URLField(blank=True)
    name = models.CharField(max_length=32, blank=True)
    size = models.PositiveIntegerField(default=0)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                name="labs_manual_one_source",
                condition=(~models.Q(url="") & models.Q(name="")) | (models.Q(url="") & ~models.Q(name="")),
            ),
        )

    def __str__(self) -> str:
        return self.title


class Consumable(models.Model):
    """What machines use up, such as filament. Its stock is the sum of its entries; below `low` people are told."""

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="consumables")
    name = models.CharField(max_length=120)
    unit = models.CharField(max_length=16, default="pcs")
    low = models.DecimalField(max_digits=12, decimal_places=3, default=Decimal(0))
    stock = models.DecimalField(max_digits=12, decimal_places=3, default=Decimal(0))
    where = models.CharField(max_length=120, blank=True)
    machines = models.ManyToManyField(Machine, blank=True, related_name="consumables")
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint("lab", "name", name="labs_consumable_once_in_lab"),
            models.CheckConstraint(name="labs_stock_not_negative", condition=models.Q(stock__gte=0)),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_low(self) -> bool:
        """Whether it is at its mark or below."""
        return self.stock <= self.low


class StockEntry(models.Model):
    """What came in (positive) or was used (negative), or what a count found to differ; never rewritten."""

    class Why(models.TextChoices):
        CAME = "came", _("Came in")
        USED = "used", _("Used")
        COUNTED = "counted", _("Counted")

    consumable = models.ForeignKey(Consumable, on_delete=models.CASCADE, related_name="entries")
    amount = models.DecimalField(max_digits=12, decimal_places=3)
    why = models.CharField(max_length=8, choices=Why.choices)
    note = models.CharField(max_length=200, blank=True)
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    record = models.ForeignKey(
        "labs.MaintenanceRecord", null=True, blank=True, on_delete=models.SET_NULL, related_name="parts"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.consumable} {self.amount:+}"
