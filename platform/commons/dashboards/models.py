"""The headline figures as they stood on each day, for those whose past cannot be worked out again."""

from django.db import models


class FigureDay(models.Model):
    """A headline figure of a place as it was on a local day, with the definition that held. Public, like the figure."""

    place = models.ForeignKey("places.Place", on_delete=models.CASCADE, related_name="figure_days")
    figure = models.SlugField(max_length=40)
    day = models.DateField()
    version = models.CharField(max_length=40)
    value = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    numerator = models.FloatField(null=True)
    denominator = models.FloatField(null=True)
    completeness = models.FloatField(null=True)
    estimated = models.BooleanField(default=False)
    demo = models.BooleanField(default=False)
    kept_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint("place", "figure", "day", name="dashboards_figure_once_a_day"),)

    def __str__(self) -> str:
        return f"{self.figure} of {self.place_id} on {self.day}"
