"""Who belongs to a community, how they were asked in, and what they own.

A `Participant` is a household, lab, business or public building with its meters; a `Member` is a row of imported data.
"""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from energy.models.communities import Community, Member


class Participant(models.Model):
    """A home, lab, business or public building that belongs to a community from `joined_on` until the day before
    `left_on`, local days of the community.

    `person` speaks for it; `viewers` and, where `stewards_see` says so, the stewards may see its 15-minute data too.
    `address` is for letters alone and goes when they leave.
    """

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="participants")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=Member.Kind.choices, default=Member.Kind.HOME)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="participants"
    )
    organisation = models.ForeignKey(
        "people.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="participants"
    )
    address = models.TextField(blank=True, max_length=400)
    joined_on = models.DateField()
    left_on = models.DateField(null=True, blank=True, help_text=_("the first day on which they no longer belong"))
    viewers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="energy_views")
    stewards_see = models.BooleanField(default=False, help_text=_("stewards may see its curves, not only monthly sums"))
    created_at = models.DateTimeField(default=timezone.now)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("joined_on", "pk")
        constraints = (
            models.CheckConstraint(
                name="energy_participant_days", condition=Q(left_on=None) | Q(left_on__gte=F("joined_on"))
            ),
            models.UniqueConstraint(
                "community",
                "person",
                name="energy_participant_person_once",
                condition=Q(kind="home", left_on=None, person__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def belongs(self, day: dt.date) -> bool:
        """Whether they belong on a local day."""
        return self.joined_on <= day and (self.left_on is None or day < self.left_on)


class Invitation(models.Model):
    """A word to somebody that they may join, by e-mail or on paper; only the SHA-256 of its code is kept."""

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="invitations")
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    kind = models.CharField(max_length=16, choices=Member.Kind.choices, default=Member.Kind.HOME)
    sha256 = models.BinaryField(max_length=32, unique=True, editable=False)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    participant = models.OneToOneField(
        Participant, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitation"
    )

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name or self.email or f"invitation {self.pk}"

    def is_open(self, at: dt.datetime | None = None) -> bool:
        """Neither used, taken back nor past its time."""
        return self.used_at is None and self.revoked_at is None and self.expires_at > (at or timezone.now())


class Asset(models.Model):
    """Something that makes, stores or takes much: a solar roof, a battery, a vehicle, a heat pump; there from `since`
    until the day before `until`.

    Which columns count depends on the kind; what is empty has the default of `services.assets`. `azimuth_deg` is
    clockwise from north; `efficiency` of a battery is its round trip, of a vehicle one way; minutes are local.
    """

    class Kind(models.TextChoices):
        SOLAR = "solar", _("Solar roof")
        BATTERY = "battery", _("Battery")
        VEHICLE = "vehicle", _("Electric car")
        HEAT_PUMP = "heat_pump", _("Heat pump")

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="assets")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=80, blank=True)
    kwp = models.FloatField(null=True, blank=True)
    tilt_deg = models.FloatField(null=True, blank=True)
    azimuth_deg = models.FloatField(null=True, blank=True)
    kwh = models.FloatField(null=True, blank=True)
    kw = models.FloatField(null=True, blank=True)
    efficiency = models.FloatField(null=True, blank=True)
    kwh_per_day = models.FloatField(null=True, blank=True)
    away_from_min = models.PositiveSmallIntegerField(null=True, blank=True)
    away_until_min = models.PositiveSmallIntegerField(null=True, blank=True)
    v2g = models.BooleanField(default=False)
    since = models.DateField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name or str(self.get_kind_display())
