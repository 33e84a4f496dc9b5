"""Which first hour a person takes."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class FirstHour(models.Model):
    """The path that a person chose, and whether they have put it away. What is done is found, not kept."""

    class Path(models.TextChoices):
        MAKER = "maker", _("I make things")
        HOST = "host", _("I run a lab")
        NEIGHBOUR = "neighbour", _("I live here")

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="first_hour")
    path = models.CharField(max_length=10, choices=Path.choices, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    dismissed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.person}: {self.path}"
