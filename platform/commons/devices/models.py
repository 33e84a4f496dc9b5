"""Devices, the codes that enrol them, and what is kept of their readings.

The readings themselves stand in `devices_reading`, a table partitioned by day that the ORM does not see
(migration 0001, `services.partitions`): 68 bytes a row go in by COPY BINARY and come out as arrays.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import NullIf
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commons.devices.fields import RangesField

QUARTER_S, HOUR_S = 900, 3600
HEARTBEAT = "heartbeat"
"""The kind of the city's own device."""


class Device(models.Model):
    """Something that reports: a meter, a machine's agent, a plug, or the city's own heartbeat.

    `number` is its short name in the readings. `seen` holds the sequence numbers that are committed or
    rejected; it is read and written under the row's lock, so each (device, seq) is stored once whatever its
    time stamp. `counter_wraps_wh`: the reading at which its energy counter starts over at zero, e.g.
    4294967295 / 60 for a 32-bit counter of watt-minutes; null when it is not known, and every step back is
    then a reset. `mqtt_hash`: its token as the broker's password file wants it; the token itself is nowhere.
    `link`: what it or, by its last will, the broker said of its connection over MQTT, and since when.
    """

    class Link(models.TextChoices):
        """Whether it is connected over MQTT."""

        ONLINE = "online", _("Online")
        OFFLINE = "offline", _("Offline")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.IntegerField(
        unique=True,
        editable=False,
        db_default=models.Func(
            models.Value("devices_device_number"), function="nextval", output_field=models.IntegerField()
        ),
    )
    kind = models.CharField(max_length=40)
    hardware_id = models.CharField(max_length=120, blank=True)
    name = models.CharField(max_length=120)
    place = models.ForeignKey("places.Place", null=True, blank=True, on_delete=models.SET_NULL, related_name="devices")
    organisation = models.ForeignKey(
        "people.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="devices"
    )
    public = models.BooleanField(default=False, help_text=_("Anyone may read what it reports"))
    counter_wraps_wh = models.FloatField(null=True, blank=True)
    token_sha256 = models.BinaryField(max_length=32, unique=True, null=True, editable=False)
    mqtt_hash = models.CharField(max_length=160, blank=True, editable=False)
    link = models.CharField(max_length=8, choices=Link.choices, blank=True, editable=False)
    link_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    enrolled_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    seen = RangesField(default=tuple, editable=False)
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind"], name="devices_one_heartbeat", condition=models.Q(kind=HEARTBEAT)),
            models.CheckConstraint(
                name="devices_counter_wraps_above_zero",
                condition=models.Q(counter_wraps_wh=None) | models.Q(counter_wraps_wh__gt=0),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Enrolled and not revoked."""
        return self.enrolled_at is not None and self.revoked_at is None


class EnrolmentCode(models.Model):
    """A code that lets a device in once, for ten minutes; only its SHA-256 is kept."""

    sha256 = models.BinaryField(max_length=32, unique=True, editable=False)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="enrolment_codes")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"code for {self.device}"


class Command(models.Model):
    """Something that a person asks of a device through its agent; the row stays: who asked, and what came of it.

    It is given to the agent until it is answered or `expires_at` is past. `about` says in its room's own words what it
    is for (labs: the booking), `source` from where the room takes the file of a `send`; neither is told to the device.
    """

    class Kind(models.TextChoices):
        SEND = "send", _("Send a file")
        START = "start", _("Start")
        PAUSE = "pause", _("Pause")
        RESUME = "resume", _("Go on")
        CANCEL = "cancel", _("Stop")
        RELAY = "relay", _("Switch a relay")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for the agent")
        TAKEN = "taken", _("Is being carried out")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        EXPIRED = "expired", _("Came to nothing")

    #: Those that the agent has not answered.
    OPEN = (State.WAITING, State.TAKEN)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    body = models.JSONField(default=dict)
    about = models.CharField(max_length=64, blank=True)
    source = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    sentence = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["device", "expires_at"],
                name="devices_command_open",
                condition=models.Q(state__in=["waiting", "taken"]),
            ),
            models.Index(fields=["about", "-asked_at"], name="devices_command_about"),
        )

    def __str__(self) -> str:
        return f"{self.device}: {self.kind}"

    @property
    def now(self) -> "Command.State":
        """Its state; an open one whose time is past has come to nothing."""
        late = self.state in self.OPEN and self.expires_at <= timezone.now()
        return self.State.EXPIRED if late else self.State(self.state)

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come in time."""
        return self.now in self.OPEN


class Channel(models.Model):
    """A channel `x_…`, added when a device first uses it; the fixed ones stand in `channels.py`."""

    id = models.SmallAutoField(primary_key=True)
    slug = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.slug


class LastValue(models.Model):
    """The newest reading of a device on a channel, by (ts, seq); wrong clocks never come here."""

    pk = models.CompositePrimaryKey("device_id", "channel")
    device = models.ForeignKey(
        Device, to_field="number", on_delete=models.CASCADE, related_name="last_values", db_index=False
    )
    channel = models.SmallIntegerField()
    seq = models.BigIntegerField()
    ts = models.DateTimeField()
    value = models.FloatField()

    def __str__(self) -> str:
        return f"{self.channel}: {self.value}"


class Rollup(models.Model):
    """A quarter or a whole hour of one channel, made of its readings alone: the same set gives the same row.

    `energy_wh` on `power_w` is its integral, on `energy_wh_total` the counter's advance, elsewhere null.
    `covered_s`: seconds of it whose energy is known; `dense_s`: seconds between readings at most five minutes
    apart, so that the difference is what a counter bridged. `count` 0: no reading in it, only a bridge over
    it.
    """

    pk = models.CompositePrimaryKey("device_id", "channel", "step_s", "start")
    device = models.ForeignKey(
        Device, to_field="number", on_delete=models.CASCADE, related_name="rollups", db_index=False
    )
    channel = models.SmallIntegerField()
    step_s = models.SmallIntegerField(choices=((QUARTER_S, _("Quarter of an hour")), (HOUR_S, _("Hour"))))
    start = models.DateTimeField()
    count = models.IntegerField()
    total = models.FloatField(help_text=_("Sum of the values, added in the order of time"))
    mean = models.GeneratedField(
        expression=models.F("total") / NullIf(models.F("count"), models.Value(0)),
        output_field=models.FloatField(null=True),
        db_persist=True,
    )
    min = models.FloatField(null=True)
    max = models.FloatField(null=True)
    energy_wh = models.FloatField(null=True)
    covered_s = models.FloatField(default=0.0)
    dense_s = models.FloatField(default=0.0)

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} +{self.step_s} s"


