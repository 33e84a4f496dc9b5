"""Where a lab belongs: its energy community and its building; and labs that are not open yet."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labs.models.catalogue import Lab


class LabTie(models.Model):
    """That a lab belongs to an energy community, or stands in a building of the twin, with the consent of both sides.

    `target` is the other side's address in its own room (`sides.Side`); `title` and `url` are what it was called when
    it was asked, so that a lab's page needs no other room. Rows are not deleted: what held is seen later.
    """

    class Kind(models.TextChoices):
        COMMUNITY = "community", _("Energy community")
        BUILDING = "building", _("Building")

    class State(models.TextChoices):
        ASKED = "asked", _("Asked")
        HOLDS = "holds", _("Holds")
        DECLINED = "declined", _("Declined")
        ENDED = "ended", _("Ended")

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="ties")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    target = models.CharField(max_length=190)
    title = models.CharField(max_length=200)
    url = models.CharField(max_length=300)
    state = models.CharField(max_length=12, choices=State.choices, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("kind", "-asked_at", "-pk")
        constraints = (
            models.UniqueConstraint("lab", "kind", name="labs_tie_holds_once", condition=Q(state="holds")),
            models.UniqueConstraint("lab", "kind", name="labs_tie_asked_once", condition=Q(state="asked")),
        )
        indexes = (models.Index(fields=["kind", "target"], name="labs_tie_target", condition=Q(state="holds")),)

    def __str__(self) -> str:
        return f"{self.lab} · {self.title}"


class LabDraft(models.Model):
    """A lab that is not open yet: only its makers see it, and opening it makes the lab, its first machine and roles.

    `facts` are those of `services.drafts`; `makers` will manage the lab beside `owner`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lab_drafts")
    makers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-changed_at", "pk")

    def __str__(self) -> str:
        return str(self.facts.get("name", ""))
