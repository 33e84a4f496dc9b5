"""Large files beside git (Git LFS): the bytes once for the city, a row for each design that may serve them."""

from django.conf import settings
from django.db import models

from designs.models.designs import Design


class LfsObject(models.Model):
    """The bytes of a large file, kept once. `oid` is their SHA-256."""

    oid = models.CharField(max_length=64, unique=True)
    sha1 = models.CharField(max_length=40)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    unused_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(name="designs_lfs_size", condition=models.Q(size__gte=0)),)

    def __str__(self) -> str:
        return self.oid[:10]


class LfsLink(models.Model):
    """A design whose people sent these bytes, or got them with a fork: only through it are they served."""

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="lfs_links")
    object = models.ForeignKey(LfsObject, on_delete=models.PROTECT, related_name="links")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("design", "object", name="designs_lfs_link_once"),)

    def __str__(self) -> str:
        return f"{self.design}: {self.object}"


class LfsLock(models.Model):
    """A person works on a file that cannot be merged; others see it before they push."""

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="lfs_locks")
    path = models.CharField(max_length=700)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lfs_locks")
    locked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("design", "path", name="designs_lfs_lock_once"),)

    def __str__(self) -> str:
        return self.path
