"""Power for somebody who mends a machine that nobody may use meanwhile."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class Mending(models.Model):
    """Who runs the lab lets a person switch a machine on to mend it, until a time. It ends, and is never deleted.

    The key stands in `Interlock.asked` as that of a booking does, once the person has asked for the power.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    machine = models.ForeignKey("labs.Machine", on_delete=models.CASCADE, related_name="mendings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-at",)
        indexes = (models.Index(fields=["machine", "-until"], name="labs_mending_of_machine"),)

    def __str__(self) -> str:
        return f"{self.machine}: {self.person}"
