"""What the nightly look at each repository found."""

from django.db import models


class RepositoryHealth(models.Model):
    """A repository or pool on disk, by its folder's name: when it was last checked and packed, and what is wrong."""

    repository = models.CharField(max_length=32, unique=True)
    is_pool = models.BooleanField(default=False)
    checked_at = models.DateTimeField()
    packed_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=300, blank=True)
    size_bytes = models.BigIntegerField(default=0)

    class Meta:
        indexes = (models.Index(fields=["checked_at"], name="designs_health_oldest"),)

    def __str__(self) -> str:
        return f"{self.repository[:8]}: {self.fault or 'whole'}"
