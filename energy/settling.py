"""From readings, prices and rules to bills, and the same again from what a settlement wrote down.

Loads numpy: import it in tasks and commands alone. Reads only; `services.statements` keeps what is found.
"""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from commons.runs.services import canonical_json
from energy import schemes
from energy.engine import allocation, billing, fairness
from energy.engine.billing import Energies, Line, Price, Prices, Rules, Stretch
from energy.engine.refusals import EngineRefusal
from energy.errors import BadPeriod, NoTerms, TooCoarse, from_engine
from energy.models import Community, Participant, SchemeVersion, Settlement, TariffChoice, TariffVersion
from energy.queries import measured as readings
from energy.queries import prices as price_lists

ENGINE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Term:
    """Local days (both inclusive) on which a participant was under one version of a tariff and of the rules."""

    participant: int
    first_day: dt.date
    last_day: dt.date
    tariff: TariffVersion
    rules: SchemeVersion


@dataclass(frozen=True, slots=True)
class Bill:
    """What a participant's period costs. Energies in units of 1e-6 kWh; `alone` with tax, in cents."""

    participant: Participant
    first_day: dt.date
    last_day: dt.date
    final: bool
    lines: list[Line]
    use: int
    received: int
    feed_in: int
    given: int
    steps: int
    gaps: list[tuple[str, int]]
    days: list[list[Any]]
    alone: Decimal

    @property
    def missing_steps(self) -> int:
        """Steps in which nothing was measured."""
        return sum(count for _day, count in self.gaps)


@dataclass(frozen=True, slots=True)
class Settled:
    """All bills of a period, and everything that they were made of."""

    community: Community
    first_day: dt.date
    until: dt.date
    currency: str
    step_minutes: int
    steps: int
    inputs: dict[str, Any]
    sha256: str
    bills: list[Bill]
    tariff_versions: list[TariffVersion]
    scheme_versions: list[SchemeVersion]
    curves: tuple[allocation.Floats, allocation.Floats]


def work_out(
    community: Community, first_day: dt.date, until: dt.date, *, rules: SchemeVersion | None = None
) -> Settled:
    """The bills of the local days from `first_day` until the day before `until`. Raises NoTerms, TooCoarse.

    `rules`: as if these had held on all of the days, for comparison; such a one is never kept.
    """
    measured = readings.curves(community, start=first_day, end=until)
    if not measured.participants:
        raise BadPeriod(_("Nobody belonged to this community in that time."))
    terms = _terms(community, measured)
    if rules is not None:
        terms = [dataclasses.replace(term, rules=rules) for term in terms]
    return _settle(community, measured, terms, price_lists.read(_lists(terms), measured))


def again(settlement: Settlement) -> Settled:
    """The same from what the settlement names: its revisions, its versions, its days."""
    inputs = settlement.inputs
    tariffs = {v.pk: v for v in settlement.tariff_versions.select_related("tariff", "price_list")}
    rules = {v.pk: v for v in settlement.scheme_versions.all()}
    terms = [
        Term(who, _day(first), _day(last), tariffs[tariff], rules[rule])
        for who, first, last, tariff, rule in inputs["terms"]
    ]
    people = {p.pk: p for p in Participant.objects.filter(pk__in={t.participant for t in terms})}
    measured = readings.curves(
        settlement.community,
        start=settlement.first_day,
        end=settlement.until,
        participants=[people[who] for who in inputs["participants"]],
        as_of={(meter, _day(day)): revision for meter, day, revision in inputs["readings"]},
        step_minutes=settlement.step_minutes,
    )
    as_of = {(one, _day(day)): revision for one, day, revision in inputs["prices"]}
    return _settle(settlement.community, measured, terms, price_lists.read(_lists(terms), measured, as_of))


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _lists(terms: Iterable[Term]) -> set[int]:
    return {t.tariff.price_list_id for t in terms if t.tariff.price_list_id}


