"""Statements: what a month's energy cost each participant. Written once; what was wrong is corrected by another.

PostgreSQL refuses to change or delete them, and every version of a tariff or of the rules that one of them used; the
demonstration alone may go whole.
"""

from django.conf import settings
from django.db import models
from django.utils import timezone

from energy.models.communities import Community
from energy.models.participants import Participant
from energy.models.tariffs import SchemeVersion, TariffVersion


class Settlement(models.Model):
    """One working out of a period for a community, from `first_day` until the day before `until`, local days.

    `inputs` names everything it was made of (revisions of readings and prices, versions, memberships), enough to do it
    again; `inputs_sha256` is of them and of the very values.
    """

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="settlements")
    number = models.PositiveIntegerField()
    first_day = models.DateField()
    until = models.DateField()
    only = models.ForeignKey(Participant, null=True, blank=True, on_delete=models.RESTRICT, related_name="+")
    currency = models.CharField(max_length=8)
    step_minutes = models.PositiveSmallIntegerField()
    steps = models.PositiveIntegerField()
    missing_steps = models.PositiveIntegerField()
    inputs = models.JSONField()
    inputs_sha256 = models.CharField(max_length=64)
    engine_version = models.CharField(max_length=40)
    sums = models.JSONField()
    tariff_versions = models.ManyToManyField(TariffVersion, related_name="settlements")
    scheme_versions = models.ManyToManyField(SchemeVersion, related_name="settlements")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint("community", "number", name="energy_settlement_once"),
            models.CheckConstraint(name="energy_settlement_days", condition=models.Q(until__gt=models.F("first_day"))),
        )

    def __str__(self) -> str:
        return f"{self.community} {self.first_day:%Y-%m} ({self.number})"


class Statement(models.Model):
    """What a participant owes (above zero) or is owed for a period. Energies in kWh; `alone` is what the same energy
    would have cost without the community, with tax; `days` are sums by local day.
    """

    settlement = models.ForeignKey(Settlement, on_delete=models.CASCADE, related_name="statements")
    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="statements")
    participant = models.ForeignKey(Participant, on_delete=models.RESTRICT, related_name="statements")
    number = models.PositiveIntegerField()
    first_day = models.DateField()
    last_day = models.DateField()
    final = models.BooleanField(default=False)
    corrects = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.RESTRICT, related_name="corrected_by"
    )
    payer = models.TextField(help_text="name and address as they stood")
    currency = models.CharField(max_length=8)
    use_kwh = models.DecimalField(max_digits=16, decimal_places=6)
    received_kwh = models.DecimalField(max_digits=16, decimal_places=6)
    feed_in_kwh = models.DecimalField(max_digits=16, decimal_places=6)
    given_kwh = models.DecimalField(max_digits=16, decimal_places=6)
    steps = models.PositiveIntegerField()
    missing_steps = models.PositiveIntegerField()
    gaps = models.JSONField(default=list, help_text="[[local day, steps without a reading], …]")
    net = models.DecimalField(max_digits=14, decimal_places=2)
    taxes = models.JSONField(help_text="[[rate in per cent, amount], …] as decimals in text")
    gross = models.DecimalField(max_digits=14, decimal_places=2)
    alone = models.DecimalField(max_digits=14, decimal_places=2)
    days = models.JSONField(default=list)
    issued_at = models.DateTimeField(default=timezone.now)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-first_day", "-number")
        constraints = (
            models.UniqueConstraint("community", "number", name="energy_statement_once"),
            models.UniqueConstraint("settlement", "participant", name="energy_statement_of_settlement_once"),
        )
        indexes = (models.Index(fields=["participant", "-first_day"], name="energy_statement_of"),)

    def __str__(self) -> str:
        return f"{self.participant} {self.first_day:%Y-%m} ({self.number})"


class StatementLine(models.Model):
    """A line: `exact` as reckoned, `amount` in cents; without tax; below zero is paid to the participant."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=20)
    first_day = models.DateField()
    last_day = models.DateField()
    kwh = models.DecimalField(max_digits=16, decimal_places=6)
    days = models.PositiveSmallIntegerField(default=0)
    rate = models.DecimalField(max_digits=16, decimal_places=6, null=True)
    tax_pct = models.DecimalField(max_digits=5, decimal_places=2)
    exact = models.DecimalField(max_digits=30, decimal_places=12)
    amount = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        ordering = ("statement", "position")
        constraints = (models.UniqueConstraint("statement", "position", name="energy_statement_line_once"),)

    def __str__(self) -> str:
        return f"{self.statement}: {self.code}"


class MarketView(models.Model):
    """What tariffs, feeding in, flexibility and sharing would have been worth to a participant, as a run found."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="market_views")
    run = models.OneToOneField("runs.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    first_day = models.DateField()
    until = models.DateField()
    currency = models.CharField(max_length=8)
    result = models.JSONField()
    engine_version = models.CharField(max_length=40)
    made_at = models.DateTimeField(default=timezone.now)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-made_at",)

    def __str__(self) -> str:
        return f"{self.participant} {self.first_day}"
