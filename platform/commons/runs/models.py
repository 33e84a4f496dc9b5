"""A run: long work as a row with a lease and a fencing number. The row is the truth, Celery only rings the bell."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from commons.said import spoken


class Run(models.Model):
    """One piece of long work.

    A worker that claims it raises `fence` and holds a lease; it may finish only while `fence` is still its own, so a
    worker that lost its lease can have no effect. `inputs_sha256` is of the canonical JSON of `inputs`. Title and stage
    are kept in the site's own language and, beside it, so that each reader has them in theirs (`commons.said`).
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Stopped")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200, blank=True)
    title_kept = models.JSONField(null=True, blank=True)
    subject = models.CharField(
        max_length=200, blank=True, help_text=_("what it is about, e.g. energy.community:fontana17")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="runs"
    )
    public = models.BooleanField(default=False)
    inputs = models.JSONField(default=dict)
    inputs_sha256 = models.CharField(max_length=64)
    seed = models.BigIntegerField(default=0)
    engine_version = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    progress = models.FloatField(default=0.0)
    stage = models.CharField(max_length=200, blank=True)
    stage_kept = models.JSONField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    error = models.TextField(blank=True)
    cancel_requested = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    fence = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    demo = models.BooleanField(default=False)
    traceparent = models.CharField(max_length=55, blank=True, default="", editable=False)

    class Meta:
        indexes = (
            models.Index(fields=["subject", "-created_at"], name="runs_subject"),
            models.Index(
                fields=["lease_until"], name="runs_open", condition=models.Q(status__in=["queued", "running"])
            ),
        )
        constraints = (
            models.CheckConstraint(name="runs_progress_share", condition=models.Q(progress__gte=0, progress__lte=1)),
        )

    def __str__(self) -> str:
        return self.name or self.kind

    @property
    def name(self) -> str:
        """The title in the language of now."""
        return spoken(self.title_kept, self.title)

    @property
    def doing(self) -> str:
        """What it does now, in the language of now."""
        return spoken(self.stage_kept, self.stage)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.status in {self.Status.DONE, self.Status.FAILED, self.Status.CANCELLED}
