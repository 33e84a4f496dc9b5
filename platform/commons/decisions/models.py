"""Bodies and their charters, what they decide, and the values that hold because of it.

`PolicyValue` is added to and never changed (a trigger sees to it): of a kind and a scope, the value with the latest
`valid_from` that is not in the future holds, so there is exactly one at any time.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commons.decisions import charter


class Body(models.Model):
    """Who decides: something of a room that has members. `kind` and `key` name it (`sockets.DecidingBody`)."""

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now)
    demo = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "bodies"
        constraints = (models.UniqueConstraint("kind", "key", name="decisions_body_once"),)

    def __str__(self) -> str:
        return self.scope

    @property
    def scope(self) -> str:
        """Its name among all bodies."""
        return f"{self.kind}:{self.key}"


class CharterVersion(models.Model):
    """The rules of a body from a moment on."""

    body = models.ForeignKey(Body, on_delete=models.CASCADE, related_name="charters")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    valid_from = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey("Motion", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint("body", "number", name="decisions_charter_once"),)

    def __str__(self) -> str:
        return f"{self.body} ({self.number})"

    @property
    def rules(self) -> charter.Charter:
        """Read."""
        return charter.read(self.document)


class Motion(models.Model):
    """A proposal that a body decides, by the charter that held when it was made. `number` of a page is the key."""

    class State(models.TextChoices):
        TALK = "talk", _("talked over")
        OPEN = "open", _("voting is open")
        OBJECTIONS = "objections", _("passed, objections possible")
        PASSED = "passed", _("passed, not yet in force")
        ENACTED = "enacted", _("in force")
        KEPT = "kept", _("stays as it is")
        STOPPED = "stopped", _("stopped")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Method(models.TextChoices):
        CONSENT = "consent", _("consent")
        MAJORITY = "majority", _("majority")
        APPROVAL = "approval", _("approval")
        CONDORCET = "condorcet", _("ranking")
        SHARES = "shares", _("budget by equal shares")

    body = models.ForeignKey(Body, on_delete=models.CASCADE, related_name="motions")
    charter = models.ForeignKey(CharterVersion, on_delete=models.PROTECT, related_name="motions")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="motions")
    title = models.CharField(max_length=160)
    text = models.TextField(max_length=20_000)
    effect = models.CharField(max_length=60, blank=True)
    method = models.CharField(max_length=12, choices=Method.choices)
    budget = models.PositiveBigIntegerField(null=True, blank=True)
    secret = models.BooleanField(default=False)
    signing_key = models.TextField(blank=True, help_text=_("signs tokens of a secret vote; sealed"))
    state = models.CharField(max_length=12, choices=State.choices, default=State.TALK)
    created_at = models.DateTimeField(default=timezone.now)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    objections_until = models.DateTimeField(null=True, blank=True)
    takes_effect_at = models.DateTimeField(null=True, blank=True)
    roll_sha256 = models.CharField(max_length=64, blank=True)
    eligible = models.PositiveIntegerField(null=True, blank=True)
    ballots = models.BinaryField(null=True, blank=True)
    outcome = models.JSONField(null=True, blank=True)
    why = models.CharField(max_length=500, blank=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(name="decisions_motion_times", condition=Q(closes_at__gt=models.F("opens_at"))),
        )
        indexes = (models.Index(fields=["state", "opens_at"], name="decisions_motion_due"),)

    def __str__(self) -> str:
        return self.title

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is still to come."""
        return self.state in (self.State.ENACTED, self.State.KEPT, self.State.STOPPED, self.State.WITHDRAWN)


