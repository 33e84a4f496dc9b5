"""What the meters of a community measured: nothing is filled in, what nobody measured is NaN and counted."""

import datetime as dt
import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Q

from energy import series
from energy.models import Community, MeterDay, MeterPoint, Participant

QUARTER_MIN, HOUR_MIN = 15, 60
NAN = math.nan
USE, FEED_IN, SOLAR = (d.value for d in MeterPoint.Direction)


@dataclass(frozen=True, slots=True)
class Measured:
    """Curves of participants by their primary key, kWh a step of `step_minutes` (15 or 60) from `start` (UTC).

    NaN: nobody measured it. Outside of a participant's membership (`present`: first step and the one after the last)
    every curve is 0. A direction of which a participant named no register is 0 too; one without any proved meter is NaN
    throughout. `missing` counts, within the membership, the steps in which any of the participant's curves is NaN.
    `days` are the local days, `first_of_day` the step with which each begins: 23, 24 or 25 hours apart. `revisions`:
    which revision of which day of a meter the curves are of, {(meter, day): revision}.
    """

    start: dt.datetime
    step_minutes: int
    steps: int
    participants: tuple[Participant, ...]
    use_kwh: "dict[int, array[float]]"
    feed_in_kwh: "dict[int, array[float]]"
    solar_kwh: "dict[int, array[float]]"
    missing: dict[int, int]
    present: dict[int, tuple[int, int]]
    days: tuple[dt.date, ...]
    first_of_day: tuple[int, ...]
    revisions: dict[tuple[int, dt.date], int]

    @property
    def complete(self) -> bool:
        """Whether every step of every participant was measured."""
        return not any(self.missing.values())


def zone(community: Community) -> ZoneInfo:
    """The community's clock: its place's, else its newest data's, else UTC."""
    if community.place is not None:
        return ZoneInfo(community.place.timezone)
    version = community.versions.order_by("-number").first()
    return ZoneInfo(version.timezone if version else "UTC")


def midnight(day: dt.date, clock: ZoneInfo) -> dt.datetime:
    """The moment at which a local day begins, UTC."""
    return dt.datetime.combine(day, dt.time(), tzinfo=clock).astimezone(dt.UTC)


def steps_in(day: dt.date, clock: ZoneInfo, step_minutes: int) -> int:
    """How many steps a local day has: 92, 96 or 100 quarters where the clock is changed by an hour."""
    return (midnight(day + dt.timedelta(days=1), clock) - midnight(day, clock)) // dt.timedelta(minutes=step_minutes)


def coarser(values: "array[float]", step_minutes: int, wanted_minutes: int) -> "array[float]":
    """Sums over longer steps; NaN where any part is."""
    parts = wanted_minutes // step_minutes
    if parts == 1:
        return values
    return array("d", (sum(values[i : i + parts]) for i in range(0, len(values), parts)))


