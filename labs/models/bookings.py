"""Bookings: PostgreSQL itself refuses a second one for the same machine and time."""

import datetime as dt
import uuid

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Booking(models.Model):
    """A machine for a person from `start` until `end`; maintenance and closures are bookings too.

    `blocked` is [start − buffer before, end + buffer after): the exclusion constraint stands on it, so two
    bookings that hold their time can never meet on one machine, whatever the code above does. Bookings made
    in one step on several machines share `together`; those of a series keep in `occurrence` when the series meant
    them to start, wherever they were moved. `sequence` counts the changes that a calendar must hear of.
    """

    class Kind(models.TextChoices):
        USE = "use", _("Use")
        MAINTENANCE = "maintenance", _("Maintenance")
        CLOSURE = "closure", _("Closed")

    class Status(models.TextChoices):
        OFFERED = "offered", _("Offered")
        REQUESTED = "requested", _("Waits for approval")
        BOOKED = "booked", _("Booked")
        RUNNING = "running", _("Checked in")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        DECLINED = "declined", _("Declined")
        MISSED = "missed", _("Missed")

    #: Those that hold their time. Offers of the waitlist and requests hold it until they are decided.
    HOLDING = (Status.OFFERED, Status.REQUESTED, Status.BOOKED, Status.RUNNING, Status.DONE)
    #: Those that a person still has before them.
    OPEN = (Status.OFFERED, Status.REQUESTED, Status.BOOKED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    machine = models.ForeignKey("labs.Machine", on_delete=models.CASCADE, related_name="bookings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bookings")
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.USE)
    start = models.DateTimeField()
    end = models.DateTimeField()
    buffer_before_min = models.PositiveSmallIntegerField(default=0)
    buffer_after_min = models.PositiveSmallIntegerField(default=0)
    blocked = DateTimeRangeField()
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.BOOKED)
    together = models.UUIDField(null=True, blank=True, db_index=True)
    series = models.ForeignKey(
        "labs.BookingSeries", null=True, blank=True, on_delete=models.SET_NULL, related_name="bookings"
    )
    occurrence = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    design = models.ForeignKey(
        "designs.Design", null=True, blank=True, on_delete=models.SET_NULL, related_name="bookings"
    )
    sequence = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    offer_until = models.DateTimeField(null=True, blank=True)
    checked_in_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    demo = models.BooleanField(default=False)

    class Meta:
        indexes = (
            models.Index(fields=["machine", "start"], name="labs_booking_of_machine"),
            models.Index(fields=["user", "end"], name="labs_booking_of_person"),
            models.Index(
                fields=["start"],
                name="labs_booking_open",
                condition=models.Q(status__in=["offered", "requested", "booked", "running"]),
            ),
        )
        constraints = (
            ExclusionConstraint(
                name="labs_booking_never_double",
                expressions=[("machine", RangeOperators.EQUAL), ("blocked", RangeOperators.OVERLAPS)],
                condition=models.Q(status__in=["offered", "requested", "booked", "running", "done"]),
                violation_error_code="overlap",
            ),
            models.CheckConstraint(name="labs_booking_ends_after_start", condition=models.Q(end__gt=models.F("start"))),
            models.CheckConstraint(
                name="labs_booking_blocks_its_time",
                condition=models.Q(blocked__startswith__lte=models.F("start"), blocked__endswith__gte=models.F("end")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.machine} {self.start:%Y-%m-%d %H:%M}"

    @property
    def length(self) -> dt.timedelta:
        """How long it is."""
        return self.end - self.start

    @property
    def holds(self) -> bool:
        """Whether its time is taken by it."""
        return self.status in self.HOLDING
