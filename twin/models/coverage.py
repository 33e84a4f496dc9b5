"""How much of a place was modelled, day by day."""

from django.db import models


class CoverageDay(models.Model):
    """The levels of a place's systems as they were last found on a day. Never changes once the day is over.

    `levels` maps each system to its level; `breadth` systems at level 1 or more, `depth` 0..1.
    """

    place = models.ForeignKey("places.Place", on_delete=models.CASCADE, related_name="coverage_days")
    day = models.DateField()
    levels = models.JSONField()
    breadth = models.PositiveSmallIntegerField()
    depth = models.FloatField()
    rules = models.CharField(max_length=40)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("place", "day", name="twin_coverage_once"),)

    def __str__(self) -> str:
        return f"{self.place}, {self.day}: {self.breadth}"
