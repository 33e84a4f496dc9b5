"""A version of a community's data out of what its meters measured, so that the engines run on real days."""

import datetime as dt
import hashlib
import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from energy import policies
from energy.errors import BadCommunity, NotMeasured, NotSteward
from energy.kinds import MEASURED_KIND
from energy.models import Asset, Community, CommunityVersion, Participant
from energy.queries import communities as queries
from energy.queries import measured
from energy.queries.hours import locate
from energy.services import modelling
from energy.services.communities import keep

if TYPE_CHECKING:
    from energy.engine.community import Community as EngineCommunity
    from energy.engine.community import Floats
    from energy.engine.community import Member as EngineMember
    from energy.engine.home import Modelled

#: Ways to fill what was not measured; the name and the number of steps stand in the version's source.
FILLS: Mapping[str, str] = {
    "week": gettext_noop("by the same time of the nearest week that was measured"),
    "zero": gettext_noop("by nothing at all (0 kWh)"),
    "model": gettext_noop("by the nearest week that was measured, else by what the household owns"),
}
#: Who measured less of a time than this is modelled whole, where `model` fills.
LEAST_MEASURED = 0.5
WEEKS_AT_MOST = 8
LEAST_DAYS, MOST_DAYS = 1, 800
#: Meters of one house that disagree by no more than this in a step do so by rounding.
ROUNDING_KWH = 0.02


def version(
    community: Community,
    *,
    start: dt.date,
    end: dt.date,
    fill: str = "",
    import_price: float | None = None,
    export_price: float | None = None,
) -> CommunityVersion:
    """`build` and `keep` in one. Loads numpy: for workers and commands."""
    built = build(community, start=start, end=end, fill=fill, import_price=import_price, export_price=export_price)
    return keep_built(community, built)


def start_version(
    *,
    community: Community,
    by: User,
    start: dt.date,
    end: dt.date,
    fill: str = "",
    import_price: float | None = None,
    export_price: float | None = None,
) -> Run:
    """A steward asks for a version of the local days from `start` until the day before `end`. Raises NotSteward,
    BadCommunity.
    """
    if not policies.is_steward(by, community):
        raise NotSteward(_("Only those who look after a community make versions of its data."))
    if not LEAST_DAYS <= (end - start).days <= MOST_DAYS:
        raise BadCommunity(_("Choose 1 to %(n)d days.") % {"n": MOST_DAYS})
    inputs = {
        "community": community.pk,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "fill": fill,
        "import_price": import_price,
        "export_price": export_price,
    }
    return runs.start(
        kind=MEASURED_KIND,
        inputs=inputs,
        title=said(gettext_lazy("Data of %(community)s from its meters"), community=community.name),
        subject=f"energy.community:{community.slug}",
        owner=by,
        demo=community.demo,
    )


@dataclass(frozen=True, slots=True)
class Built:
    """Data for the engine, whose they are, and where they come from in words."""

    data: "EngineCommunity"
    participants: tuple[Participant, ...]
    source: str
    modelled: tuple[Participant, ...] = ()


def build(
    community: Community,
    *,
    start: dt.date,
    end: dt.date,
    fill: str = "",
    import_price: float | None = None,
    export_price: float | None = None,
) -> Built:
    """Put together what was measured on the local days from `start` until the day before `end`; writes nothing.

    A roof with a meter of its own gives use = drawn + made - fed in; without one, use is what was drawn and sun what
    was fed in, which nets to the same. Home batteries and cars are left out: what they did is in what was measured.
    Prices (currency/kWh) are flat where given, else those of the newest version at the same hours. Raises NotMeasured
    with `missing` (steps by name) unless `fill` names a way, and BadCommunity. With `model`, who measured less than
    half is worked out from what it owns (`services.modelling`) and flagged. Loads numpy: for workers and commands.
    """
    if not LEAST_DAYS <= (end - start).days <= MOST_DAYS:
        raise BadCommunity(_("Choose 1 to %(n)d days.") % {"n": MOST_DAYS})
    if fill and fill not in FILLS:
        raise BadCommunity(
            _("“%(fill)s” is not a way to fill gaps; there are week, zero and model.") % {"fill": fill[:20]}
        )
    found = measured.curves(community, start=start, end=end)
    if not found.participants:
        raise BadCommunity(_("Nobody belongs to %(name)s on these days.") % {"name": community.name})
    gaps = {p.name: found.missing[p.pk] for p in found.participants if found.missing[p.pk]}
    if gaps and not fill:
        raise NotMeasured(_refusal(gaps, found.steps), missing=gaps)
    prices = _prices(community, found, import_price, export_price)
    guessed = _guessed(community, found) if fill == "model" else {}
    modelled = tuple(p for p in found.participants if p.pk in guessed and guessed[p.pk].whole)
    data, filled = _community(community, found, fill, prices, guessed)
    source = _("Measured by the members' meters from %(start)s to %(end)s.") % {
        "start": start,
        "end": end - dt.timedelta(days=1),
    }
    if filled:
        words = {"n": filled, "way": _(FILLS[fill])}
        source += " " + _("%(n)d steps that nobody measured are filled %(way)s.") % words
    if modelled:
        source += " " + _("%(n)d of %(all)d members are modelled from what they own.") % {
            "n": len(modelled),
            "all": len(found.participants),
        }
    return Built(data, found.participants, source[:300], modelled)


