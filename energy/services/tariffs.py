"""Writes about tariffs, prices and rules of sharing: versions are added; only what nobody used is taken back."""

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from energy import pricelists, series
from energy.errors import BadTerms, TermsInUse
from energy.models import (
    Community,
    PriceDay,
    PriceList,
    SchemeVersion,
    SharingScheme,
    Tariff,
    TariffVersion,
)
from energy.schemes import FRAMES

MOST_A_KWH = Decimal(100)


@transaction.atomic
def add_tariff_version(
    *,
    community: Community,
    name: str,
    currency: str,
    valid_from: dt.date,
    by: User | None = None,
    usual: bool = False,
    demo: bool = False,
    **components: Any,
) -> TariffVersion:
    """A version of the tariff of that name, made if it is not there; the first of a community is the usual one.
    `components` are columns of `TariffVersion`. Locks the tariff. Raises BadTerms, TermsInUse.
    """
    first = not community.tariffs.exists()
    tariff, _made = Tariff.objects.get_or_create(
        community=community, name=name.strip()[:120], defaults={"currency": currency.upper(), "demo": demo}
    )
    tariff = Tariff.objects.select_for_update().get(pk=tariff.pk)
    if tariff.currency != currency.upper():
        raise BadTerms(_("The tariff “%(name)s” is in %(currency)s.") % {"name": tariff, "currency": tariff.currency})
    if usual or first:
        Tariff.objects.filter(community=community, usual=True).exclude(pk=tariff.pk).update(usual=False)
        Tariff.objects.filter(pk=tariff.pk).update(usual=True)
    if components.get("feed_in_listed") and components.get("price_list") is None:
        raise BadTerms(_("Feeding in at the exchange's price needs a list of prices; choose one."))
    prices = components.get("price_list")
    if prices is not None and (prices.community_id, prices.currency) != (community.pk, tariff.currency):
        raise BadTerms(_("That list of prices is of another community or currency."))
    for field in ("energy_price", "markup", "grid_fee", "levies", "feed_in_price", "feed_in_less"):
        if abs(Decimal(components.get(field) or 0)) > MOST_A_KWH:
            raise BadTerms(_("A price for a kWh above 100 is surely a slip; prices are for a kWh, not for a MWh."))
    number = (tariff.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    try:
        with transaction.atomic():
            return TariffVersion.objects.create(
                tariff=tariff, number=number, valid_from=valid_from, by=by, **components
            )
    except IntegrityError:
        raise TermsInUse(
            _("A version of “%(name)s” begins on %(day)s already; give another day.")
            % {"name": tariff, "day": valid_from.isoformat()}
        ) from None


@transaction.atomic
def add_scheme_version(
    *,
    community: Community,
    law: str,
    key: str,
    price: Decimal,
    valid_from: dt.date,
    shares: Mapping[str, str] | None = None,
    grid_fee_relief_pct: Decimal | None = None,
    levies_relief_pct: Decimal | None = None,
    by: User | None = None,
    demo: bool = False,
    **more: Any,
) -> SchemeVersion:
    """A version of the community's rules. Reliefs that the law fixes are the law's, whatever is asked. Locks the
    scheme. Raises BadTerms, TermsInUse.
    """
    frame = FRAMES.get(law)
    if frame is None:
        raise BadTerms(_("There is no frame “%(law)s” for sharing.") % {"law": law})
    if key not in frame.keys:
        raise BadTerms(_("This frame does not know that key; use one of: %(keys)s.") % {"keys": ", ".join(frame.keys)})
    if frame.since and valid_from < frame.since:
        raise BadTerms(_("This frame holds from %(day)s at the earliest.") % {"day": frame.since.isoformat()})
    if not 0 <= price <= MOST_A_KWH:
        raise BadTerms(_("The price of a shared kWh is between 0 and 100."))
    SharingScheme.objects.get_or_create(community=community, defaults={"demo": demo})
    scheme = SharingScheme.objects.select_for_update().get(community=community)
    number = (scheme.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    relief = frame.grid_fee_relief_pct if frame.grid_fee_relief_pct is not None else grid_fee_relief_pct
    levies = frame.levies_relief_pct if frame.levies_relief_pct is not None else levies_relief_pct
    try:
        with transaction.atomic():
            return SchemeVersion.objects.create(
                scheme=scheme,
                number=number,
                law=law,
                key=key,
                shares=_shares(community, shares or {}) if key == SchemeVersion.Key.STATIC else {},
                price=price,
                grid_fee_relief_pct=relief or 0,
                levies_relief_pct=levies or 0,
                valid_from=valid_from,
                by=by,
                **more,
            )
    except IntegrityError:
        raise TermsInUse(
            _("Rules that begin on %(day)s are there already; give another day.") % {"day": valid_from.isoformat()}
        ) from None


def _shares(community: Community, shares: Mapping[str, str]) -> dict[str, str]:
    """Shares by participant, above zero, one at most together; equal ones where none are given."""
    people = list(community.participants.values_list("pk", flat=True))
    if not shares:
        part = Decimal(1) / max(1, len(people))
        return {str(pk): str(part.quantize(Decimal("0.000001"), "ROUND_DOWN")) for pk in people}
    known = {str(pk) for pk in people}
    values = {who: Decimal(str(share)) for who, share in shares.items() if Decimal(str(share)) != 0}
    if set(values) - known:
        raise BadTerms(_("A share is of somebody who does not belong to this community."))
    if any(value < 0 for value in values.values()) or sum(values.values()) > 1:
        raise BadTerms(_("The shares are below zero or come to more than 100 %; lower them."))
    return {who: str(value) for who, value in sorted(values.items())}


@transaction.atomic
def take_back(*, version: TariffVersion | SchemeVersion) -> None:
    """Take back a version by which nobody was billed yet. Raises TermsInUse."""
    if version.settlements.exists():
        raise TermsInUse(
            _("A statement was made by this version, so it stays; add another that holds from a later day.")
        )
    version.delete()


@transaction.atomic
def keep_prices(*, prices: PriceList, text: str, per_mwh: bool | None = None) -> dict[str, int]:
    """Keep what a file or feed said; a day that did not change is left as it is, one that did has a new revision, and
    what a list knew of a day and the text does not say stays. Locks the list. Raises BadPrices.
    """
    read = pricelists.read(text, per_mwh=per_mwh)
    PriceList.objects.select_for_update().get(pk=prices.pk)
    by_day: dict[dt.date, dict[int, float]] = {}
    for at, price in read.prices.items():
        by_day.setdefault(at.date(), {})[(at.hour * 60 + at.minute) // read.step_minutes] = price
    held = {row.day: row for row in prices.days.filter(day__in=by_day, current=True)}
    rows, kept = [], 0
    for day, steps in sorted(by_day.items()):
        before = held.get(day)
        values = _day(before, steps, read.step_minutes)
        packed = series.pack(values)
        if before is not None and (before.step_minutes, bytes(before.packed)) == (read.step_minutes, packed):
            kept += 1
            continue
        missing = sum(1 for value in values if math.isnan(value))
        revision = before.revision + 1 if before else 1
        rows.append(
            PriceDay(
                prices=prices,
                day=day,
                step_minutes=read.step_minutes,
                packed=packed,
                missing=missing,
                revision=revision,
            )
        )
    prices.days.filter(day__in=[row.day for row in rows], current=True).update(current=False)
    PriceDay.objects.bulk_create(rows)
    PriceList.objects.filter(pk=prices.pk).update(asked_at=timezone.now(), trouble="")
    return {"days": len(rows), "unchanged": kept, "missing": sum(row.missing for row in rows)}


def _day(before: PriceDay | None, steps: Mapping[int, float], step_minutes: int) -> list[float]:
    values = [math.nan] * (1440 // step_minutes)
    if before is not None and before.step_minutes == step_minutes:
        values = list(series.unpack(before.packed))
    for place, price in steps.items():
        if not math.isnan(price):
            values[place] = price
    return values


def note_trouble(*, prices: PriceList, words: str) -> None:
    """Remember that a feed did not answer, for the page that shows it."""
    PriceList.objects.filter(pk=prices.pk).update(asked_at=timezone.now(), trouble=words[:300])


@transaction.atomic
def price_list(*, community: Community, name: str, currency: str, feed: str = "", per_mwh: bool = True) -> PriceList:
    """The list of that name, made if it is not there; its feed is what is given now. Raises BadTerms."""
    prices, _made = PriceList.objects.get_or_create(
        community=community, name=name.strip()[:120], defaults={"currency": currency.upper(), "per_mwh": per_mwh}
    )
    if prices.currency != currency.upper():
        raise BadTerms(_("The list “%(name)s” is in %(currency)s.") % {"name": prices, "currency": prices.currency})
    prices.feed, prices.per_mwh = feed, per_mwh
    prices.save(update_fields=["feed", "per_mwh"])
    return prices
