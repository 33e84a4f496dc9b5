"""Grids: versions of their data, who is connected where, and what checks of a community on them answered."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from energy.models.communities import Community, CommunityVersion


class Grid(models.Model):
    """The low-voltage grid of a community, or of a place for all communities in it that have none of their own."""

    community = models.OneToOneField(Community, null=True, blank=True, on_delete=models.CASCADE, related_name="grid")
    place = models.OneToOneField(
        "places.Place", null=True, blank=True, on_delete=models.CASCADE, related_name="energy_grid"
    )
    name = models.CharField(max_length=160)
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="energy_grid_of_one",
                condition=Q(community__isnull=False, place__isnull=True)
                | Q(community__isnull=True, place__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name


class GridVersion(models.Model):
    """What one import brought, which never changes: `network` as `energy.engine.network` reads it; `named` says at
    which node a load, plant or member of the files is. It holds from `valid_from` until the next one does.
    """

    grid = models.ForeignKey(Grid, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    valid_from = models.DateField()
    content_sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=300, blank=True, help_text=_("where the data come from, in words"))
    network = models.JSONField()
    named = models.JSONField(default=dict)
    nodes = models.PositiveIntegerField()
    radial = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("grid", "number", name="energy_grid_version_once"),)

    def __str__(self) -> str:
        return f"{self.grid} ({self.number})"


class GridConnection(models.Model):
    """At which node a member of a community is connected, as a steward said; "" is the community's own battery."""

    grid = models.ForeignKey(Grid, on_delete=models.CASCADE, related_name="connections")
    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="connections")
    member = models.CharField(max_length=60, blank=True, help_text=_("its id in the data of the community"))
    node = models.CharField(max_length=160)

    class Meta:
        constraints = (models.UniqueConstraint("grid", "community", "member", name="energy_grid_connection_once"),)

    def __str__(self) -> str:
        return f"{self.member}: {self.node}"


class GridCheck(models.Model):
    """What a run answered about a version of a community on a version of a grid; series per step are packed."""

    version = models.ForeignKey(CommunityVersion, on_delete=models.CASCADE, related_name="grid_checks")
    grid_version = models.ForeignKey(GridVersion, on_delete=models.CASCADE, related_name="checks")
    run = models.OneToOneField("runs.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="grid_check")
    control = models.CharField(max_length=16)
    result = models.JSONField()
    connected = models.JSONField(default=dict, help_text=_("node of each member when it was checked"))
    lowest = models.BinaryField(help_text=_("lowest voltage of a step, per unit"))
    highest = models.BinaryField(help_text=_("highest voltage of a step, per unit"))
    line = models.BinaryField(help_text=_("largest loading of a line, share of what is allowed"))
    transformer = models.BinaryField(help_text=_("largest loading of a transformer, share of what is allowed"))
    inputs_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        indexes = (models.Index(fields=["version", "control", "-created_at"], name="energy_grid_check_latest"),)

    def __str__(self) -> str:
        return f"{self.version}, {self.control}"
