"""What helps to say which design a machine made: the file it was sent, shapes of meshes, a person's word."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class FilePolicy(models.Model):
    """Whether a lab takes in the files that its machines worked on, and for how many days it keeps them once read.

    Without a row files are taken in, read and let go at once.
    """

    lab = models.OneToOneField("labs.Lab", on_delete=models.CASCADE, related_name="file_policy")
    takes_files = models.BooleanField(default=True)
    keep_days = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.lab}: {self.keep_days} d" if self.takes_files else f"{self.lab}: none"


class JobFile(models.Model):
    """The file that a job worked on, as it was sent here. Its bytes go once it is read, unless the lab keeps them.

    `printed` is what was found in it: shapes to look for again when a design arrives later. `source_sha256` is the
    source that its own header names.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Being read")
        READ = "read", _("Read")
        FAILED = "failed", _("Could not be read")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.OneToOneField("labs.Job", on_delete=models.CASCADE, related_name="sent")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=400, blank=True)
    source_sha256 = models.CharField(max_length=64, blank=True)
    printed = models.BinaryField(default=b"")
    sent_at = models.DateTimeField(auto_now_add=True)
    there = models.BooleanField(default=True)
    keep_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["keep_until"], name="labs_job_file_kept", condition=models.Q(there=True)),)

    def __str__(self) -> str:
        return self.sha256[:12]


class JobCandidate(models.Model):
    """A file of a design whose shape is that of what the job laid down; several where they cannot be told apart."""

    job = models.ForeignKey("labs.Job", on_delete=models.CASCADE, related_name="candidates")
    design = models.ForeignKey("designs.Design", on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=1000)
    commit = models.CharField(max_length=64)
    blob = models.CharField(max_length=64)
    release = models.CharField(max_length=120, blank=True)
    rank = models.PositiveSmallIntegerField()
    distance_mm = models.FloatField()
    pieces = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ("rank",)
        constraints = (models.UniqueConstraint("job", "rank", name="labs_candidate_rank_once"),)

    def __str__(self) -> str:
        return f"{self.rank} {self.path}"


class JobClaim(models.Model):
    """A person's word on which design a job was of. Withdrawn, it counts no more, but that it was said stays."""

    job = models.ForeignKey("labs.Job", on_delete=models.CASCADE, related_name="claims")
    design = models.ForeignKey("designs.Design", on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    said_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-said_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["job"], condition=models.Q(withdrawn_at=None), name="labs_one_claim_stands"
            ),
        )

    def __str__(self) -> str:
        return f"{self.by}: {self.design}"


class ShapeProfile(models.Model):
    """A mesh standing on one of its sides, as `labs.engine.extrusion` describes it; once for each content.

    `part` is 0 for the whole file. A content that has no such shape has one row with an empty `up`, so that it is not
    read again.
    """

    blob = models.ForeignKey("designs.Blob", on_delete=models.CASCADE, related_name="shape_profiles")
    part = models.PositiveSmallIntegerField(default=0)
    up = models.CharField(max_length=2, blank=True)
    version = models.PositiveSmallIntegerField()
    height_mm = models.FloatField(default=0.0)
    girth_mm = models.FloatField(default=0.0)
    hull_mm2 = models.FloatField(default=0.0)
    packed = models.BinaryField(default=b"")

    class Meta:
        constraints = (models.UniqueConstraint("blob", "part", "up", name="labs_shape_once"),)
        indexes = (models.Index(fields=["height_mm", "girth_mm"], name="labs_shape_by_size"),)

    def __str__(self) -> str:
        return f"{self.blob_id} {self.part}{self.up}"
