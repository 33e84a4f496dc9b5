"""Answers about traffic, kept because each is a pure function of a version, its assumptions, a method and an engine."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from twin.models.districts import DistrictVersion


class Traffic(models.Model):
    """An hour of traffic of one version by one method. Never changes once written.

    `summary`: figures by name. `streets`: columns by street, `zones`: rows (twin.engine.traffic). `picture`: SVG,
    gzipped, empty for methods that draw none.
    """

    class Method(models.TextChoices):
        """What reckoned it; answers of different methods are never held against each other."""

        EQUILIBRIUM = "equilibrium", _("user equilibrium")
        SEEDS = "seeds", _("SUMO, mesoscopic, several seeds")
        DEEP = "deep", _("SUMO, microscopic, with emissions")

    version = models.ForeignKey(DistrictVersion, on_delete=models.CASCADE, related_name="traffic")
    method = models.CharField(max_length=16, choices=Method.choices, default=Method.EQUILIBRIUM)
    assumptions = models.JSONField(default=dict)
    assumptions_sha256 = models.CharField(max_length=64)
    engine_version = models.CharField(max_length=120)
    summary = models.JSONField(default=dict)
    streets = models.JSONField(default=dict)
    zones = models.JSONField(default=list)
    picture = models.BinaryField(default=bytes)
    run = models.ForeignKey("runs.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "traffic"
        constraints = (
            models.UniqueConstraint(
                "version", "method", "assumptions_sha256", "engine_version", name="twin_traffic_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_method_display()} of {self.version}"
