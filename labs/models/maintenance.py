"""Maintenance: what a machine needs, every so many hours of work or days, and what was done."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class MaintenancePlan(models.Model):
    """What is to be done on a machine every so many hours of its work, every so many days, or whichever comes first.

    `since` is when it was done last (or when counting began); a plan that no longer holds stays, for its records.
    `when_due` says what happens when it is due: people are told, or the machine is closed until it is done; `closure`
    names the pieces of that closure while it stands.
    """

    class WhenDue(models.TextChoices):
        WARN = "warn", _("Tell those who run the lab")
        CLOSE = "close", _("Close the machine until it is done")

    machine = models.ForeignKey("labs.Machine", on_delete=models.CASCADE, related_name="maintenance_plans")
    name = models.CharField(max_length=120)
    steps = models.TextField(max_length=4000, blank=True)
    every_h = models.FloatField(null=True, blank=True)
    every_days = models.PositiveIntegerField(null=True, blank=True)
    since = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True, blank=True)
    when_due = models.CharField(max_length=5, choices=WhenDue.choices, default=WhenDue.WARN)
    closure = models.UUIDField(null=True, blank=True)
    active = models.BooleanField(default=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                name="labs_plan_comes_again",
                condition=models.Q(every_h__gt=0) | models.Q(every_days__gt=0),
            ),
            models.UniqueConstraint(
                "machine", "name", condition=models.Q(active=True), name="labs_plan_once_a_machine"
            ),
        )

    def __str__(self) -> str:
        return f"{self.machine}: {self.name}"


class MaintenanceRecord(models.Model):
    """Maintenance that was done: when, by whom, after how many hours of work. Never changed, never deleted."""

    plan = models.ForeignKey(MaintenancePlan, on_delete=models.CASCADE, related_name="records")
    at = models.DateTimeField()
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    name = models.CharField(max_length=120)
    hours = models.FloatField()
    note = models.CharField(max_length=1000, blank=True)
    used = models.CharField(max_length=300, blank=True)
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=["plan", "-at"], name="labs_record_of_plan"),)

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d}"
