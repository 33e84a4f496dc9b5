"""What people say about a scenario: about all of it, about one of its figures, or about a place on its map."""

from django.conf import settings
from django.db import models

from twin.models.scenarios import Scenario


class ScenarioComment(models.Model):
    """One comment. Its anchor is a figure's key (`figure`), a place (`lon`, `lat`), or neither; `version` is the one it
    was said of.
    """

    scenario = models.ForeignKey(Scenario, on_delete=models.CASCADE, related_name="comments")
    version = models.PositiveIntegerField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    body = models.CharField(max_length=2000)
    figure = models.CharField(max_length=60, blank=True)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="twin_comment_one_anchor",
                condition=models.Q(lon=None, lat=None) | models.Q(lon__isnull=False, lat__isnull=False, figure=""),
            ),
        )
        indexes = (models.Index(fields=["scenario", "created_at"], name="twin_comment_thread"),)

    def __str__(self) -> str:
        return self.body[:60]
