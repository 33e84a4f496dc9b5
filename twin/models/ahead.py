"""The next 48 hours of a district as they were foreseen, and what came of it; and sandboxes of a district."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Ahead(models.Model):
    """What was foreseen of one series of a district at the midnight that began `day`, hour by hour.

    `middle`, `low`, `high`, `naive`: one number an hour, kWh of the hour, machine hours for machines; `start` is the
    first hour. `backtest` is what such forecasts were worth when this was made. Only `came`, `score` and `scored_at`
    are written later, once, when what came is known.
    """

    class Series(models.TextChoices):
        """What is foreseen."""

        LOAD = "load", _("Use")
        SOLAR = "solar", _("Solar")
        MACHINES = "machines", _("Machines at work")

    district = models.ForeignKey("District", on_delete=models.CASCADE, related_name="ahead")
    series = models.CharField(max_length=10, choices=Series.choices)
    day = models.DateField()
    start = models.DateTimeField()
    engine_version = models.CharField(max_length=60)
    data_sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=200)
    served = models.CharField(max_length=40)
    best_naive = models.CharField(max_length=40)
    middle = models.JSONField()
    low = models.JSONField()
    high = models.JSONField()
    naive = models.JSONField()
    backtest = models.JSONField()
    issued_at = models.DateTimeField(auto_now_add=True)
    came = models.JSONField(null=True)
    score = models.JSONField(null=True)
    scored_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "ahead"
        constraints = (models.UniqueConstraint("district", "series", "day", name="twin_ahead_once"),)

    def __str__(self) -> str:
        return f"{self.district}, {self.series}, {self.day}"


class Sandbox(models.Model):
    """A copy of a live district, frozen at a moment, run ahead of time, and held against what came.

    `frozen`: everything that the simulation reads, so that it can be repeated bit for bit; `frozen_sha256` names it.
    `answer`: the simulated hours; `score`: how far they were off, once what came is known.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    district = models.ForeignKey("District", on_delete=models.CASCADE, related_name="sandboxes")
    version = models.ForeignKey("DistrictVersion", on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    title = models.CharField(max_length=120)
    day = models.DateField(help_text=_("the first day that is simulated"))
    start = models.DateTimeField()
    hours = models.PositiveSmallIntegerField()
    battery_kwh = models.FloatField(default=0, help_text=_("storage that is added in the copy"))
    solar_share = models.FloatField(default=0, help_text=_("solar that is added in the copy, of what there is"))
    seed = models.PositiveIntegerField(default=1)
    frozen = models.JSONField(null=True)
    frozen_sha256 = models.CharField(max_length=64, blank=True)
    engine_version = models.CharField(max_length=60, blank=True)
    answer = models.JSONField(null=True)
    run = models.ForeignKey("runs.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    score = models.JSONField(null=True)
    scored_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "sandboxes"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.title} ({self.district})"
