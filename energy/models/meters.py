"""Meters of participants, what they measured day by day, and the files from which that came."""

import datetime as dt

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from energy.models.communities import Community
from energy.models.participants import Participant


class MeterPoint(models.Model):
    """One register of a meter: what a participant draws from the grid, feeds into it, or makes on the roof.

    It is theirs from `valid_from` until the day before `valid_until`. Until it is proved to be theirs (`proof`) it
    counts for nothing, and nobody else's file or device brings it anything. Proved days of one register never overlap.
    """

    class Direction(models.TextChoices):
        USE = "use", _("Drawn from the grid")
        FEED_IN = "feed_in", _("Fed into the grid")
        SOLAR = "solar", _("Made on the roof")

    class Proof(models.TextChoices):
        CLAIMED = "claimed", _("Not proved yet")
        LETTER = "letter", _("Proved by a letter")
        STEWARD = "steward", _("Vouched for by a steward")

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="meters")
    number = models.CharField(max_length=40)
    direction = models.CharField(max_length=8, choices=Direction.choices, default=Direction.USE)
    device = models.ForeignKey(
        "devices.Device", null=True, blank=True, on_delete=models.SET_NULL, related_name="meter_points"
    )
    proof = models.CharField(max_length=8, choices=Proof.choices, default=Proof.CLAIMED)
    proved_at = models.DateTimeField(null=True, blank=True)
    proved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    letter_sha256 = models.BinaryField(max_length=32, null=True, editable=False)
    letter_at = models.DateTimeField(null=True, editable=False)
    letter_tries = models.PositiveSmallIntegerField(default=0, editable=False)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text=_("the first day on which it is no longer theirs"))
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("valid_from", "pk")
        constraints = (
            models.CheckConstraint(
                name="energy_meter_days", condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from"))
            ),
            models.UniqueConstraint("participant", "number", "direction", "valid_from", name="energy_meter_named_once"),
            ExclusionConstraint(
                name="energy_meter_proved_once",
                index_type="GIST",
                expressions=(
                    (F("number"), RangeOperators.EQUAL),
                    (F("direction"), RangeOperators.EQUAL),
                    (
                        Func(F("valid_from"), F("valid_until"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ),
                condition=~Q(proof="claimed"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} ({self.direction})"

    @property
    def proved(self) -> bool:
        """Whether it counts."""
        return self.proof != self.Proof.CLAIMED

    def is_valid(self, day: dt.date) -> bool:
        """Whether it is theirs on a local day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


class MeterFile(models.Model):
    """A file of readings: waits for its mapping with its text, or was read in and left only its hash and story."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for its columns")
        KEPT = "kept", _("Read in")

    class Format(models.TextChoices):
        CSV = "csv", _("CSV")
        GREEN_BUTTON = "green-button", _("Green Button")

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="meter_files")
    participant = models.ForeignKey(
        Participant, null=True, blank=True, on_delete=models.CASCADE, related_name="meter_files"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=200)
    format = models.CharField(max_length=16, choices=Format.choices)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    packed = models.BinaryField(default=bytes, editable=False)
    mapping = models.JSONField(default=dict, blank=True)
    report = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    kept_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["community", "state", "-created_at"], name="energy_meter_files"),)

    def __str__(self) -> str:
        return self.name


class UtilityMapping(models.Model):
    """How a utility writes its files, remembered by the first line of columns; offered the next time."""

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="utility_mappings")
    utility = models.CharField(max_length=80)
    columns_sha256 = models.CharField(max_length=64)
    mapping = models.JSONField()
    used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("community", "columns_sha256", name="energy_utility_mapping_once"),)

    def __str__(self) -> str:
        return self.utility


class MeterDay(models.Model):
    """What a meter measured on one local day: kWh a step, NaN where nothing was measured (`energy.series`).

    A day has 23, 24 or 25 hours. A change makes a new `revision`; the newest has `current`, older ones stay, so that a
    statement can be worked out again from what it was made of. `kwh` is the sum of what was measured, `missing` the
    number of steps without.
    """

    class Source(models.TextChoices):
        FILE = "file", _("A file")
        DEVICE = "device", _("A device of the city")

    meter = models.ForeignKey(MeterPoint, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    step_minutes = models.PositiveSmallIntegerField()
    packed = models.BinaryField()
    kwh = models.FloatField()
    missing = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=8, choices=Source.choices)
    file = models.ForeignKey(MeterFile, null=True, blank=True, on_delete=models.SET_NULL, related_name="days")
    revision = models.PositiveIntegerField(default=1)
    current = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("meter", "day", "revision")
        constraints = (
            models.UniqueConstraint("meter", "day", "revision", name="energy_meter_day_revision"),
            models.UniqueConstraint("meter", "day", name="energy_meter_day_current", condition=Q(current=True)),
            models.CheckConstraint(name="energy_meter_day_step", condition=Q(step_minutes__in=[15, 30, 60])),
        )

    def __str__(self) -> str:
        return f"{self.meter} {self.day} ({self.revision})"
