"""What energy costs and by which rule the surplus is shared: dated versions, which stay as they are once used.

Prices are in the tariff's currency, without tax. A version holds from its local day until the next one's.
"""

import datetime as dt
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from energy.models.communities import Community
from energy.models.participants import Participant

PER_CENT = (MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100)))


class PriceList(models.Model):
    """Prices of an exchange that change by the hour or quarter, from a file or from a feed that is asked each hour."""

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="price_lists")
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=8, default="EUR")
    feed = models.URLField(max_length=400, blank=True, help_text=_("https; a CSV or JSON with times and prices"))
    per_mwh = models.BooleanField(default=True, help_text=_("the feed's prices are for a MWh, not for a kWh"))
    asked_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("name", "pk")
        constraints = (models.UniqueConstraint("community", "name", name="energy_price_list_once"),)

    def __str__(self) -> str:
        return self.name


class PriceDay(models.Model):
    """The prices of one day of UTC, packed (`energy.series`), currency a kWh; NaN where the source had none. A change
    makes a new `revision`; older ones stay for the statements that were made of them.
    """

    prices = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    step_minutes = models.PositiveSmallIntegerField()
    packed = models.BinaryField()
    missing = models.PositiveSmallIntegerField()
    revision = models.PositiveIntegerField(default=1)
    current = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("prices", "day", "revision")
        constraints = (
            models.UniqueConstraint("prices", "day", "revision", name="energy_price_day_revision"),
            models.UniqueConstraint("prices", "day", name="energy_price_day_current", condition=Q(current=True)),
            models.CheckConstraint(name="energy_price_day_step", condition=Q(step_minutes__in=[15, 30, 60])),
        )

    def __str__(self) -> str:
        return f"{self.prices} {self.day} ({self.revision})"


class Tariff(models.Model):
    """What a supplier and the grid ask for. The `usual` one of a community holds for who has chosen no other."""

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="tariffs")
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=8, default="EUR")
    usual = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-usual", "name")
        constraints = (
            models.UniqueConstraint("community", "name", name="energy_tariff_once"),
            models.UniqueConstraint("community", name="energy_tariff_usual_once", condition=Q(usual=True)),
        )

    def __str__(self) -> str:
        return self.name


class Dated(models.Model):
    """A version that holds from a local day on, and who decided it: words, and a link where there is a page of it."""

    number = models.PositiveIntegerField()
    valid_from = models.DateField()
    decided_by = models.CharField(max_length=200, blank=True)
    decided_url = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True


class TariffVersion(Dated):
    """Components of a tariff, for a kWh but for `base_fee` (a month). With `price_list` the energy costs what the list
    says in the step plus `markup`, and `energy_price` where the list has no price; with `feed_in_listed` feeding in
    earns the list's price less `feed_in_less`, and `feed_in_price` where it has none.
    """

    tariff = models.ForeignKey(Tariff, on_delete=models.CASCADE, related_name="versions")
    energy_price = models.DecimalField(max_digits=10, decimal_places=6)
    price_list = models.ForeignKey(
        PriceList, null=True, blank=True, on_delete=models.RESTRICT, related_name="tariff_versions"
    )
    markup = models.DecimalField(max_digits=10, decimal_places=6, default=0)
    grid_fee = models.DecimalField(max_digits=10, decimal_places=6, default=0, validators=[MinValueValidator(0)])
    levies = models.DecimalField(max_digits=10, decimal_places=6, default=0, validators=[MinValueValidator(0)])
    base_fee = models.DecimalField(max_digits=10, decimal_places=2, default=0, validators=[MinValueValidator(0)])
    tax_pct = models.DecimalField(max_digits=5, decimal_places=2, default=0, validators=PER_CENT)
    feed_in_price = models.DecimalField(max_digits=10, decimal_places=6, default=0)
    feed_in_listed = models.BooleanField(default=False)
    feed_in_less = models.DecimalField(max_digits=10, decimal_places=6, default=0)

    class Meta:
        ordering = ("-valid_from",)
        constraints = (
            models.UniqueConstraint("tariff", "number", name="energy_tariff_version_once"),
            models.UniqueConstraint("tariff", "valid_from", name="energy_tariff_day_once"),
            models.CheckConstraint(
                name="energy_tariff_sense",
                condition=Q(grid_fee__gte=0, levies__gte=0, base_fee__gte=0, tax_pct__gte=0, tax_pct__lte=100),
            ),
        )

    def __str__(self) -> str:
        return f"{self.tariff} ({self.number})"