def _terms(community: Community, measured: readings.Measured) -> list[Term]:
    """Which versions held for whom on which days."""
    tariffs = list(TariffVersion.objects.filter(tariff__community=community).select_related("tariff", "price_list"))
    usual = next((v.tariff_id for v in tariffs if v.tariff.usual), None)
    rules = list(SchemeVersion.objects.filter(scheme__community=community))
    choices: dict[int, list[TariffChoice]] = {}
    for choice in TariffChoice.objects.filter(participant__in=measured.participants).order_by("since"):
        choices.setdefault(choice.participant_id, []).append(choice)
    found: list[Term] = []
    for person in measured.participants:
        for day in measured.days:
            if not person.belongs(day):
                continue
            chosen = [c.tariff_id for c in choices.get(person.pk, []) if c.since <= day]
            wanted = chosen[-1] if chosen else usual
            tariff = _holding([v for v in tariffs if v.tariff_id == wanted], day)
            rule = _holding(rules, day)
            if tariff is None or rule is None:
                raise _no_terms(day, "tariff" if tariff is None else "rules")
            last = found[-1] if found else None
            if last and (last.participant, last.tariff.pk, last.rules.pk) == (person.pk, tariff.pk, rule.pk):
                found[-1] = Term(person.pk, last.first_day, day, tariff, rule)
            else:
                found.append(Term(person.pk, day, day, tariff, rule))
    return found


def _no_terms(day: dt.date, what: str) -> NoTerms:
    words = {"day": day.isoformat()}
    if what == "tariff":
        return NoTerms(_("No tariff holds on %(day)s; add a version that is valid from that day or before.") % words)
    return NoTerms(
        _("No rules of sharing hold on %(day)s; add a version that is valid from that day or before.") % words
    )


def _holding(versions: Sequence[Any], day: dt.date) -> Any:
    return max((v for v in versions if v.valid_from <= day), key=lambda v: v.valid_from, default=None)


def _settle(
    community: Community, measured: readings.Measured, terms: list[Term], listed: price_lists.Listed
) -> Settled:
    for rule in {t.rules.pk: t.rules for t in terms}.values():
        if measured.step_minutes > schemes.FRAMES[rule.law].most_step_minutes:
            raise TooCoarse(
                _("%(law)s needs readings by the quarter of an hour, and these are by the hour; ask for finer ones.")
                % {"law": rule.get_law_display()}
            )
    currencies = {t.tariff.tariff.currency for t in terms}
    if len(currencies) > 1:
        raise NoTerms(_("The members' tariffs are in several currencies; a settlement is in one."))
    people = list(measured.participants)
    use = matrix(people, measured.use_kwh, measured.steps)
    feed_in = matrix(people, measured.feed_in_kwh, measured.steps)
    inputs = _inputs(measured, terms, listed)
    sha256 = hashlib.sha256(canonical_json(inputs))
    for values in (use, feed_in):
        sha256.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
    for name in sorted(listed.micro):
        sha256.update(canonical_json(listed.micro[name]))
    try:
        shared = _allocate(people, use, feed_in, measured, terms)
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None
    bills = [_bill(row, person, shared, measured, terms, listed) for row, person in enumerate(people)]
    return Settled(
        community,
        measured.days[0],
        measured.days[-1] + dt.timedelta(days=1),
        next(iter(currencies), "EUR"),
        measured.step_minutes,
        measured.steps,
        inputs,
        sha256.hexdigest(),
        [bill for bill in bills if bill is not None],
        list({t.tariff.pk: t.tariff for t in terms}.values()),
        list({t.rules.pk: t.rules for t in terms}.values()),
        (np.nan_to_num(use), np.nan_to_num(feed_in)),
    )


def matrix(people: Sequence[Participant], curves: Mapping[int, Any], steps: int) -> allocation.Floats:
    """Curves of people as an array, people by steps."""
    return np.array([curves[p.pk] for p in people], dtype=np.float64).reshape(len(people), steps)


def _inputs(measured: readings.Measured, terms: list[Term], listed: price_lists.Listed) -> dict[str, Any]:
    tariffs, rules = {t.tariff.pk: t.tariff for t in terms}, {t.rules.pk: t.rules for t in terms}
    return {
        "engine": ENGINE_VERSION,
        "start": measured.start.isoformat(),
        "step_minutes": measured.step_minutes,
        "participants": [p.pk for p in measured.participants],
        "terms": [
            [t.participant, t.first_day.isoformat(), t.last_day.isoformat(), t.tariff.pk, t.rules.pk] for t in terms
        ],
        "readings": sorted([meter, day.isoformat(), revision] for (meter, day), revision in measured.revisions.items()),
        "prices": sorted([one, day.isoformat(), revision] for (one, day), revision in listed.revisions.items()),
        "tariff_versions": {str(pk): _content(v, TARIFF_FIELDS) for pk, v in sorted(tariffs.items())},
        "scheme_versions": {str(pk): _content(v, RULE_FIELDS) for pk, v in sorted(rules.items())},
    }


