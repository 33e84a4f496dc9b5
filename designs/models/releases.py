"""Versions that never change again."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from designs.models.designs import Design


class Release(models.Model):
    """A version of a design that never changes again: commit, licence, manifest and the archive's SHA-256 are fixed.

    `manifest` lists each file with its SHA-256; `archive` is a path under the release store.
    """

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="releases")
    version = models.CharField(max_length=60)
    name = models.CharField(max_length=120, blank=True)
    notes = models.TextField(blank=True, max_length=20_000)
    commit = models.CharField(max_length=40)
    licence = models.CharField(max_length=160)
    manifest = models.JSONField(default=dict)
    archive = models.CharField(max_length=120, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint("design", "version", name="designs_release_once"),)
        indexes = (models.Index(fields=["design", "-created_at"], name="designs_releases"),)

    def __str__(self) -> str:
        return f"{self.design} {self.version}"
