"""Forecasts a day ahead, and the card that says how good they are."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from energy.models.communities import Community, CommunityVersion


class ForecastCard(models.Model):
    """What the forecasts of a series are worth: learned on a version, judged on its last days, beside the naive.

    Errors are mean absolute ones, kWh a step. `naive` maps each naive guess to its error, `served` how often which
    guess was served in the test.
    """

    class Series(models.TextChoices):
        USE = "load", _("Use")
        SOLAR = "pv", _("Solar")

    version = models.ForeignKey(CommunityVersion, on_delete=models.CASCADE, related_name="forecast_cards")
    series = models.CharField(max_length=8, choices=Series.choices)
    engine_version = models.CharField(max_length=40)
    data_sha256 = models.CharField(max_length=64)
    first_day = models.DateField(help_text=_("the first day of the test"))
    last_day = models.DateField(help_text=_("the last day of the test"))
    learned_days = models.PositiveIntegerField()
    model_mae = models.FloatField()
    served_mae = models.FloatField()
    naive = models.JSONField()
    best_naive = models.CharField(max_length=40)
    skill = models.FloatField()
    covered = models.FloatField()
    half_width_kwh = models.FloatField()
    worst_span = models.FloatField()
    served = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["version", "series", "-created_at"], name="energy_forecast_card_newest"),)

    def __str__(self) -> str:
        return f"{self.version}, {self.series}"


class Forecast(models.Model):
    """What was said of a local day at its midnight; series are packed, kWh a step of that day's clock."""

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="forecasts")
    card = models.ForeignKey(ForecastCard, on_delete=models.CASCADE, related_name="forecasts")
    series = models.CharField(max_length=8, choices=ForecastCard.Series.choices)
    day = models.DateField()
    step_minutes = models.PositiveSmallIntegerField()
    served = models.CharField(max_length=40)
    middle = models.BinaryField()
    low = models.BinaryField()
    high = models.BinaryField()
    issued_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("community", "series", "day", name="energy_forecast_once"),)

    def __str__(self) -> str:
        return f"{self.community}, {self.series}, {self.day}"
