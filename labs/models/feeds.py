"""Keys of calendar feeds: whoever has the address sees what its person may see."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class FeedKey(models.Model):
    """A secret address of a calendar: a person's own, or a machine's or a lab's as this person may see it.

    The key itself is shown once; `digest` is its SHA-256 in hex.
    """

    class Kind(models.TextChoices):
        PERSON = "person", _("My bookings")
        MACHINE = "machine", _("A machine")
        LAB = "lab", _("A lab")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feed_keys")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    machine = models.ForeignKey("labs.Machine", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    lab = models.ForeignKey("labs.Lab", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("user", "kind", "machine", "lab", name="labs_feed_once", nulls_distinct=False),
            models.CheckConstraint(
                name="labs_feed_of_one_thing",
                condition=models.Q(kind="person", machine=None, lab=None)
                | models.Q(kind="machine", machine__isnull=False, lab=None)
                | models.Q(kind="lab", machine=None, lab__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.machine or self.lab or self.kind}"
