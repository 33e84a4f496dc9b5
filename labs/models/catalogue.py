"""Labs, their machines, and the badges that a machine asks for."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commons.places.models import Place


class Lab(models.Model):
    """A workshop that people can use. Its slug is the handle of the organisation that runs it.

    `opening_hours` is {"mon": [["09:00", "21:00"]], …} in the lab's own time; an empty object means always
    open; days that differ are `OpeningException`s. `house_rules` are its rules in plain words. `okw` holds what an
    imported Open Know-Where document said besides, so that it leaves with the lab again.
    """

    class Access(models.TextChoices):
        PUBLIC = "public", _("Anybody may use it")
        MEMBERSHIP = "membership", _("Members may use it; anybody can become one")
        SHARED = "shared", _("Shared by those who rent a place in it")
        HOURS = "restricted-public-hours", _("Its own people, and the public at some hours")
        RESTRICTED = "restricted", _("Its own people alone")

    class Status(models.TextChoices):
        ACTIVE = "active", _("Open")
        PLANNED = "planned", _("Planned")
        PAUSED = "temporary-closure", _("Closed for a while")
        CLOSED = "closed", _("Closed for good")

    organisation = models.OneToOneField("people.Organisation", on_delete=models.CASCADE, related_name="lab")
    slug = models.SlugField(max_length=39, unique=True)
    name = models.CharField(max_length=120)
    about = models.TextField(blank=True)
    address = models.CharField(max_length=200, blank=True)
    lat = models.FloatField(null=True, blank=True)
    lon = models.FloatField(null=True, blank=True)
    place = models.ForeignKey("places.Place", null=True, blank=True, on_delete=models.SET_NULL, related_name="labs")
    opening_hours = models.JSONField(default=dict, blank=True)
    access = models.CharField(max_length=24, choices=Access.choices, default=Access.PUBLIC)
    status = models.CharField(max_length=18, choices=Status.choices, default=Status.ACTIVE)
    house_rules = models.TextField(blank=True)
    directions = models.TextField(blank=True)
    wheelchair = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    website = models.URLField(blank=True)
    languages = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    takes_orders = models.BooleanField(default=True)
    okw = models.JSONField(default=dict, blank=True)
    open_bookings_max = models.PositiveSmallIntegerField(default=20)
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The lab's time zone: its neighbourhood's, else the city's that runs the site, else UTC."""
        place = self.place or Place.objects.order_by("pk").first()
        return ZoneInfo(place.timezone if place else "UTC")


