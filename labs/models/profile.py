"""What a lab tells of itself besides its hours: days that differ, who stands behind it, who wants to join."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labs.models.catalogue import Lab


class OpeningException(models.Model):
    """Days that differ from the week, first and last included. `spans` as of a day of the week; none means closed.

    Where two meet on a day, the one entered last counts.
    """

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="opening_exceptions")
    first = models.DateField()
    last = models.DateField()
    spans = models.JSONField(default=list, blank=True)
    note = models.CharField(max_length=120, blank=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("first", "pk")
        indexes = (models.Index(fields=["lab", "last"], name="labs_exception_of_lab"),)
        constraints = (
            models.CheckConstraint(name="labs_exception_in_order", condition=models.Q(last__gte=models.F("first"))),
        )

    def __str__(self) -> str:
        return f"{self.lab} {self.first} – {self.last}"


class Backer(models.Model):
    """An organisation that stands behind a lab: one of the city's own, or a name with an address elsewhere."""

    class Part(models.TextChoices):
        OWNER = "owner", _("Owns or runs it")
        AFFILIATION = "affiliation", _("It belongs to it")
        PARTNER = "partner", _("Partner")
        FUNDER = "funder", _("Pays for it")

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="backers")
    organisation = models.ForeignKey(
        "people.Organisation", null=True, blank=True, on_delete=models.CASCADE, related_name="backs"
    )
    name = models.CharField(max_length=120, blank=True)
    url = models.URLField(blank=True)
    part = models.CharField(max_length=12, choices=Part.choices, default=Part.PARTNER)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                name="labs_backer_has_a_name", condition=models.Q(organisation__isnull=False) | ~models.Q(name="")
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The name to show."""
        return self.organisation.name if self.organisation else self.name


class Joining(models.Model):
    """A person who asks to join a lab, or whom the lab invites: open until the other side answers."""

    class Kind(models.TextChoices):
        ASKED = "asked", _("Asks to join")
        INVITED = "invited", _("Invited")

    class State(models.TextChoices):
        OPEN = "open", _("Waits for an answer")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="joinings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lab_joinings")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    role = models.CharField(max_length=16, default="member")
    note = models.CharField(max_length=400, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("created_at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["lab", "user"], name="labs_joining_open_once", condition=models.Q(state="open")
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} → {self.lab} ({self.state})"
