"""Designs that follow a repository elsewhere."""

from django.db import models

from designs.models.designs import Design


class Mirror(models.Model):
    """A design whose files come from an https address, looked at again and again; nobody writes to it here."""

    design = models.OneToOneField(Design, on_delete=models.CASCADE, related_name="mirror")
    url = models.CharField(max_length=2000)
    every_hours = models.PositiveSmallIntegerField(default=24)
    next_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True, blank=True, help_text="when it was last fetched, with success")
    last_error = models.CharField(max_length=400, blank=True)
    failures = models.PositiveSmallIntegerField(default=0, help_text="in a row; 0 after a success")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["next_at"], name="designs_mirror_next"),)
        constraints = (
            models.CheckConstraint(
                name="designs_mirror_hours", condition=models.Q(every_hours__gte=1, every_hours__lte=720)
            ),
        )

    def __str__(self) -> str:
        return f"{self.design} ← {self.url}"
