"""Jobs: what a machine did, from which file, of which design, with how many kWh."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    """One piece of work of a machine, folded from its events. Its id is public, its person and file are not.

    `device_job` is the name that the device gives it, once for each device. What the file's hash proved is
    written down at that time: design, path, commit and blob stay, whatever happens to the design later.
    """

    class Provenance(models.TextChoices):
        PROVEN = "proven", _("Proven")
        PROBABLE = "probable", _("Probable")
        DECLARED = "declared", _("Declared")
        UNKNOWN = "unknown", _("Unknown")

    class Method(models.TextChoices):
        FILE = "file", _("the file itself")
        NOTE = "source-note", _("a note in the file")
        RECEIPT = "slice-receipt", _("the lab's own slicing")
        GEOMETRY = "geometry", _("the shape that was laid down")
        PERSON = "person", _("a person's word")
        NONE = "none", _("nothing")

    class Outcome(models.TextChoices):
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Stopped")

    class Quality(models.TextChoices):
        MEASURED = "measured", _("measured by the meter's counter")
        INTEGRATED = "integrated", _("added up from measured power")
        PARTIAL = "partial", _("measured for a part of the time")
        NONE = "none", _("not measured")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    machine = models.ForeignKey("labs.Machine", on_delete=models.CASCADE, related_name="jobs")
    device = models.ForeignKey("devices.Device", on_delete=models.CASCADE, related_name="jobs")
    device_job = models.CharField(max_length=120)
    booking = models.ForeignKey("labs.Booking", null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs")
    file_name = models.CharField(max_length=255, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    sha1 = models.CharField(max_length=40, blank=True)
    blob = models.CharField(max_length=64, blank=True)
    source_sha256 = models.CharField(max_length=64, blank=True)
    design = models.ForeignKey("designs.Design", null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs")
    design_path = models.CharField(max_length=1000, blank=True)
    design_commit = models.CharField(max_length=64, blank=True)
    design_blob = models.CharField(max_length=64, blank=True)
    design_release = models.CharField(max_length=120, blank=True)
    provenance = models.CharField(max_length=10, choices=Provenance.choices, default=Provenance.UNKNOWN)
    provenance_method = models.CharField(max_length=13, choices=Method.choices, default=Method.NONE)
    #: When the sweep last looked for the design of a job that has none.
    looked_at = models.DateTimeField(null=True, blank=True)
    slice = models.ForeignKey("labs.Slice", null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.RUNNING)
    progress = models.FloatField(default=0.0)
    material_g = models.FloatField(null=True, blank=True)
    energy_kwh = models.FloatField(null=True, blank=True)
    energy_quality = models.CharField(max_length=12, choices=Quality.choices, default=Quality.NONE)
    energy_coverage = models.FloatField(default=0.0)
    solar_share = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-started_at", "pk")
        indexes = (
            models.Index(fields=["machine", "-started_at"], name="labs_job_of_machine"),
            models.Index(fields=["device", "started_at", "finished_at"], name="labs_job_of_device"),
            models.Index(fields=["design", "-started_at"], name="labs_job_of_design"),
            models.Index(fields=["looked_at"], name="labs_job_not_proven", condition=~models.Q(provenance="proven")),
            models.Index(fields=["sha256"], name="labs_job_by_sha256", condition=~models.Q(provenance="proven")),
            models.Index(fields=["sha1"], name="labs_job_by_sha1", condition=~models.Q(provenance="proven")),
            models.Index(fields=["blob"], name="labs_job_by_blob", condition=~models.Q(provenance="proven")),
            models.Index(fields=["source_sha256"], name="labs_job_by_source", condition=~models.Q(provenance="proven")),
        )
        constraints = (
            models.UniqueConstraint("device", "device_job", name="labs_job_once_a_device"),
            models.CheckConstraint(name="labs_job_progress_share", condition=models.Q(progress__range=(0, 1))),
            models.CheckConstraint(
                name="labs_job_energy_not_negative",
                condition=models.Q(energy_kwh=None) | models.Q(energy_kwh__gte=0),
            ),
        )

    def __str__(self) -> str:
        return f"{self.machine} {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def is_over(self) -> bool:
        """Whether the machine has ended it, well or not."""
        return self.outcome not in {self.Outcome.RUNNING, self.Outcome.PAUSED}


class JobEvent(models.Model):
    """What a device said about a job, as it said it. A job is folded from these, in the order of `seq`."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    seq = models.BigIntegerField()
    ts = models.DateTimeField()
    event = models.CharField(max_length=10)
    body = models.JSONField(default=dict)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("seq",)
        constraints = (models.UniqueConstraint("job", "seq", name="labs_job_event_once"),)

    def __str__(self) -> str:
        return f"{self.seq} {self.event}"