TARIFF_FIELDS = (
    "valid_from", "energy_price", "price_list_id", "markup", "grid_fee", "levies", "base_fee", "tax_pct",
    "feed_in_price", "feed_in_listed", "feed_in_less",
)  # fmt: skip
RULE_FIELDS = (
    "valid_from", "law", "key", "again", "shares", "price", "grid_fee_relief_pct", "levies_relief_pct", "taxed",
)  # fmt: skip


def _content(version: Any, names: Sequence[str]) -> dict[str, Any]:
    """What a version says, in a form that does not depend on how many zeros stand at the end of a decimal."""
    found = {}
    for name in names:
        value = getattr(version, name)
        if isinstance(value, Decimal):
            value = format(value.normalize(), "f")
        found[name] = value.isoformat() if isinstance(value, dt.date) else value
    return found


def _allocate(
    people: Sequence[Participant],
    use: allocation.Floats,
    feed_in: allocation.Floats,
    measured: readings.Measured,
    terms: list[Term],
) -> allocation.Allocation:
    """Each day by the rules that held on it; days under the same rules at once."""
    present = np.zeros(use.shape, dtype=np.bool_)
    for row, person in enumerate(people):
        first, until = measured.present[person.pk]
        present[row, first:until] = True
    parts = []
    for first, until, rule in _spans(measured, terms):
        span = slice(first, until)
        key, shares = rule.key, [allocation_share(rule, person) for person in people]
        parts.append(
            allocation.allocate(
                use[:, span], feed_in[:, span], key, shares=shares, again=rule.again, present=present[:, span]
            )
        )
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts], axis=1)
        for name in ("use", "feed_in", "received", "given", "use_unmeasured", "feed_in_unmeasured")
    }
    return allocation.Allocation(**joined)


def allocation_share(rule: SchemeVersion, person: Participant) -> int:
    """A participant's fixed share in whole millionths, cut down."""
    return int(Decimal(str(rule.shares.get(str(person.pk), 0))) * allocation.WHOLE)


def _spans(measured: readings.Measured, terms: list[Term]) -> list[tuple[int, int, Any]]:
    """(first step, step after the last, rules) of days under the same rules, in the order of time."""
    found: list[tuple[int, int, Any]] = []
    for i, day in enumerate(measured.days):
        rule = next((t.rules for t in terms if t.first_day <= day <= t.last_day), None)
        first, until = _steps(measured, i, i)
        if rule is None:
            rule = found[-1][2] if found else next(t.rules for t in terms)
        if found and found[-1][2].pk == rule.pk:
            found[-1] = (found[-1][0], until, rule)
        else:
            found.append((first, until, rule))
    return found


def _steps(measured: readings.Measured, first: int, last: int) -> tuple[int, int]:
    """The steps of days by their place in the period: the first, and the one after the last."""
    after = measured.first_of_day[last + 1] if last + 1 < len(measured.days) else measured.steps
    return measured.first_of_day[first], after


