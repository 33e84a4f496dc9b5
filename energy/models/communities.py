"""Energy communities: versions of their data, members, and what simulations of them answered.

A version is what one import brought and never changes; figures always say which version they are of.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Community(models.Model):
    """People, labs and public buildings that produce and use power together; belongs to at most one place."""

    class Kind(models.TextChoices):
        NEIGHBOURHOOD = "neighbourhood", _("Neighbourhood")
        BUILDING = "building", _("One building")
        LOCAL = "local", _("Local community (behind one transformer)")
        REGIONAL = "regional", _("Regional community")

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=160)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.NEIGHBOURHOOD)
    place = models.ForeignKey(
        "places.Place", null=True, blank=True, on_delete=models.SET_NULL, related_name="communities"
    )
    organisation = models.ForeignKey(
        "people.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="communities"
    )
    public = models.BooleanField(default=True, help_text=_("its sums, labs and public buildings may be seen by all"))
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "communities"

    def __str__(self) -> str:
        return self.name


class CommunityVersion(models.Model):
    """The data of one import. Series are packed (`energy.series`), one value a step; prices in `currency` per
    kWh.
    """

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    content_sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=300, blank=True, help_text=_("where the data come from, in words"))
    currency = models.CharField(max_length=8)
    timezone = models.CharField(max_length=64)
    start = models.DateTimeField()
    step_minutes = models.PositiveSmallIntegerField()
    steps = models.PositiveIntegerField()
    cyclic = models.BooleanField(default=False)
    grid_limit_kw = models.FloatField(null=True, blank=True)
    battery_kwh = models.FloatField(null=True, blank=True)
    battery_kw = models.FloatField(null=True, blank=True)
    battery_efficiency = models.FloatField(null=True, blank=True)
    load_kwh = models.FloatField(help_text=_("sum over members and period"))
    pv_kwh = models.FloatField(help_text=_("sum over members and period"))
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint("community", "number", name="energy_version_once"),
            models.CheckConstraint(name="energy_version_step", condition=models.Q(step_minutes__in=[15, 60])),
            models.CheckConstraint(
                name="energy_version_sums", condition=models.Q(load_kwh__gte=0, pv_kwh__gte=0, steps__gt=0)
            ),
        )

    def __str__(self) -> str:
        return f"{self.community} ({self.number})"

    @property
    def end(self) -> dt.datetime:
        """The end of the last step."""
        return self.start + dt.timedelta(minutes=self.step_minutes * self.steps)

    @property
    def first_day(self) -> dt.date:
        """The local day on which the data begin."""
        return self.start.astimezone(ZoneInfo(self.timezone)).date()

    @property
    def last_day(self) -> dt.date:
        """The local day of the last step."""
        return (self.end - dt.timedelta(seconds=1)).astimezone(ZoneInfo(self.timezone)).date()


class VersionSeries(models.Model):
    """A series of a version: import_price, export_price, co2, and sums over members: load, pv, load:home,
    load:lab …
    """

    version = models.ForeignKey(CommunityVersion, on_delete=models.CASCADE, related_name="series")
    name = models.CharField(max_length=32)
    packed = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint("version", "name", name="energy_version_series_once"),)

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A home, lab, business or public building in a version; `person` sees its own figures. Series are
    packed, kWh a step.
    """

    class Kind(models.TextChoices):
        HOME = "home", _("Home")
        LAB = "lab", _("Lab")
        BUSINESS = "business", _("Business")
        PUBLIC = "public", _("Public building")

    version = models.ForeignKey(CommunityVersion, on_delete=models.CASCADE, related_name="members")
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="energy_members",
    )
    pv_kwp = models.FloatField(default=0)
    battery_kwh = models.FloatField(null=True, blank=True)
    battery_kw = models.FloatField(null=True, blank=True)
    battery_efficiency = models.FloatField(null=True, blank=True)
    ev_kwh = models.FloatField(null=True, blank=True)
    ev_kw = models.FloatField(null=True, blank=True)
    ev_kwh_per_day = models.FloatField(null=True, blank=True)
    ev_away_from_min = models.PositiveSmallIntegerField(null=True, blank=True)
    ev_away_until_min = models.PositiveSmallIntegerField(null=True, blank=True)
    ev_efficiency = models.FloatField(null=True, blank=True)
    ev_v2g = models.BooleanField(default=True)
    heat_pump_kw = models.FloatField(null=True, blank=True)
    tank_kwh = models.FloatField(default=0)
    tank_loss_per_hour = models.FloatField(default=0.01)
    heat = models.BinaryField(null=True, blank=True, help_text=_("heat that its pump makes, packed, kWh a step"))
    load_kwh = models.FloatField()
    pv_kwh = models.FloatField()
    load = models.BinaryField()
    pv = models.BinaryField()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint("version", "key", name="energy_member_once"),
            models.UniqueConstraint("version", "position", name="energy_member_position_once"),
        )

    def __str__(self) -> str:
        return self.name


class Simulation(models.Model):
    """What a run answered about a version; parts as in the contract's result."""

    version = models.ForeignKey(CommunityVersion, on_delete=models.CASCADE, related_name="simulations")
    run = models.OneToOneField("runs.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="simulation")
    control = models.CharField(max_length=16)
    sharing_rule = models.CharField(max_length=16)
    totals = models.JSONField()
    separate = models.JSONField()
    members = models.JSONField()
    sharing = models.JSONField()
    engine = models.JSONField()
    more = models.JSONField(default=dict, help_text=_("figures beside the totals: marginal CO2, an island's hours"))
    inputs_sha256 = models.CharField(
        max_length=64, blank=True, help_text=_("of what the answer depends on: data, control, sharing, horizon …")
    )
    seed = models.BigIntegerField(default=0)
    result_sha256 = models.CharField(max_length=64, blank=True, help_text=_("of all figures and series, bit for bit"))
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        indexes = (
            models.Index(fields=["version", "control", "-created_at"], name="energy_simulation_latest"),
            models.Index(fields=["inputs_sha256", "seed"], name="energy_simulation_same"),
        )

    def __str__(self) -> str:
        return f"{self.version}, {self.control}, {self.sharing_rule}"


class SimulationSeries(models.Model):
    """Community sums of a simulation, kWh a step: import, export, charge, discharge, vehicles; stored is kWh
    held.
    """

    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, related_name="series")
    name = models.CharField(max_length=32)
    packed = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint("simulation", "name", name="energy_simulation_series_once"),)

    def __str__(self) -> str:
        return self.name
