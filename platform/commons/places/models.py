"""Cities and their neighbourhoods: what the three figures are about."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Place(models.Model):
    """A city or a neighbourhood. `outline` is a GeoJSON Polygon or MultiPolygon in WGS 84, or null."""

    class Kind(models.TextChoices):
        CITY = "city", _("City")
        NEIGHBOURHOOD = "neighbourhood", _("Neighbourhood")

    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.NEIGHBOURHOOD)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="parts")
    timezone = models.CharField(max_length=64, default="UTC")
    country = models.CharField(max_length=2, blank=True, help_text=_("ISO 3166-1, two letters"))
    outline = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="places_only_neighbourhoods_have_a_city",
                condition=models.Q(kind="neighbourhood") | models.Q(parent=None),
            ),
        )

    def __str__(self) -> str:
        return self.name
