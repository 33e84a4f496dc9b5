"""Excuses: why somebody who did not come is not counted as missing."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Excuse(models.Model):
    """A missed booking that those who look after the lab excused. The booking stays missed: the record keeps both."""

    booking = models.OneToOneField("labs.Booking", on_delete=models.CASCADE, related_name="excuse")
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.reason
