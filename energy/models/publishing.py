"""Which data of a community its public figures are made of, and the ledger of what was published."""

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

_DURING: dict[str, Any] = {"function": "tstzrange", "output_field": DateTimeRangeField()}


class Publication(models.Model):
    """A version whose sums the public may see. Versions without one wait: they differ from one that was published by
    too few members, so that the difference would tell of these few (docs/energy-privacy.md).
    """

    version = models.OneToOneField("energy.CommunityVersion", on_delete=models.CASCADE, related_name="publication")
    published_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.version)


class PublishedSpan(models.Model):
    """What was said to everybody of the households' use in a stretch of time: the ledger of cells.

    `packed` is kWh a step, each cell's rounded sum spread over its steps. A moment is published once: no two stretches
    of a community overlap, and no row is ever changed; the database sees to both. So whatever versions come later, of
    each moment there is one sum of one group of households, and nothing to subtract it from.
    """

    community = models.ForeignKey("energy.Community", on_delete=models.CASCADE, related_name="published_spans")
    version = models.ForeignKey(
        "energy.CommunityVersion", null=True, on_delete=models.SET_NULL, related_name="published_spans"
    )
    start = models.DateTimeField()
    end = models.DateTimeField()
    step_minutes = models.PositiveSmallIntegerField()
    packed = models.BinaryField()

    class Meta:
        ordering = ("start",)
        constraints = (
            models.CheckConstraint(name="energy_span_is_one", condition=Q(end__gt=F("start"))),
            ExclusionConstraint(
                name="energy_span_once",
                index_type="GIST",
                expressions=(
                    ("community", RangeOperators.EQUAL),
                    (Func(F("start"), F("end"), Value("[)"), **_DURING), RangeOperators.OVERLAPS),
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.community} {self.start:%Y-%m-%d} – {self.end:%Y-%m-%d}"
