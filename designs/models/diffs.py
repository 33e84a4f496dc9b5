"""What two versions of a file differ by, once for the whole city whatever design or fork asks."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from designs.models.index import Blob


class ShapeDiff(models.Model):
    """The difference of two shapes or drawings, named by both contents and the engine's version.

    `figures` holds mm, mm² and mm³ as the engine gives them; `why` in it says why no volume is known. `glb`, `png` and
    `small` are paths under the preview store, empty when there is none. `run` is the work that makes it now.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Being compared")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Could not be compared")

    base = models.CharField(max_length=40)
    head = models.CharField(max_length=40)
    formats = models.CharField(max_length=50)
    engine_version = models.CharField(max_length=20)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    method = models.CharField(max_length=8, blank=True)
    figures = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    glb = models.CharField(max_length=140, blank=True)
    png = models.CharField(max_length=140, blank=True)
    small = models.CharField(max_length=140, blank=True)
    run = models.UUIDField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("base", "head", "formats", "engine_version", name="designs_diff_once"),
            models.CheckConstraint(
                name="designs_diff_ready_has_method", condition=~models.Q(status="ready") | ~models.Q(method="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.base[:10]}…{self.head[:10]}"

    @property
    def blobs(self) -> dict[str, Blob]:
        """What the index knows of both sides, by git's name."""
        return {blob.oid: blob for blob in Blob.objects.filter(oid__in=(self.base, self.head))}
