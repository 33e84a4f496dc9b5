"""Where curves come from that no meter measured: the weather of a place, what is known of a dwelling, and the year
that was worked out for it.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commons.places.models import Place
from energy.models.participants import Participant


class WeatherFeed(models.Model):
    """An address that is asked for the forecast of a place every few hours, in the format of Open-Meteo."""

    place = models.OneToOneField(Place, on_delete=models.CASCADE, related_name="weather_feed")
    url = models.URLField(max_length=500)
    asked_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True, help_text=_("what went wrong the last time"))
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"weather of {self.place}"


class WeatherReport(models.Model):
    """Weather of a place as one file or one answer of the feed said it; series are packed, one value a step.

    Of a feed's answer, what lies before `issued_at` is what was, the rest what was foreseen then. `typical`: a typical
    year, laid over any calendar; `offset_minutes` is the clock of its file ahead of UTC.
    """

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="weather_reports")
    typical = models.BooleanField(default=False)
    source = models.CharField(max_length=40)
    station = models.CharField(max_length=120, blank=True)
    issued_at = models.DateTimeField(default=timezone.now)
    content_sha256 = models.CharField(max_length=64)
    offset_minutes = models.SmallIntegerField(default=0)
    start = models.DateTimeField()
    step_minutes = models.PositiveSmallIntegerField()
    steps = models.PositiveIntegerField()
    latitude = models.FloatField()
    longitude = models.FloatField()
    altitude_m = models.FloatField(default=0)
    ghi = models.BinaryField()
    dni = models.BinaryField()
    dhi = models.BinaryField()
    air_c = models.BinaryField()
    wind_m_s = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint("place", "content_sha256", name="energy_weather_once"),)
        indexes = (models.Index(fields=["place", "typical", "-issued_at"], name="energy_weather_newest"),)

    def __str__(self) -> str:
        return f"{self.place}, {self.source}, {self.issued_at:%Y-%m-%d %H:%M}"


class Dwelling(models.Model):
    """What is known of a participant's use without a meter; what is empty follows from people and kind."""

    participant = models.OneToOneField(Participant, on_delete=models.CASCADE, related_name="dwelling")
    people = models.PositiveSmallIntegerField(default=2)
    kwh_per_year = models.FloatField(null=True, blank=True, help_text=_("electricity without heat pump and car"))
    heating_kwh = models.FloatField(
        null=True, blank=True, help_text=_("heat of rooms in a year, where a pump makes it")
    )

    def __str__(self) -> str:
        return f"dwelling of {self.participant}"


class ModelledYear(models.Model):
    """A year of a participant worked out from what it owns; nobody measured it. Packed, kWh a step."""

    participant = models.OneToOneField(Participant, on_delete=models.CASCADE, related_name="modelled")
    start = models.DateTimeField()
    timezone = models.CharField(max_length=64)
    step_minutes = models.PositiveSmallIntegerField()
    steps = models.PositiveIntegerField()
    weather = models.CharField(max_length=200)
    load_kwh = models.FloatField()
    pv_kwh = models.FloatField()
    heat_pump_kwh = models.FloatField()
    car_kwh = models.FloatField()
    own_kwh = models.FloatField(help_text=_("solar used at once"))
    load = models.BinaryField(help_text=_("with the heat pump, without the car"))
    pv = models.BinaryField()
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"modelled year of {self.participant}"