def _bill(  # noqa: PLR0917 the parts of one settlement
    row: int,
    person: Participant,
    shared: allocation.Allocation,
    measured: readings.Measured,
    terms: list[Term],
    listed: price_lists.Listed,
) -> Bill | None:
    own = [t for t in terms if t.participant == person.pk]
    if not own:
        return None
    stretches = [_stretch(term, measured, listed) for term in own]
    use, received = shared.use[row].tolist(), shared.received[row].tolist()
    feed_in, given = shared.feed_in[row].tolist(), shared.given[row].tolist()
    energies = Energies(shared.from_grid[row].tolist(), received, given, shared.to_grid[row].tolist())
    nothing = [0] * len(use)
    alone = billing.lines(Energies(use, nothing, nothing, feed_in), stretches)
    amounts = [billing.cents(line.exact) for line in alone]
    taxes = billing.tax_of([(a, line.tax_pct) for line, a in zip(alone, amounts, strict=True)])
    first, last = own[0].first_day, own[-1].last_day
    inside = [i for i, day in enumerate(measured.days) if first <= day <= last]
    unmeasured = shared.use_unmeasured[row] | shared.feed_in_unmeasured[row]
    gaps, days = [], []
    for i in inside:
        a, b = _steps(measured, i, i)
        lacking = int(unmeasured[a:b].sum())
        if lacking:
            gaps.append((measured.days[i].isoformat(), lacking))
        sums = [sum(values[a:b]) / allocation.PER_KWH for values in (use, received, feed_in, given)]
        days.append([measured.days[i].isoformat(), *(round(value, 3) for value in sums)])
    a, b = _steps(measured, inside[0], inside[-1])
    return Bill(
        participant=person,
        first_day=first,
        last_day=last,
        final=person.left_on is not None and person.left_on == last + dt.timedelta(days=1),
        lines=billing.lines(energies, stretches),
        use=sum(use),
        received=sum(received),
        feed_in=sum(feed_in),
        given=sum(given),
        steps=b - a,
        gaps=gaps,
        days=days,
        alone=sum(amounts, Decimal(0)) + sum(taxes.values(), Decimal(0)),
    )


def _stretch(term: Term, measured: readings.Measured, listed: price_lists.Listed) -> Stretch:
    places = {day: i for i, day in enumerate(measured.days)}
    first, until = _steps(measured, places[term.first_day], places[term.last_day])
    tariff, rule = term.tariff, term.rules
    micro = listed.micro.get(tariff.price_list_id) if tariff.price_list_id else None
    more, less = billing.millionths(tariff.markup), billing.millionths(tariff.feed_in_less)
    bought = [None if at is None else at + more for at in micro] if micro is not None else None
    sold = [None if at is None else at - less for at in micro] if micro is not None and tariff.feed_in_listed else None
    return Stretch(
        first,
        until,
        term.first_day,
        term.last_day,
        Prices(
            energy=Price(billing.millionths(tariff.energy_price), bought),
            grid_fee=billing.millionths(tariff.grid_fee),
            levies=billing.millionths(tariff.levies),
            feed_in=Price(billing.millionths(tariff.feed_in_price), sold),
            base_fee=tariff.base_fee,
            tax_pct=tariff.tax_pct,
        ),
        Rules(billing.millionths(rule.price), rule.grid_fee_relief_pct, rule.levies_relief_pct, rule.taxed),
    )


def gross(bill: Bill, *, fees: bool = True) -> float:
    """What a bill comes to with tax, exact but for the last digits: for comparing, never for paying."""
    rows = [line for line in bill.lines if fees or line.code != "base"]
    return float(sum((line.exact * (1 + line.tax_pct / 100) for line in rows), Decimal(0)))


def best_exit(settled: Settled) -> float | None:
    """The most that a group of members would save by leaving and sharing within itself under the same law; None where
    prices change by the hour or members have different tariffs, for which this is not worked out.
    """
    if len(settled.tariff_versions) != 1 or len(settled.scheme_versions) != 1 or len(settled.bills) < 2:
        return None
    tariff, rule = settled.tariff_versions[0], settled.scheme_versions[0]
    if tariff.price_list_id is not None or len(settled.bills) != len(settled.curves[0]):
        return None
    taxed, hundred = 1 + tariff.tax_pct / 100, Decimal(100)
    grid = tariff.grid_fee * (hundred - rule.grid_fee_relief_pct) / hundred
    levies = tariff.levies * (hundred - rule.levies_relief_pct) / hundred
    rates = fairness.Rates(
        bought=float((tariff.energy_price + tariff.grid_fee + tariff.levies) * taxed),
        shared=float((grid + levies) * taxed + (rule.price * tariff.tax_pct / 100 if rule.taxed else 0)),
        sold=float(tariff.feed_in_price),
    )
    bills = np.array([gross(bill, fees=False) for bill in settled.bills])
    return fairness.best_exit(*settled.curves, bills, rates)
