"""Bookings that come again and again: the rule; each occurrence is a booking of its own."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class BookingSeries(models.Model):
    """What was asked for: an RRULE of RFC 5545 and the days left out, in the local time of the lab.

    `first` is the first occurrence; `length_min` how long each is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="series")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="booking_series")
    rrule = models.CharField(max_length=200)
    left_out = ArrayField(models.DateTimeField(), default=list, blank=True)
    first = models.DateTimeField()
    length_min = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.rrule
