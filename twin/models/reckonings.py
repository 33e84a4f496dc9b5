"""What an engine found out about a version of a district, kept because it is a pure function of both."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reckoning(models.Model):
    """One engine's answer for one version.

    `summary`: figures of the whole district. `columns`: {name: [value of each of `keys`]}, `keys` the buildings'.
    `inputs`: the assumptions and the weather that went in. `drawings`: {name: SVG path}.
    """

    class Kind(models.TextChoices):
        """Which question it answers."""

        ROOFS = "roofs", _("sun on the roofs")
        RISK = "risk", _("risk")
        CARBON = "carbon", _("carbon")
        RAIN = "rain", _("heavy rain")
        ENERGY = "energy", _("energy")

    version = models.ForeignKey("DistrictVersion", on_delete=models.CASCADE, related_name="reckonings")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    engine_version = models.CharField(max_length=60)
    inputs = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)
    keys = models.JSONField(default=list)
    columns = models.JSONField(default=dict)
    drawings = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("version", "kind", "engine_version", name="twin_reckoned_once"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.version}"
