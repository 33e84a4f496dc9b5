"""Slicing for a machine that was booked: the lab's profiles, and what was sliced with them."""

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SlicingProfile(models.Model):
    """Settings of PrusaSlicer for a machine, as checked plain text. One that is retired stays for what it made."""

    machine = models.ForeignKey("labs.Machine", on_delete=models.CASCADE, related_name="slicing_profiles")
    name = models.CharField(max_length=80)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["machine", "name"], condition=models.Q(retired_at=None), name="labs_slicing_profile_name"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Slice(models.Model):
    """A file of a design sliced for a booking. `receipt` is signed by the lab: which source, settings and program.

    Of the estimates `kwh` is of `kwh_basis`: "machine" where the machine's own measured jobs were enough, else "class".
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Being sliced")
        DONE = "done", _("Sliced")
        FAILED = "failed", _("Could not be sliced")

    class Basis(models.TextChoices):
        MACHINE = "machine", _("learned from this machine's measured jobs")
        CLASS = "class", _("usual for this kind of machine")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    booking = models.ForeignKey("labs.Booking", on_delete=models.CASCADE, related_name="slices")
    machine = models.ForeignKey("labs.Machine", on_delete=models.CASCADE, related_name="slices")
    design = models.ForeignKey("designs.Design", on_delete=models.CASCADE, related_name="slices")
    path = models.CharField(max_length=1000)
    commit = models.CharField(max_length=64)
    blob = models.CharField(max_length=64)
    release = models.CharField(max_length=120, blank=True)
    source_sha256 = models.CharField(max_length=64)
    profile = models.ForeignKey(SlicingProfile, null=True, blank=True, on_delete=models.PROTECT, related_name="slices")
    settings_sha256 = models.CharField(max_length=64, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    run = models.UUIDField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=400, blank=True)
    slicer = models.CharField(max_length=80, blank=True)
    time_s = models.FloatField(null=True, blank=True)
    filament_mm = models.FloatField(null=True, blank=True)
    filament_g = models.FloatField(null=True, blank=True)
    kwh = models.FloatField(null=True, blank=True)
    kwh_low = models.FloatField(null=True, blank=True)
    kwh_high = models.FloatField(null=True, blank=True)
    kwh_basis = models.CharField(max_length=8, choices=Basis.choices, blank=True)
    kwh_jobs = models.PositiveIntegerField(default=0)
    gcode_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    gcode_size = models.PositiveBigIntegerField(default=0)
    receipt = models.JSONField(null=True, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-made_at", "pk")

    def __str__(self) -> str:
        return f"{self.path} · {self.machine}"

    @property
    def length(self) -> dt.timedelta | None:
        """The machine time that the slicer foretells."""
        return dt.timedelta(seconds=self.time_s) if self.time_s else None

    @property
    def filament_m(self) -> float | None:
        """Filament in m."""
        return self.filament_mm / 1000 if self.filament_mm is not None else None

    @property
    def file_name(self) -> str:
        """How the program is called when it is fetched."""
        stem = self.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        return f"{stem[:80]}-{self.gcode_sha256[:8]}.gcode"