class Badge(models.Model):
    """What a person has learned, such as “Laser cutter”. `lab` is None when it is no lab's own.

    Whether a lab believes it is the lab's rule (`TrustPolicy`, `TrustRule`).
    """

    class Kind(models.TextChoices):
        SAFETY = "safety", _("Safety")
        COMPETENCY = "competency", _("Competency")
        OPTIONAL = "optional", _("Optional")

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    about = models.TextField(blank=True)
    lab = models.ForeignKey(Lab, null=True, blank=True, on_delete=models.CASCADE, related_name="badges")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.COMPETENCY)
    valid_months = models.PositiveSmallIntegerField(null=True, blank=True)
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class BadgeGrant(models.Model):
    """A badge that a trainer gave a person; it may expire or be taken back, and is never rewritten.

    `given_in` is the lab that answers for it; None is the site itself, which every lab believes, unless `outside`
    names the credential of another site that it came from.
    """

    badge = models.ForeignKey(Badge, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="badge_grants")
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    given_in = models.ForeignKey(Lab, null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    outside = models.ForeignKey(
        "labs.OutsideBadge", null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    evidence = models.CharField(max_length=200, blank=True)
    granted_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["user", "badge"], name="labs_grant_of_person"),)

    def __str__(self) -> str:
        return f"{self.badge} · {self.user}"

    def is_good(self, at: dt.datetime) -> bool:
        """Neither taken back nor expired at that time."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)


class Machine(models.Model):
    """A machine of a lab. Its working volume is x, y, z in mm; a flat machine has no z.

    `unattended` machines may work while the lab is closed, so they can be booked at any hour. `takes_commands`: files
    may be sent to it and it may be steered from its booking's page, where its agent is allowed to. `tolerance_mm` is
    by how much a made size may differ from the drawn one, either way. `okw` as with the lab.
    """

    class Kind(models.TextChoices):
        PRINTER = "3d-printer", _("3D printer")
        RESIN = "resin-printer", _("Resin printer")
        LASER = "laser-cutter", _("Laser cutter")
        ROUTER = "cnc-router", _("CNC router")
        MILL = "cnc-mill", _("CNC mill")
        LATHE = "lathe", _("Lathe")
        VINYL = "vinyl-cutter", _("Vinyl cutter")
        PCB = "pcb-mill", _("Circuit board mill")
        PLACER = "pick-and-place", _("Pick and place machine")
        SEWING = "sewing-machine", _("Sewing machine")
        EMBROIDERY = "embroidery-machine", _("Embroidery machine")
        TEXTILE = "textile-machine", _("Textile machine")
        SCANNER = "3d-scanner", _("3D scanner")
        BENCH = "electronics-bench", _("Electronics bench")
        TOOLS = "hand-tools", _("Hand tools")
        OTHER = "other", _("Other machine")

    class Process(models.TextChoices):
        FFF = "fff", _("filament printing")
        SLA = "sla", _("resin printing")
        LASER = "laser-cutting", _("laser cutting")
        MILLING = "milling", _("milling")
        TURNING = "turning", _("turning")
        KNIFE = "knife-cutting", _("knife cutting")
        PCB = "pcb-milling", _("circuit board milling")
        ASSEMBLY = "pcb-assembly", _("circuit board assembly")
        SEWING = "sewing", _("sewing")
        EMBROIDERY = "embroidery", _("embroidery")
        TEXTILE = "textile-work", _("textile work")
        SCANNING = "scanning", _("scanning")
        HAND = "hand-work", _("hand work")

    class State(models.TextChoices):
        OK = "ok", _("In order")
        REPAIR = "repair", _("In repair")

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="machines")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    cls = models.CharField(_("class"), max_length=24, choices=Kind.choices)
    process = models.CharField(max_length=24, choices=Process.choices)
    maker = models.CharField(max_length=120, blank=True)
    model = models.CharField(max_length=120, blank=True)
    about = models.TextField(blank=True)
    rated_w = models.PositiveIntegerField(null=True, blank=True)
    volume_x_mm = models.FloatField(null=True, blank=True)
    volume_y_mm = models.FloatField(null=True, blank=True)
    volume_z_mm = models.FloatField(null=True, blank=True)
    tolerance_mm = models.FloatField(null=True, blank=True)
    materials = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    circuit = models.ForeignKey(
        "labs.Circuit", null=True, blank=True, on_delete=models.SET_NULL, related_name="machines"
    )
    okw = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OK)
    state_note = models.CharField(max_length=200, blank=True)
    back_on = models.DateField(null=True, blank=True)
    required_badges = models.ManyToManyField(Badge, blank=True, related_name="machines")
    buffer_before_min = models.PositiveSmallIntegerField(default=0)
    buffer_after_min = models.PositiveSmallIntegerField(default=0)
    longest_h = models.PositiveSmallIntegerField(default=24)
    unattended = models.BooleanField(default=False)
    takes_commands = models.BooleanField(default=False)
    device = models.OneToOneField(
        "devices.Device", null=True, blank=True, on_delete=models.SET_NULL, related_name="machine"
    )
    photo = models.FileField(upload_to="labs/machines/", null=True, blank=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint("lab", "slug", name="labs_machine_once_in_lab"),)

    def __str__(self) -> str:
        return self.name

    @property
    def volume_mm(self) -> tuple[float, float, float | None] | None:
        """Width, depth and height in mm that fit into the machine; None when nobody has said."""
        if self.volume_x_mm is None or self.volume_y_mm is None:
            return None
        return (self.volume_x_mm, self.volume_y_mm, self.volume_z_mm)
