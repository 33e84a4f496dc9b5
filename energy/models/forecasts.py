"""Forecasts a day ahead, and the card that says how good they are."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from energy.models.communities import Community, CommunityVersion


class ForecastCard(models.Model):
    """What the forecasts of a series are worth: learned on a version or, where there is none, on what meters of
    `participants` measured; judged on its last days, beside the naive.

    Errors are mean absolute ones, kWh a step. `naive` maps each naive guess to its error, `served` how often which
    guess was served in the test.
    """

    class Series(models.TextChoices):
        USE = "load", _("Use")
        SOLAR = "pv", _("Solar")

    community = models.ForeignKey(Community, null=True, on_delete=models.CASCADE, related_name="forecast_cards")
    version = models.ForeignKey(
        CommunityVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="forecast_cards"
    )
    participants = models.PositiveIntegerField(default=0, help_text=_("how many were measured; 0 for a version"))
    largest_share = models.FloatField(default=0, help_text=_("of one participant in all that was measured"))
    step_minutes = models.PositiveSmallIntegerField(default=60)
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
    guarded = models.BooleanField(default=False, help_text=_("the model lost somewhere, so a simple guess is served"))
    model_skill = models.FloatField(default=0, help_text=_("of what the model would have served"))
    model_worst = models.FloatField(default=0, help_text=_("its worst four weeks"))
    weather = models.CharField(max_length=16, blank=True, help_text=_("what it knew of the weather: feed, clear sky"))
    served = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["version", "series", "-created_at"], name="energy_forecast_card_newest"),)

    def __str__(self) -> str:
        return f"{self.version or self.community}, {self.series}"


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