class Option(models.Model):
    """What can be chosen. Position 0 is “as it is” and sets nothing."""

    motion = models.ForeignKey(Motion, on_delete=models.CASCADE, related_name="options")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=160)
    text = models.TextField(max_length=4_000, blank=True)
    value: Any = models.JSONField(null=True, blank=True)
    cost = models.PositiveBigIntegerField(null=True, blank=True)
    reckoned = models.JSONField(null=True, blank=True, help_text=_("what its room says that it would mean"))

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint("motion", "position", name="decisions_option_once"),)

    def __str__(self) -> str:
        return self.title

    @property
    def name(self) -> str:
        """As ballots call it."""
        return str(self.position)


class RollEntry(models.Model):
    """Who may vote: frozen when the vote opens."""

    motion = models.ForeignKey(Motion, on_delete=models.CASCADE, related_name="roll")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    blinded_sha256 = models.CharField(
        max_length=64, blank=True, help_text=_("of the one blinded token that was signed")
    )

    class Meta:
        verbose_name_plural = "roll entries"
        constraints = (models.UniqueConstraint("motion", "person", name="decisions_roll_once"),)

    def __str__(self) -> str:
        return f"{self.person} on {self.motion}"


class Ballot(models.Model):
    """An open vote: a roll call. A later one of the same person takes its place until the vote closes."""

    entry = models.OneToOneField(RollEntry, on_delete=models.CASCADE, related_name="ballot")
    choice: Any = models.JSONField()
    reason = models.TextField(max_length=2_000, blank=True)
    through = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text=_("who voted for them, as they had asked"),
    )  # fmt: skip
    cast_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.choice)


class Delegation(models.Model):
    """That a person lets another vote for them in open ballots of a body where they do not vote themselves. Kept when
    it ends. One at a time, and never in a chain: who votes for others votes with the own hand.
    """

    body = models.ForeignKey(Body, on_delete=models.CASCADE, related_name="delegations")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="delegations")
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="delegated_to_me")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("body", "person", name="decisions_delegation_once", condition=Q(ended_at=None)),
            models.CheckConstraint(name="decisions_delegation_to_another", condition=~Q(person=models.F("to"))),
        )

    def __str__(self) -> str:
        return f"{self.person} → {self.to}"


class SecretBallot(models.Model):
    """A vote that belongs to nobody: no number, no time, no key to anything but its motion. `token_sha256` is of the
    token that the voter alone has; a later ballot of the same token takes its place until the vote closes.
    """

    token_sha256 = models.CharField(max_length=64, primary_key=True)
    motion = models.ForeignKey(Motion, on_delete=models.CASCADE, related_name="secret_ballots", db_index=False)
    choice: Any = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint("motion", "token_sha256", name="decisions_secret_of_motion"),)

    def __str__(self) -> str:
        return self.token_sha256[:12]


class PolicyValue(models.Model):
    """A value that holds from a moment on: the only place from which the city reads what may be decided."""

    kind = models.CharField(max_length=60)
    scope = models.CharField(max_length=170)
    value: Any = models.JSONField()
    valid_from = models.DateTimeField()
    decided_by = models.ForeignKey(Motion, null=True, blank=True, on_delete=models.PROTECT, related_name="values")
    created_at = models.DateTimeField(default=timezone.now)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("kind", "scope", "-valid_from")
        constraints = (
            models.UniqueConstraint("kind", "scope", "valid_from", name="decisions_value_one_at_a_time"),
            models.UniqueConstraint("decided_by", name="decisions_value_once", condition=Q(decided_by__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.scope} from {self.valid_from:%Y-%m-%d}"


class Enactment(models.Model):
    """That a decision came into force: what held before, what holds since, and later what it did."""

    motion = models.OneToOneField(Motion, on_delete=models.CASCADE, related_name="enactment")
    before = models.JSONField()
    after = models.JSONField()
    effective_at = models.DateTimeField()
    applied_at = models.DateTimeField(default=timezone.now)
    promised = models.JSONField(null=True, blank=True, help_text=_("the figures that stood on the ballot"))
    measured = models.JSONField(null=True, blank=True, help_text=_("the same figures over the time since"))
    measured_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.motion)