@dataclass(frozen=True, slots=True)
class _Guess:
    """What the engine says of a participant, and whether all of it is taken or only its gaps."""

    made: "Modelled"
    whole: bool


def _guessed(community: Community, found: measured.Measured) -> dict[int, _Guess]:
    lacking = [p for p in found.participants if found.missing[p.pk]]
    if not lacking:
        return {}
    made = modelling.curves(
        community, lacking, start=found.start, step_minutes=found.step_minutes, steps=found.steps
    ).made
    guesses = {}
    for person, one in zip(lacking, made, strict=True):
        first, last = found.present[person.pk]
        whole = found.missing[person.pk] > (1 - LEAST_MEASURED) * (last - first)
        guesses[person.pk] = _Guess(one, whole)
    return guesses


def _refusal(gaps: Mapping[str, int], steps: int) -> str:
    worst = sorted(gaps.items(), key=lambda item: -item[1])[:3]
    named = ", ".join(_("%(name)s (%(n)d of %(all)d steps)") % {"name": k, "n": n, "all": steps} for k, n in worst)
    return _("Not measured: %(named)s. Bring the missing days, or say how gaps are to be filled.") % {"named": named}


@transaction.atomic
def keep_built(community: Community, built: Built) -> CommunityVersion:
    """Keep it as the community's next version; each member sees its own figures."""
    data, people, source = built.data, built.participants, built.source
    sha256 = hashlib.sha256(data.load_kwh.tobytes() + data.pv_kwh.tobytes() + data.import_price.tobytes()).hexdigest()
    made = keep(data=data, slug=community.slug, sha256=sha256, source=source, demo=community.demo)
    made.members.filter(key__in=[_key(person) for person in built.modelled]).update(modelled=True)
    for person in people:
        if person.person_id is not None:
            made.members.filter(key=_key(person)).update(person=person.person_id)
    return made


def _key(person: Participant) -> str:
    return f"p{person.pk}"


def _prices(
    community: Community, found: measured.Measured, bought: float | None, sold: float | None
) -> "tuple[array[float], array[float], str]":
    newest = queries.latest(community)
    currency = newest.currency if newest else "EUR"
    if bought is not None and sold is not None:
        return array("d", [bought]) * found.steps, array("d", [sold]) * found.steps, currency
    if newest is None:
        raise BadCommunity(_("Say what a kWh costs and what one that is fed in earns: no data here have prices yet."))
    curves = queries.of_version(newest, "import_price", "export_price")
    step = dt.timedelta(minutes=found.step_minutes)
    buys, sells = array("d"), array("d")
    for i in range(found.steps):
        where = locate(newest, found.start + i * step)
        if where is None:
            raise BadCommunity(_("The newest data have no prices for these days; say what a kWh costs and earns."))
        buys.append(curves["import_price"][where.index] if bought is None else bought)
        sells.append(curves["export_price"][where.index] if sold is None else sold)
    return buys, sells, currency


