"""What will be spare of the local sun, and what others have planned to use."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from energy.models.communities import Community


class PlannedLoad(models.Model):
    """What a member has planned to use in the coming days, such as a lab by its bookings; the newest of each source.

    Series are packed, kWh a step. `member` is the key of its member in the community's data, where it has one: the
    plan then stands for what that member usually uses beyond its least.
    """

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="planned_loads")
    source = models.CharField(max_length=80, help_text=_("who says so, such as labs:kamppi"))
    name = models.CharField(max_length=120)
    member = models.CharField(max_length=60, blank=True)
    url = models.CharField(max_length=200, blank=True)
    start = models.DateTimeField()
    step_minutes = models.PositiveSmallIntegerField()
    steps = models.PositiveIntegerField()
    kwh = models.BinaryField()
    low = models.BinaryField()
    high = models.BinaryField()
    bookings = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("name", "pk")
        constraints = (models.UniqueConstraint("community", "source", name="energy_planned_once"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.source})"


class Outlook(models.Model):
    """What is foreseen to be spare of a community's sun, as everybody may see it: one row, the newest.

    Series are packed, kW a step: low, middle and high of what is spare, and what others have planned, which is in it.
    `basis` says of each local day what it comes from: forecast, lately, season or carried.
    """

    community = models.OneToOneField(Community, on_delete=models.CASCADE, related_name="outlook")
    start = models.DateTimeField()
    step_minutes = models.PositiveSmallIntegerField()
    steps = models.PositiveIntegerField()
    low = models.BinaryField()
    middle = models.BinaryField()
    high = models.BinaryField()
    planned = models.BinaryField()
    basis = models.JSONField()
    storage_kwh = models.FloatField(default=0)
    engine_version = models.CharField(max_length=40)
    inputs_sha256 = models.CharField(max_length=64)
    number = models.PositiveIntegerField(default=1, help_text=_("how often it has changed"))
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.community}, {self.start:%Y-%m-%d}"