def curves(
    community: Community,
    *,
    start: dt.date,
    end: dt.date,
    participants: "Sequence[Participant] | None" = None,
    as_of: "Mapping[tuple[int, dt.date], int] | None" = None,
    step_minutes: int | None = None,
) -> Measured:
    """What was measured on the local days from `start` until the day before `end`, of all who belonged on one of them
    (or of those named). Steps are quarters where every day was measured in quarters, else hours (or as asked for).
    `as_of`: revisions to read instead of the newest, as `Measured.revisions` has them; days that are not in it count as
    not measured. Two queries and one more for the days; pure Python, for pages too.
    """
    clock = zone(community)
    days = tuple(start + dt.timedelta(days=i) for i in range((end - start).days))
    people = tuple(_belonging(community, start, end) if participants is None else participants)
    meters = list(MeterPoint.objects.filter(participant__in=people).exclude(proof=MeterPoint.Proof.CLAIMED))
    rows = _rows([meter.pk for meter in meters], start, end, as_of)
    step = step_minutes or (HOUR_MIN if any(r.step_minutes > QUARTER_MIN for r in rows.values()) else QUARTER_MIN)
    counts = tuple(steps_in(day, clock, step) for day in days)
    grid = _Grid(days, counts, rows, step)
    firsts = _running(counts)
    of_participant: dict[int, list[MeterPoint]] = defaultdict(list)
    for meter in meters:
        of_participant[meter.participant_id].append(meter)
    found: dict[str, dict[int, array[float]]] = {USE: {}, FEED_IN: {}, SOLAR: {}}
    missing, present = {}, {}
    for person in people:
        own = of_participant[person.pk]
        whole = {name: _curve(person, [m for m in own if m.direction == name], grid) for name in found}
        if not own:
            whole[USE] = _unknown(person, grid)
        for name, values in whole.items():
            found[name][person.pk] = values
        missing[person.pk] = sum(1 for trio in zip(*whole.values(), strict=True) if any(map(math.isnan, trio)))
        present[person.pk] = _present(person, days, firsts, sum(counts))
    return Measured(
        start=midnight(start, clock),
        step_minutes=step,
        steps=sum(counts),
        participants=people,
        use_kwh=found[USE],
        feed_in_kwh=found[FEED_IN],
        solar_kwh=found[SOLAR],
        missing=missing,
        present=present,
        days=days,
        first_of_day=tuple(firsts),
        revisions={key: row.revision for key, row in rows.items()},
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """The days of a time, how many steps each has, and what was measured of whom on it."""

    days: Sequence[dt.date]
    counts: Sequence[int]
    rows: "Mapping[tuple[int, dt.date], MeterDay]"
    step_minutes: int


def _belonging(community: Community, start: dt.date, end: dt.date) -> Iterable[Participant]:
    return community.participants.filter(Q(left_on=None) | Q(left_on__gt=start), joined_on__lt=end).order_by("pk")


def _rows(
    meters: Sequence[int],
    start: dt.date,
    end: dt.date,
    as_of: "Mapping[tuple[int, dt.date], int] | None",
) -> dict[tuple[int, dt.date], MeterDay]:
    rows = MeterDay.objects.filter(meter__in=meters, day__gte=start, day__lt=end)
    if as_of is None:
        return {(row.meter_id, row.day): row for row in rows.filter(current=True)}
    return {(row.meter_id, row.day): row for row in rows if as_of.get((row.meter_id, row.day)) == row.revision}


def _running(counts: Sequence[int]) -> list[int]:
    firsts, at = [], 0
    for count in counts:
        firsts.append(at)
        at += count
    return firsts


def _curve(person: Participant, meters: Sequence[MeterPoint], grid: _Grid) -> "array[float]":
    """The sum over the registers of one direction; on a day on which none of them is theirs it is not known."""
    whole: array[float] = array("d")
    for day, count in zip(grid.days, grid.counts, strict=True):
        if not meters or not person.belongs(day):
            whole.extend([0.0] * count)
            continue
        valid = [m for m in meters if m.is_valid(day)]
        parts = [_day(grid.rows.get((m.pk, day)), count, grid.step_minutes) for m in valid]
        whole.extend(map(sum, zip(*parts, strict=True)) if parts else [NAN] * count)
    return whole


def _day(row: MeterDay | None, count: int, step_minutes: int) -> "Sequence[float]":
    if row is None or row.step_minutes > step_minutes:
        return [NAN] * count
    values = coarser(series.unpack(row.packed), row.step_minutes, step_minutes)
    return values if len(values) == count else [NAN] * count


def _unknown(person: Participant, grid: _Grid) -> "array[float]":
    whole: array[float] = array("d")
    for day, count in zip(grid.days, grid.counts, strict=True):
        whole.extend([NAN if person.belongs(day) else 0.0] * count)
    return whole


def _present(person: Participant, days: Sequence[dt.date], firsts: Sequence[int], steps: int) -> tuple[int, int]:
    inside = [i for i, day in enumerate(days) if person.belongs(day)]
    if not inside:
        return (0, 0)
    last = inside[-1] + 1
    return (firsts[inside[0]], firsts[last] if last < len(firsts) else steps)