def _community(
    community: Community,
    found: measured.Measured,
    fill: str,
    prices: "tuple[array[float], array[float], str]",
    guessed: Mapping[int, _Guess],
) -> "tuple[EngineCommunity, int]":
    import numpy as np  # noqa: PLC0415 for workers and commands alone

    from energy.engine.community import Community as Data  # noqa: PLC0415 as above

    loads: list[Sequence[float]] = []
    suns: list[Sequence[float]] = []
    filled = 0
    for person in found.participants:
        guess = guessed.get(person.pk)
        if guess and guess.whole:
            loads.append(_there(guess.made.load_kwh, found.present[person.pk]))
            suns.append(_there(guess.made.pv_kwh, found.present[person.pk]))
            continue
        load, sun, count = _measured(person, found, fill, guess)
        filled += count
        loads.append(load)
        suns.append(sun)
    bought, sold, currency = prices
    data = Data(
        name=community.name,
        currency=currency,
        timezone=str(measured.zone(community)),
        start=found.start,
        step_minutes=found.step_minutes,
        members=tuple(_member(person, guessed.get(person.pk)) for person in found.participants),
        load_kwh=np.array(loads, dtype=np.float64),
        pv_kwh=np.array(suns, dtype=np.float64),
        import_price=np.array(bought),
        export_price=np.array(sold),
    )
    return data, filled


def _measured(
    person: Participant, found: measured.Measured, fill: str, guess: _Guess | None
) -> "tuple[list[float], Sequence[float], int]":
    """Use and solar of a participant's meters, and how many steps were filled."""
    parts, filled = [], 0
    for name, curves in (("use", found.use_kwh), ("feed_in", found.feed_in_kwh), ("solar", found.solar_kwh)):
        foreseen = _of_meter(guess.made, name) if guess else None
        values, count = _filled(curves[person.pk], fill, 7 * 24 * 60 // found.step_minutes, foreseen)
        parts.append(values)
        filled += count
    use, feed_in, solar = parts
    metered = any(solar)
    load = [u + s - f for u, f, s in zip(use, feed_in, solar, strict=True)] if metered else list(use)
    if min(load, default=0.0) < -ROUNDING_KWH:
        words = {"name": person.name, "kwh": f"{min(load):.3f}"}
        raise BadCommunity(_("The meters of %(name)s disagree: use would be %(kwh)s kWh in a step.") % words)
    return [max(v, 0.0) for v in load], solar if metered else feed_in, filled


def _there(values: "Floats", present: tuple[int, int]) -> list[float]:
    """A modelled curve while its participant belongs."""
    first, last = present
    return [float(v) if first <= i < last else 0.0 for i, v in enumerate(values)]


def _of_meter(made: "Modelled", name: str) -> "Floats":
    """What a meter would say of a modelled home."""
    net = made.load_kwh - made.pv_kwh
    return {"use": net.clip(min=0.0), "feed_in": (-net).clip(min=0.0), "solar": made.pv_kwh}[name]


def _member(person: Participant, guess: _Guess | None) -> "EngineMember":
    from energy.engine.community import Battery, Member  # noqa: PLC0415 for workers and commands alone

    assets = list(person.assets.all())
    kwp = math.fsum(a.kwp or 0.0 for a in assets if a.kind == Asset.Kind.SOLAR)
    heat = math.fsum(a.kw or 0.0 for a in assets if a.kind == Asset.Kind.HEAT_PUMP)
    if guess is None or not guess.whole:
        return Member(_key(person), person.name, person.kind, kwp, None, None, heat or None)
    held = [a for a in assets if a.kind == Asset.Kind.BATTERY and a.kwh and a.kw]
    battery = (
        Battery(math.fsum(a.kwh or 0.0 for a in held), math.fsum(a.kw or 0.0 for a in held), held[0].efficiency or 0.9)
        if held
        else None
    )
    return Member(_key(person), person.name, person.kind, kwp, battery, guess.made.vehicle, heat or None)


def _filled(values: "array[float]", fill: str, week: int, foreseen: "Floats | None") -> "tuple[array[float], int]":
    """The curve without gaps, and how many steps were filled."""
    gaps = [i for i, v in enumerate(values) if math.isnan(v)]
    if not gaps:
        return values, 0
    whole = array("d", values)
    for i in gaps:
        if fill == "zero":
            whole[i] = 0.0
            continue
        try:
            whole[i] = _of_other_weeks(values, i, week)
        except NotMeasured:
            if foreseen is None:
                raise
            whole[i] = float(foreseen[i])
    return whole, len(gaps)


def _of_other_weeks(values: "array[float]", i: int, week: int) -> float:
    for k in range(1, WEEKS_AT_MOST + 1):
        for j in (i - k * week, i + k * week):
            if 0 <= j < len(values) and not math.isnan(values[j]):
                return values[j]
    raise NotMeasured(
        _("A step has no measured week within %(n)d weeks; choose other days or fill with zero.") % {"n": WEEKS_AT_MOST}
    )
