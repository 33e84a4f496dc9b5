"""A household's year under other terms, from its readings. Loads numpy: import it in tasks alone."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from energy import settling
from energy.engine import allocation, market
from energy.engine.community import Battery, Floats
from energy.engine.refusals import EngineRefusal
from energy.errors import NoTerms, from_engine
from energy.models import Participant, SchemeVersion, TariffVersion
from energy.queries import choices
from energy.queries import measured as readings
from energy.queries import prices as price_lists

ENGINE_VERSION = "1"
#: The storage that is tried: what stands in many homes.
BATTERY_KWH, BATTERY_KW, ROUND_TRIP = 5.0, 2.5, 0.9
LEAST_PRICED = 0.5
Say = Callable[[float], None]


def terms_of(participant: Participant, day: dt.date) -> tuple[TariffVersion, SchemeVersion]:
    """The tariff and the rules that hold for somebody on a day. Raises NoTerms."""
    tariff = choices.version_on(participant, day)
    rules = (
        SchemeVersion.objects.filter(scheme__community=participant.community_id, valid_from__lte=day)
        .order_by("-valid_from")
        .first()
    )
    if tariff is None or rules is None:
        raise NoTerms(_("A tariff and rules of sharing must hold today before this can be compared."))
    return tariff, rules


def work_out(participant: Participant, first_day: dt.date, until: dt.date, say: Say) -> dict[str, Any]:
    """Every case over the local days from `first_day` until the day before `until`, under the terms of `until`."""
    community = participant.community
    tariff, rules = terms_of(participant, until)
    measured = readings.curves(community, start=first_day, end=until)
    people = list(measured.participants)
    row = next(i for i, person in enumerate(people) if person.pk == participant.pk)
    say(0.3)
    use, feed_in = (
        settling.matrix(people, curves, measured.steps) for curves in (measured.use_kwh, measured.feed_in_kwh)
    )
    try:
        shared = allocation.allocate(
            use,
            feed_in,
            rules.key,  # type: ignore[arg-type]
            shares=[settling.allocation_share(rules, person) for person in people],
            again=rules.again,
        )
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None
    say(0.5)
    inside = np.zeros(measured.steps, dtype=np.bool_)
    inside[slice(*measured.present[participant.pk])] = True
    known = inside & ~shared.use_unmeasured[row] & ~shared.feed_in_unmeasured[row]
    listed = _listed(tariff, community.pk, measured)
    priced = ~np.isnan(listed) if listed is not None else np.zeros_like(known)
    dynamic = listed is not None and bool(known.any()) and float(priced[known].mean()) >= LEAST_PRICED
    if dynamic:
        known &= priced
    home = market.Household(
        use=_kwh(shared.use[row]),
        feed_in=_kwh(shared.feed_in[row]),
        received=_kwh(shared.received[row]),
        given=_kwh(shared.given[row]),
        known=known,
        step_minutes=measured.step_minutes,
    )
    cases = _cases(home, tariff, rules, np.where(priced, listed, 0.0) if listed is not None and dynamic else None)
    say(0.9)
    return {
        "cases": [_told(case) for case in cases],
        "steps": int(inside.sum()),
        "known": int(known.sum()),
        "step_minutes": measured.step_minutes,
        "dynamic": dynamic,
        "tariff_version": tariff.pk,
        "scheme_version": rules.pk,
        "battery": {"kwh": BATTERY_KWH, "kw": BATTERY_KW, "round_trip": ROUND_TRIP},
    }


def _told(case: market.Case) -> dict[str, Any]:
    import_kwh, export_kwh = round(case.import_kwh, 1), round(case.export_kwh, 1)
    return {"name": case.name, "cost": round(case.cost, 2), "import_kwh": import_kwh, "export_kwh": export_kwh}


def _kwh(units: allocation.Units) -> Floats:
    return np.asarray(units / allocation.PER_KWH, dtype=np.float64)


def _listed(tariff: TariffVersion, community: int, measured: readings.Measured) -> Floats | None:
    """The exchange's prices by step: of the tariff's list, else of the community's first in the same currency."""
    from energy.models import PriceList  # noqa: PLC0415 beside its use

    one = tariff.price_list_id or (
        PriceList.objects.filter(community=community, currency=tariff.tariff.currency)
        .values_list("pk", flat=True)
        .first()
    )
    if one is None:
        return None
    micro = price_lists.read([one], measured).micro[one]
    return np.array([np.nan if at is None else at / 1e6 for at in micro], dtype=np.float64)


def _cases(
    home: market.Household, tariff: TariffVersion, rules: SchemeVersion, listed: Floats | None
) -> list[market.Case]:
    tax = 1 + float(tariff.tax_pct) / 100
    fees = float(tariff.grid_fee) + float(tariff.levies)
    one = np.ones_like(home.use)
    sell = one * float(tariff.feed_in_price)
    fixed = market.Terms(one * (float(tariff.energy_price) + fees) * tax, sell)
    relieved = float(tariff.grid_fee) * (1 - float(rules.grid_fee_relief_pct) / 100) + float(tariff.levies) * (
        1 - float(rules.levies_relief_pct) / 100
    )
    price = float(rules.price)
    bought = one * (price * (tax if rules.taxed else 1.0) + relieved * tax)
    sold = one * price
    battery = Battery(BATTERY_KWH, BATTERY_KW, ROUND_TRIP)
    cases = [
        market.plain("fixed", home, fixed),
        market.plain("fixed-unpaid", home, market.Terms(fixed.buy, 0 * one)),
        market.shared("fixed-shared", home, fixed, bought=bought, sold=sold),
        market.flexible("fixed-battery", home, fixed, battery),
    ]
    if listed is not None:
        earned = listed - float(tariff.feed_in_less) if tariff.feed_in_listed else sell
        moving = market.Terms((listed + float(tariff.markup) + fees) * tax, earned)
        cases += [
            market.plain("dynamic", home, moving),
            market.shared("dynamic-shared", home, moving, bought=bought, sold=sold),
            market.flexible("dynamic-battery", home, moving, battery),
        ]
    return cases