class TariffChoice(models.Model):
    """The tariff of a participant from a local day on, where it is not the usual one."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="tariff_choices")
    tariff = models.ForeignKey(Tariff, on_delete=models.RESTRICT, related_name="choices")
    since = models.DateField()

    class Meta:
        ordering = ("participant", "-since")
        constraints = (models.UniqueConstraint("participant", "since", name="energy_tariff_choice_once"),)

    def __str__(self) -> str:
        return f"{self.participant}: {self.tariff}"


class SharingScheme(models.Model):
    """The rules by which a community shares its surplus, in dated versions."""

    community = models.OneToOneField(Community, on_delete=models.CASCADE, related_name="sharing_scheme")
    created_at = models.DateTimeField(default=timezone.now)
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return str(self.community)


class SchemeVersion(Dated):
    """One set of rules. `law` names the frame they stand in (`energy.schemes`); `shares` are parts of the surplus by
    participant, as decimals in text, for a static key; `price` is what a shared kWh costs and earns.
    """

    class Law(models.TextChoices):
        DE_42C = "de-42c", _("Energy sharing, § 42c EnWG (Germany)")
        DE_42B = "de-42b", _("Supply within a building, § 42b EnWG (Germany)")
        AT_LOCAL = "at-local", _("Local renewable energy community (Austria)")
        AT_REGIONAL = "at-regional", _("Regional renewable energy community (Austria)")
        POOLING = "pooling", _("Plain netting behind one connection")

    class Key(models.TextChoices):
        DYNAMIC = "dynamic", _("in proportion to use")
        STATIC = "static", _("fixed shares")
        EQUAL = "equal", _("equal parts")

    scheme = models.ForeignKey(SharingScheme, on_delete=models.CASCADE, related_name="versions")
    law = models.CharField(max_length=16, choices=Law.choices)
    key = models.CharField(max_length=8, choices=Key.choices, default=Key.DYNAMIC)
    again = models.BooleanField(
        default=False, help_text=_("what somebody's fixed share leaves is offered to the others")
    )
    shares = models.JSONField(default=dict, blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=6, validators=[MinValueValidator(0)])
    grid_fee_relief_pct = models.DecimalField(max_digits=5, decimal_places=2, default=0, validators=PER_CENT)
    levies_relief_pct = models.DecimalField(max_digits=5, decimal_places=2, default=0, validators=PER_CENT)
    taxed = models.BooleanField(default=True, help_text=_("who receives shared power pays tax on it"))

    class Meta:
        ordering = ("-valid_from",)
        constraints = (
            models.UniqueConstraint("scheme", "number", name="energy_scheme_version_once"),
            models.UniqueConstraint("scheme", "valid_from", name="energy_scheme_day_once"),
            models.CheckConstraint(
                name="energy_scheme_sense",
                condition=Q(
                    price__gte=0,
                    grid_fee_relief_pct__gte=0,
                    grid_fee_relief_pct__lte=100,
                    levies_relief_pct__gte=0,
                    levies_relief_pct__lte=100,
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.scheme} ({self.number})"


def holding(
    versions: "list[TariffVersion] | list[SchemeVersion]", day: dt.date
) -> "TariffVersion | SchemeVersion | None":
    """The version that holds on a day."""
    return max((v for v in versions if v.valid_from <= day), key=lambda v: v.valid_from, default=None)
