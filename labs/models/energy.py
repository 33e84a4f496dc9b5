"""What measures machines besides their own device, and the figures of a job's energy, each frozen when it was made."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PowerMeter(models.Model):
    """A plug or meter that is tied to one machine, or to a circuit that several share; exactly one of the two.

    `class_pct` is how far off it may be by its maker's word, in per cent of what it shows. `pinned`: a person said what
    it measures, so its agent's word does not move it.
    """

    device = models.OneToOneField("devices.Device", on_delete=models.CASCADE, related_name="power_meter")
    machine = models.ForeignKey("labs.Machine", null=True, blank=True, on_delete=models.CASCADE, related_name="meters")
    circuit = models.ForeignKey("labs.Circuit", null=True, blank=True, on_delete=models.CASCADE, related_name="meters")
    class_pct = models.FloatField(default=2.0)
    pinned = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                name="labs_meter_of_one",
                condition=models.Q(machine=None, circuit__isnull=False) | models.Q(machine__isnull=False, circuit=None),
            ),
            models.CheckConstraint(name="labs_meter_class", condition=models.Q(class_pct__range=(0, 50))),
        )

    def __str__(self) -> str:
        return f"{self.device}: {self.machine or self.circuit}"


class EnergyFigure(models.Model):
    """How much energy a job took, as it was known at a time. Never rewritten (a trigger holds it): late readings give a
    new figure with the next number. The parts sum to `kwh`; `pm_kwh` is how far off it may be, `why` the reasons.

    `inputs` names what it was worked out from, with versions, so that it can be worked out again; `phases` is the curve
    cut into [kind, from, until, Wh].
    """

    class Quality(models.TextChoices):
        MEASURED = "measured", _("measured by the meter's counter")
        INTEGRATED = "integrated", _("added up from measured power")
        SHARED = "shared", _("a share of a meter that several machines hang on")
        PARTIAL = "partial", _("measured for a part of the time")
        ESTIMATED = "estimated", _("estimated by the class of machine")
        NONE = "none", _("not measured")

    job = models.ForeignKey("labs.Job", on_delete=models.CASCADE, related_name="energy_figures")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField(auto_now_add=True)
    quality = models.CharField(max_length=12, choices=Quality.choices)
    coverage = models.FloatField()
    kwh = models.FloatField(null=True)
    warm_kwh = models.FloatField(null=True)
    making_kwh = models.FloatField(null=True)
    idle_kwh = models.FloatField(null=True)
    split_by = models.CharField(max_length=12, default="none")
    pm_kwh = models.FloatField(null=True)
    why = models.JSONField(default=list)
    cost = models.FloatField(null=True)
    currency = models.CharField(max_length=8, blank=True)
    co2_g = models.FloatField(null=True)
    solar_share = models.FloatField(null=True)
    phases = models.JSONField(default=list)
    inputs = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("job", "number")
        constraints = (
            models.UniqueConstraint("job", "number", name="labs_energy_figure_once"),
            models.CheckConstraint(
                name="labs_energy_figure_not_negative",
                condition=models.Q(kwh=None)
                | models.Q(kwh__gte=0, warm_kwh__gte=0, making_kwh__gte=0, idle_kwh__gte=0, pm_kwh__gte=0),
            ),
        )

    def __str__(self) -> str:
        return f"{self.job} {self.number}"