class Retention(models.Model):
    """How long readings of one kind are kept, and until when they are gone.

    Raw readings for `raw_days`, quarters of an hour for `quarter_days`, hours for ever. `closed_until` is a UTC
    midnight: raw readings before it are gone, `quarters_until` the same of quarters.
    """

    class Kind(models.TextChoices):
        """What energy may be read from a channel."""

        POWER = "power", _("Power")
        COUNTER = "counter", _("Energy counters")
        PLAIN = "plain", _("Everything else")

    kind = models.CharField(primary_key=True, max_length=8, choices=Kind.choices)
    raw_days = models.PositiveIntegerField(default=90)
    quarter_days = models.PositiveIntegerField(default=800)
    closed_until = models.DateTimeField(null=True, editable=False)
    quarters_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(name="devices_retention_raw", condition=models.Q(raw_days__gte=7)),
            models.CheckConstraint(
                name="devices_retention_quarters", condition=models.Q(quarter_days__gte=models.F("raw_days"))
            ),
        )

    def __str__(self) -> str:
        return self.kind


class Stretch(models.Model):
    """A time in which a device reported without a gap, kept of closed days: its first and its last reading.

    All that is needed to add late readings rightly: what lies between stretches is where they can change energy.
    """

    device = models.ForeignKey(
        Device, to_field="number", on_delete=models.CASCADE, related_name="stretches", db_index=False
    )
    channel = models.SmallIntegerField()
    start = models.DateTimeField()
    start_seq = models.BigIntegerField()
    start_value = models.FloatField()
    end = models.DateTimeField()
    end_seq = models.BigIntegerField()
    end_value = models.FloatField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["device", "channel", "start", "start_seq"], name="devices_stretch_start"),
            models.CheckConstraint(name="devices_stretch_forward", condition=models.Q(end__gte=models.F("start"))),
        )

    def __str__(self) -> str:
        return f"{self.channel}: {self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}"
