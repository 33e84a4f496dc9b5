"""Bookings that follow the sun, what machines are planned to draw, and what came of it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labs.models.catalogue import Lab, Machine


class FlexibleBooking(models.Model):
    """“Four hours before Friday”: the system places it, and moves it where the sun is expected to be better, until it
    is fixed `fix_before_min` before its start.

    `booking` holds its time like any other. `placed_start` is where the system put it: a booking that stands elsewhere
    was moved by a person. `first_start` is what first come, first served would have given when it was asked for. The
    person may bound the hours of the day (`from_min` until `until_min`, local), keep a time, or take a move back.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("May still move")
        FIXED = "fixed", _("Fixed")
        ENDED = "ended", _("Over")

    class Fixed(models.TextChoices):
        CLOCK = "clock", _("its start came near")
        KEPT = "kept", _("its person keeps this time")
        MOVED = "moved", _("a person moved it")
        GONE = "gone", _("it was cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    booking = models.OneToOneField("labs.Booking", on_delete=models.CASCADE, related_name="flexible")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="flexible_bookings")
    earliest = models.DateTimeField()
    deadline = models.DateTimeField()
    length_min = models.PositiveIntegerField()
    watts = models.FloatField(null=True, blank=True, help_text=_("what the job draws; the machine's usual without it"))
    from_min = models.PositiveSmallIntegerField(null=True, blank=True)
    until_min = models.PositiveSmallIntegerField(null=True, blank=True)
    fix_before_min = models.PositiveIntegerField(default=720)
    first_start = models.DateTimeField()
    placed_start = models.DateTimeField()
    share = models.FloatField(null=True, blank=True, help_text=_("expected share of local surplus where it stands"))
    share_low = models.FloatField(null=True, blank=True)
    share_high = models.FloatField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    fixed_why = models.CharField(max_length=8, choices=Fixed.choices, blank=True)
    fixed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (
            models.Index(fields=["placed_start"], name="labs_flexible_open", condition=Q(status="open")),
            models.Index(fields=["user", "-created_at"], name="labs_flexible_of_person"),
        )
        constraints = (
            models.CheckConstraint(name="labs_flexible_has_room", condition=Q(deadline__gt=F("earliest"))),
            models.CheckConstraint(name="labs_flexible_share", condition=Q(share=None) | Q(share__gte=0, share__lte=1)),
        )

    def __str__(self) -> str:
        return f"{self.booking} until {self.deadline:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        """Whether the system may still move it."""
        return self.status == self.Status.OPEN


class FlexibleMove(models.Model):
    """A time at which a flexible booking was placed; the first is where it began. Never changed."""

    class Why(models.TextChoices):
        PLACED = "placed", _("first placed here")
        SUN = "sun", _("more sun is expected here")
        BACK = "back", _("its person took the move back")

    flexible = models.ForeignKey(FlexibleBooking, on_delete=models.CASCADE, related_name="moves")
    number = models.PositiveIntegerField()
    start = models.DateTimeField()
    left_start = models.DateTimeField(null=True, blank=True)
    share = models.FloatField(null=True, blank=True)
    left_share = models.FloatField(null=True, blank=True)
    outlook = models.PositiveIntegerField(null=True, blank=True, help_text=_("number of the outlook that it went by"))
    why = models.CharField(max_length=8, choices=Why.choices)
    at = models.DateTimeField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint("flexible", "number", name="labs_flexible_move_once"),)

    def __str__(self) -> str:
        return f"{self.flexible_id} {self.number}"


class FirstAsked(models.Model):
    """When a person first wanted a booking that then took a suggested time instead."""

    booking = models.OneToOneField("labs.Booking", on_delete=models.CASCADE, related_name="first_asked")
    start = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M}"


class PowerProfile(models.Model):
    """What machines of a class draw, phase by phase, or one machine of its own; a new row each time more was learned.

    `miss` is the mean of how far measured jobs were from what the profile before them said, as a share of it.
    """

    cls = models.CharField(max_length=24, choices=Machine.Kind.choices)
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.CASCADE, related_name="power_profiles")
    number = models.PositiveIntegerField()
    jobs = models.PositiveIntegerField(default=0)
    warm_w = models.FloatField()
    warm_min = models.FloatField()
    making_w = models.FloatField()
    idle_w = models.FloatField()
    used = models.FloatField(default=1)
    spread = models.FloatField()
    miss = models.FloatField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint("cls", "machine", "number", nulls_distinct=False, name="labs_power_profile_once"),
        )

    def __str__(self) -> str:
        return f"{self.cls} {self.machine or ''} {self.number}"


class BookingPlan(models.Model):
    """What a booking was planned to take when it began, and what it took by the meter."""

    booking = models.OneToOneField("labs.Booking", on_delete=models.CASCADE, related_name="plan")
    profile = models.ForeignKey(PowerProfile, null=True, on_delete=models.SET_NULL, related_name="plans")
    planned_kwh = models.FloatField()
    measured_kwh = models.FloatField(null=True, blank=True)
    made_at = models.DateTimeField()
    measured_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.booking_id}: {self.planned_kwh:.3f} kWh"


class SunDay(models.Model):
    """How much of a lab's measured kWh of a local day fell on local surplus, and how much the same jobs would have had
    at the times first asked for. Once for a day; made anew while late readings come (`number`).
    """

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="sun_days")
    day = models.DateField()
    jobs = models.PositiveIntegerField()
    moved = models.PositiveIntegerField(default=0, help_text=_("jobs that ran at another time than first asked for"))
    kwh = models.FloatField()
    sun_kwh = models.FloatField()
    first_sun_kwh = models.FloatField()
    exact = models.BooleanField(help_text=_("the neighbourhood's data are of that very day"))
    method = models.CharField(max_length=8)
    number = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ("-day",)
        constraints = (
            models.UniqueConstraint("lab", "day", name="labs_sun_day_once"),
            models.CheckConstraint(
                name="labs_sun_day_parts",
                condition=Q(kwh__gte=0, sun_kwh__gte=0, first_sun_kwh__gte=0, sun_kwh__lte=F("kwh"),
                            first_sun_kwh__lte=F("kwh")),
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.lab} {self.day}"

    @property
    def share(self) -> float | None:
        """Share of the kWh on local surplus."""
        return self.sun_kwh / self.kwh if self.kwh > 0 else None

    @property
    def first_share(self) -> float | None:
        """The same at the times first asked for."""
        return self.first_sun_kwh / self.kwh if self.kwh > 0 else None
