"""The waitlist: who wants a machine, or one of a class, that is taken; who comes next."""

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labs.models.catalogue import Machine


class WaitlistEntry(models.Model):
    """A person waits for `length_min` minutes on a machine, or on any machine of a class in a lab, between two times.

    Whoever has the lowest `queued_at` comes first. Who lets an offer pass goes to the end, so that nobody who does
    not answer keeps the others waiting; `lapses` counts how often.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        OFFERED = "offered", _("Offered")
        TAKEN = "taken", _("Taken up")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    #: Those that may still get a time.
    OPEN = (Status.WAITING, Status.OFFERED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="waitlist")
    machine = models.ForeignKey(
        "labs.Machine", null=True, blank=True, on_delete=models.CASCADE, related_name="waitlist"
    )
    cls = models.CharField(max_length=24, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="waitlist")
    earliest = models.DateTimeField()
    latest = models.DateTimeField()
    length_min = models.PositiveIntegerField()
    design = models.ForeignKey("designs.Design", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    queued_at = models.DateTimeField(default=timezone.now)
    lapses = models.PositiveSmallIntegerField(default=0)
    booking = models.OneToOneField(
        "labs.Booking", null=True, blank=True, on_delete=models.SET_NULL, related_name="waitlist_entry"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (
            models.Index(fields=["lab", "queued_at"], name="labs_waitlist_queue", condition=models.Q(status="waiting")),
            models.Index(fields=["user", "status"], name="labs_waitlist_of_person"),
        )
        constraints = (
            models.CheckConstraint(
                name="labs_waitlist_machine_or_class",
                condition=models.Q(machine__isnull=False) | ~models.Q(cls=""),
            ),
            models.CheckConstraint(
                name="labs_waitlist_ends_after_start", condition=models.Q(latest__gt=models.F("earliest"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.machine or self.cls} {self.earliest:%Y-%m-%d %H:%M}"

    @property
    def kind_name(self) -> str:
        """The class of machine in words."""
        return str(dict(Machine.Kind.choices).get(self.cls, self.cls)).lower()

    @property
    def length(self) -> dt.timedelta:
        """How long a time is wanted."""
        return dt.timedelta(minutes=self.length_min)
