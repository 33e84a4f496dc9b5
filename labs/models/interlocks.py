"""Interlocks: the relay through which a machine gets its power, and every word that was said to it."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Interlock(models.Model):
    """The relay of one machine, how it is spoken to, and what it said last.

    `asked` is the booking for which its person asked for power; it is emptied whenever power ends or is lost, so that
    none comes back by itself. `hold_s` is the time after which the relay opens by its own timer unless it is told
    again; `grace_s` is left after a booking, to park and cool down. The password is kept sealed.
    """

    class Driver(models.TextChoices):
        NONE = "none", _("No relay: only the record")
        SHELLY = "shelly", _("Shelly, second generation or later")
        TASMOTA = "tasmota", _("Tasmota over HTTP")
        MQTT = "mqtt", _("Over an MQTT broker")
        MODBUS = "modbus", _("Modbus TCP")

    class State(models.TextChoices):
        OFF = "off", _("Power is off")
        ON = "on", _("Power is on")
        FAULT = "fault", _("The relay does not do as it is told")

    machine = models.OneToOneField("labs.Machine", on_delete=models.CASCADE, related_name="interlock")
    driver = models.CharField(max_length=8, choices=Driver.choices)
    url = models.CharField(max_length=200, blank=True)
    username = models.CharField(max_length=64, blank=True)
    sealed = models.TextField(blank=True)
    options = models.JSONField(default=dict, blank=True)
    hold_s = models.PositiveIntegerField(default=180, validators=[MinValueValidator(60), MaxValueValidator(3600)])
    grace_s = models.PositiveIntegerField(default=60, validators=[MaxValueValidator(1800)])
    in_use = models.BooleanField(default=True)
    locked = models.BooleanField(default=False)
    locked_reason = models.CharField(max_length=200, blank=True)
    asked = models.UUIDField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OFF)
    valid_until = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    trouble = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="labs_interlock_hold", condition=models.Q(hold_s__range=(60, 3600))),
            models.CheckConstraint(name="labs_interlock_grace", condition=models.Q(grace_s__lte=1800)),
        )

    def __str__(self) -> str:
        return f"{self.machine}: {self.get_driver_display()}"


class InterlockCommand(models.Model):
    """One word to a relay, or deed to its interlock, and what came of it: never changed, never deleted."""

    class What(models.TextChoices):
        ON = "on", _("Power on")
        HOLD = "hold", _("Power stays on")
        OFF = "off", _("Power off")
        READ = "read", _("Asked")
        WANTED = "wanted", _("Somebody asked for power")
        LOCKED = "locked", _("Locked out")
        FREED = "freed", _("Lock taken off")
        SET = "set", _("Set up")
        REMOVED = "removed", _("Taken away")
        LENT = "lent", _("Power lent to mend it")
        ENDED = "ended", _("Mending ended")

    class Answer(models.TextChoices):
        ON = "on", _("it is on")
        OFF = "off", _("it is off")
        SILENT = "silent", _("no answer")
        REFUSED = "refused", _("another answer than was asked for")
        NOTED = "", _("noted")

    machine = models.ForeignKey("labs.Machine", on_delete=models.CASCADE, related_name="interlock_commands")
    at = models.DateTimeField(default=timezone.now)
    what = models.CharField(max_length=8, choices=What.choices)
    why = models.CharField(max_length=16, blank=True)
    answer = models.CharField(max_length=8, choices=Answer.choices, blank=True)
    sentence = models.CharField(max_length=300, blank=True)
    driver = models.CharField(max_length=8, choices=Interlock.Driver.choices)
    for_s = models.PositiveIntegerField(default=0)
    took_ms = models.PositiveIntegerField(default=0)
    booking = models.UUIDField(null=True, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=["machine", "-at"], name="labs_command_of_machine"),)

    def __str__(self) -> str:
        return f"{self.machine} {self.what} {self.at:%Y-%m-%d %H:%M:%S}"
