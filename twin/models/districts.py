"""Districts, their versions, and the things they are made of.

A version is a number. A thing is a row that is valid from the version that brought it (`since`) until the
version that changed or dropped it (`until`, null while it stands). So a new import writes only what differs,
"as of version n" is one condition, and the difference of two versions is what began or ended between them.
Rows never change once written.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class District(models.Model):
    """The model of one place. Without a place it is shown, but never enters the figures."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    place = models.ForeignKey(
        "places.Place", null=True, blank=True, on_delete=models.SET_NULL, related_name="districts"
    )
    current = models.OneToOneField(
        "DistrictVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class DistrictVersion(models.Model):
    """One import, accepted correction or undoing: what was read, from where, under which licence, what was skipped and
    what changed.

    `how` it came about; `note` says of a correction what it was, of an undoing why; `restores` is the version that an
    undoing brought back. A correction keeps the sources of the import below it. `sources`: [{"name", "sha256",
    "size"}]. `remarks`: [{"code", "where", "detail"}] of what was done to a file. `skipped`: [{"what", "why",
    "count"}] codes. `bounds`: west, south, east, north. `dated_at`: when the data were true as far as the files say,
    else when they were imported.
    """

    class How(models.TextChoices):
        IMPORT = "import", _("import")
        CORRECTION = "correction", _("correction")
        UNDO = "undo", _("undoing")

    district = models.ForeignKey(District, on_delete=models.CASCADE, related_name="versions")
    how = models.CharField(max_length=12, choices=How, default=How.IMPORT)
    note = models.CharField(max_length=300, blank=True)
    restores = models.PositiveIntegerField(null=True, blank=True)
    number = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    sources = models.JSONField(default=list)
    sources_sha256 = models.CharField(max_length=64)
    licence = models.CharField(max_length=200, blank=True)
    attribution = models.CharField(max_length=400, blank=True)
    dated_at = models.DateTimeField()
    date_stated = models.BooleanField(default=False)
    epsg = models.PositiveIntegerField(help_text=_("the metric coordinate system it is measured in"))
    bounds = models.JSONField(default=list)
    counts = models.JSONField(default=dict)
    skipped = models.JSONField(default=list)
    remarks = models.JSONField(default=list)
    changes = models.JSONField(default=dict)
    engine_version = models.CharField(max_length=60)

    class Meta:
        constraints = (models.UniqueConstraint("district", "number", name="twin_version_once"),)

    def __str__(self) -> str:
        return f"{self.district} {self.number}"


class Thing(models.Model):
    """What all layers share. `geometry` is GeoJSON in WGS 84; `properties` hold each fact and how it is
    known.
    """

    layer: ClassVar[str]

    district = models.ForeignKey(District, on_delete=models.CASCADE, related_name="%(class)ss")
    key = models.CharField(max_length=120)
    since = models.PositiveIntegerField()
    until = models.PositiveIntegerField(null=True, blank=True)
    fingerprint = models.BinaryField(max_length=16)
    kind = models.CharField(max_length=60, blank=True)
    name = models.CharField(max_length=200, blank=True)
    geometry = models.JSONField()
    properties = models.JSONField(default=dict)

    class Meta:
        abstract = True
        constraints = (
            models.UniqueConstraint(
                "district", "key", name="twin_%(class)s_stands_once", condition=models.Q(until=None)
            ),
            models.CheckConstraint(
                name="twin_%(class)s_ends_after_start",
                condition=models.Q(until=None) | models.Q(until__gt=models.F("since")),
            ),
        )
        indexes = (
            models.Index(fields=["district", "kind"], name="twin_%(class)s_kind", condition=models.Q(until=None)),
        )

    def __str__(self) -> str:
        return self.name or self.key


class Building(Thing):
    """A building; `kind` is its use."""

    layer = "buildings"
    height_m = models.FloatField()
    height_source = models.CharField(max_length=16)


class Street(Thing):
    """A piece of street between two crossings; `kind` is its class, `a` and `b` are its nodes."""

    layer = "streets"
    a = models.BigIntegerField()
    b = models.BigIntegerField()
    length_m = models.FloatField()
    foot = models.BooleanField()
    car = models.BooleanField()


class Service(Thing):
    """A place people go to; `kind` is one of the kinds of twin.engine.tags."""

    layer = "services"


class Area(Thing):
    """Green or water; `kind` says which."""

    layer = "areas"


class People(Thing):
    """A cell of the population grid, or the middle of one. Ages are null where the source does not say them."""

    layer = "people"
    population = models.FloatField()
    over_65 = models.FloatField(null=True)
    under_15 = models.FloatField(null=True)


class Access(models.Model):
    """Minutes on foot of one version, kept because they are a pure function of it and the engine.

    `summary`: {kind: {"services", "median_min", "max_min", "share_5", "share_10", "share_15"}}.
    `minutes`: {kind: [minutes]} in the order of `keys`, the buildings' keys.
    """

    version = models.OneToOneField(DistrictVersion, on_delete=models.CASCADE, related_name="access")
    engine_version = models.CharField(max_length=60)
    summary = models.JSONField()
    all_within_15 = models.FloatField(null=True)
    keys = models.JSONField()
    minutes = models.JSONField()
    walk_nodes = models.PositiveIntegerField()
    walk_edges = models.PositiveIntegerField()
    walk_kept_share = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "accesses"

    def __str__(self) -> str:
        return f"access of {self.version}"


LAYER_MODELS: dict[str, type[Thing]] = {model.layer: model for model in (Building, Street, Service, Area, People)}
