"""What goes wrong with machines: faults that people report, outages that follow, and the log that is never changed."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Outage(models.Model):
    """A machine cannot be used, from `began_at` until `ended_at`; one at a time for each machine.

    `closure` names the bookings that hold the machine meanwhile (`Booking.together`); `expected_until` is what the lab
    says of its end.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    machine = models.ForeignKey("labs.Machine", on_delete=models.CASCADE, related_name="outages")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    expected_until = models.DateTimeField(null=True, blank=True)
    closure = models.UUIDField(default=uuid.uuid4)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("-began_at",)
        indexes = (models.Index(fields=["machine", "-began_at"], name="labs_outage_of_machine"),)
        constraints = (
            models.UniqueConstraint(
                fields=["machine"], condition=models.Q(ended_at=None), name="labs_outage_one_at_a_time"
            ),
            models.CheckConstraint(
                name="labs_outage_ends_after_it_began",
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("began_at")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.machine} {self.began_at:%Y-%m-%d %H:%M}"


class Fault(models.Model):
    """What somebody found wrong with a machine. `outage` is set while and after it kept the machine from being used.

    One that says the machine cannot be used, from somebody who is not known to the lab, has no outage until a manager
    confirms it.
    """

    class Severity(models.TextChoices):
        DOWN = "down", _("It cannot be used")
        CARE = "care", _("It works, with care")
        NOTE = "note", _("A small thing")

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        FIXED = "fixed", _("Fixed")
        DISMISSED = "dismissed", _("No fault found")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    machine = models.ForeignKey("labs.Machine", on_delete=models.CASCADE, related_name="faults")
    outage = models.ForeignKey(Outage, null=True, blank=True, on_delete=models.SET_NULL, related_name="faults")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    what = models.TextField(max_length=2000)
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="reported_faults"
    )
    reported_at = models.DateTimeField(default=timezone.now)
    keeper = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="kept_faults"
    )
    remedy = models.TextField(max_length=2000, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-reported_at", "pk")
        indexes = (
            models.Index(fields=["machine", "-reported_at"], name="labs_fault_of_machine"),
            models.Index(fields=["machine"], name="labs_fault_open", condition=models.Q(status="open")),
        )
        constraints = (
            models.CheckConstraint(
                name="labs_fault_closed_when_closed",
                condition=models.Q(status="open", closed_at=None)
                | (~models.Q(status="open") & models.Q(closed_at__isnull=False)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.machine}: {self.what[:60]}"

    @property
    def is_down(self) -> bool:
        """Whether it keeps its machine from being used now."""
        return self.status == self.Status.OPEN and self.outage_id is not None

    @property
    def waits(self) -> bool:
        """Whether somebody says that the machine cannot be used, and the lab has not confirmed it."""
        return self.status == self.Status.OPEN and self.severity == self.Severity.DOWN and self.outage_id is None


class LogEntry(models.Model):
    """A line of the lab's incident and safety log. Never changed: who erred writes another that `amends` it.

    `private` (who was hurt, a name, a number to call) is for those who run the lab. People and machines are kept as
    numbers that outlive what they point to, since the log stays when a machine goes.
    """

    class Kind(models.TextChoices):
        INJURY = "injury", _("Somebody was hurt")
        FIRE = "fire", _("Fire or smoke")
        NEAR_MISS = "near-miss", _("It nearly went wrong")
        DAMAGE = "damage", _("Something broke")
        CHECK = "check", _("Safety check")
        NOTE = "note", _("Note")
        FAULT = "fault", _("Fault reported")
        DOWN = "down", _("Machine taken down")
        FIXED = "fixed", _("Machine in order")
        AMENDMENT = "amendment", _("Correction")

    #: Those that people write themselves; the others are written as faults come and go.
    WRITTEN = (Kind.INJURY, Kind.FIRE, Kind.NEAR_MISS, Kind.DAMAGE, Kind.CHECK, Kind.NOTE, Kind.AMENDMENT)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="log")
    machine = models.ForeignKey(
        "labs.Machine", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="log"
    )
    fault = models.ForeignKey(
        Fault, null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="log"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    happened_at = models.DateTimeField()
    written_at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    text = models.TextField(max_length=4000)
    done = models.TextField(max_length=2000, blank=True)
    private = models.TextField(max_length=2000, blank=True)
    amends = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="amendments"
    )

    class Meta:
        ordering = ("-happened_at", "-written_at")
        indexes = (models.Index(fields=["lab", "-happened_at"], name="labs_log_of_lab"),)

    def __str__(self) -> str:
        return f"{self.happened_at:%Y-%m-%d %H:%M} {self.kind}"
