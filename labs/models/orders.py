"""Orders of makes: a person asks a lab to make a released design; the lab quotes, makes, hands over."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labs.models.bookings import Booking
from labs.models.catalogue import Lab


class MakeOrder(models.Model):
    """A released design that a person wants made by a lab.

    What was asked for stays as it was, whatever happens to the design: name, version, commit, licence. `parts` are
    paths of its files; none means all. `hours`, `price` and `quote_until` are the lab's quote.
    """

    class Status(models.TextChoices):
        ASKED = "asked", _("Asked")
        QUOTED = "quoted", _("Quoted")
        ACCEPTED = "accepted", _("Accepted")
        QUEUED = "queued", _("In the queue")
        MAKING = "making", _("Being made")
        READY = "ready", _("Ready")
        HANDED_OVER = "handed-over", _("Handed over")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    #: What the lab still works on, and what waits for an answer of one side.
    OPEN = (Status.ASKED, Status.QUOTED, Status.ACCEPTED, Status.QUEUED, Status.MAKING, Status.READY)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="orders")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="make_orders")
    design = models.ForeignKey("designs.Design", null=True, on_delete=models.SET_NULL, related_name="make_orders")
    release = models.ForeignKey("designs.Release", null=True, on_delete=models.SET_NULL, related_name="make_orders")
    design_name = models.CharField(max_length=120)
    design_address = models.CharField(max_length=160)
    version = models.CharField(max_length=60)
    commit = models.CharField(max_length=40)
    licence = models.CharField(max_length=160)
    quantity = models.PositiveIntegerField(default=1)
    material = models.CharField(max_length=60, blank=True)
    deadline = models.DateField(null=True, blank=True)
    parts = ArrayField(models.CharField(max_length=700), default=list, blank=True)
    note = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ASKED)
    hours = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    quote_until = models.DateField(null=True, blank=True)
    quoted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-created_at", "pk")
        indexes = (
            models.Index(fields=["lab", "status", "deadline"], name="labs_order_of_lab"),
            models.Index(fields=["person", "-created_at"], name="labs_order_of_person"),
        )
        constraints = (models.CheckConstraint(name="labs_order_some", condition=models.Q(quantity__gte=1)),)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.design_name} {self.version}"

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self.status in self.OPEN


class OrderBooking(models.Model):
    """A booking that the lab made for an order; its jobs are the order's progress."""

    order = models.ForeignKey(MakeOrder, on_delete=models.CASCADE, related_name="order_bookings")
    booking = models.OneToOneField(Booking, on_delete=models.CASCADE, related_name="order_booking")

    def __str__(self) -> str:
        return f"{self.order} · {self.booking}"


class OrderEvent(models.Model):
    """Something that happened to an order, or that one side said to the other; never rewritten."""

    order = models.ForeignKey(MakeOrder, on_delete=models.CASCADE, related_name="events")
    status = models.CharField(max_length=12, choices=MakeOrder.Status.choices, blank=True)
    text = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return self.status or self.text[:40]
