"""What one member made, used, bought and saved: private, for who may see it (`policies.may_see_member`)."""

import datetime as dt
import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from commons.people.models import User
from energy import policies, series
from energy.models import Community, CommunityVersion, Member, Participant, Simulation
from energy.queries import measured
from energy.queries.communities import latest, of_version
from energy.queries.hours import locate, steps_of_day
from energy.queries.year import moments

NAMES = ("import_price", "export_price", "load", "pv", "lack", "spare")


@dataclass(frozen=True, slots=True)
class Flows:
    """One member's energies over a time, kWh. What neighbours gave and took is by use and by surplus in each step."""

    made: float
    used: float
    own: float
    neighbours: float
    grid: float
    to_neighbours: float
    sent: float


@dataclass(frozen=True, slots=True)
class Month:
    """A local month of a member: energies, and what it would pay alone and together at the community's own price."""

    first: dt.date
    used: float
    made: float
    alone: float
    together: float

    @property
    def saving(self) -> float:
        """What together is cheaper by."""
        return self.alone - self.together


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a member, mean kW; `made` is all of its solar."""

    start: dt.datetime
    used: float
    made: float
    own: float
    neighbours: float
    grid: float
    to_neighbours: float
    sent: float


@dataclass(frozen=True, slots=True)
class Bill:
    """What a simulation says of this member: alone, together, and the saving, in the community's currency."""

    simulation: Simulation
    alone: float
    together: float

    @property
    def saving(self) -> float:
        """What together is cheaper by; below zero it costs more."""
        return self.alone - self.together


@dataclass(frozen=True, slots=True)
class Mine:
    """All of a member's own figures over the period of a version."""

    member: Member
    version: CommunityVersion
    flows: Flows
    months: Sequence[Month]
    bills: Sequence[Bill]
    shared: bool  # whether what neighbours gave is known

    @property
    def alone(self) -> float:
        """What it would pay without the others, nothing stored."""
        return sum(month.alone for month in self.months)

    @property
    def together(self) -> float:
        """What it pays together at the community's own price, nothing stored."""
        return sum(month.together for month in self.months)


def members_of(community: Community, viewer: policies.Viewer) -> list[Member]:
    """The viewer's own members in the newest data."""
    version = latest(community)
    if version is None or not isinstance(viewer, User) or not viewer.is_active:
        return []
    return list(version.members.filter(person=viewer).select_related("version", "version__community"))


def has_own(community: Community, viewer: policies.Viewer) -> bool:
    """Whether this person has figures of their own here; two queries for who is signed in."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return False
    if _candidates(community, viewer).exists():
        return True
    version = latest(community)
    return version is not None and policies.is_member(viewer, version)


def participants_of(community: Community, viewer: policies.Viewer) -> list[Participant]:
    """Participants whose curves the viewer may see: their own, and those who allowed them."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return []
    found = _candidates(community, viewer).select_related("community", "community__place")
    return [participant for participant in found if policies.may_see_readings(viewer, participant)]


def _candidates(community: Community, viewer: User) -> "QuerySet[Participant]":
    """Whose readings the viewer may see: their own, their organisation's, and of those who allow them."""
    leads = Q(organisation__memberships__user=viewer, organisation__memberships__role__in=policies.STEWARDS)
    return community.participants.filter(Q(person=viewer) | Q(viewers=viewer) | leads).distinct()


def of_member(member: Member) -> Mine:
    """Flows, months and bills of a member."""
    version = member.version
    curves = of_version(version, *NAMES)
    load, made = series.unpack(member.load), series.unpack(member.pv)
    parts = _parts(load, made, curves)
    return Mine(
        member=member,
        version=version,
        flows=Flows(
            made=sum(made),
            used=sum(load),
            own=sum(parts["own"]),
            neighbours=sum(parts["neighbours"]),
            grid=sum(parts["grid"]),
            to_neighbours=sum(parts["to_neighbours"]),
            sent=sum(parts["sent"]),
        ),
        months=_months(version, load, made, curves),
        bills=_bills(member),
        shared="lack" in curves,
    )


def _parts(
    load: "array[float]", made: "array[float]", curves: "Mapping[str, array[float]]"
) -> "dict[str, array[float]]":
    """What each step's use came from and where the solar went; without the neighbours' sums all is the grid's."""
    n = len(load)
    found = {name: array("d", bytes(8 * n)) for name in ("own", "neighbours", "grid", "to_neighbours", "sent")}
    lack, spare = curves.get("lack"), curves.get("spare")
    for i in range(n):
        net = load[i] - made[i]
        found["own"][i] = min(load[i], made[i])
        traded = 0.0 if lack is None or spare is None else min(lack[i], spare[i])
        if net > 0:
            given = net * traded / lack[i] if lack is not None and lack[i] > 0 else 0.0
            found["neighbours"][i], found["grid"][i] = given, net - given
        elif net < 0:
            taken = -net * traded / spare[i] if spare is not None and spare[i] > 0 else 0.0
            found["to_neighbours"][i], found["sent"][i] = taken, -net - taken
    return found


def _months(
    version: CommunityVersion, load: "array[float]", made: "array[float]", curves: "Mapping[str, array[float]]"
) -> list[Month]:
    """Alone: what is lacking at the import price, what is spare at the export price. Together: all of it at the import
    price while the community lacks, at the export price while it has to spare: the price that no group can beat.
    """
    buy, sell = curves["import_price"], curves["export_price"]
    sums: dict[dt.date, list[float]] = {}
    for i, moment in enumerate(moments(version)):
        row = sums.setdefault(moment.date().replace(day=1), [0.0] * 4)
        net, all_of_it = load[i] - made[i], curves["load"][i] - curves["pv"][i]
        price = buy[i] if all_of_it > 0 else sell[i] if all_of_it < 0 else (buy[i] + sell[i]) / 2
        row[0] += load[i]
        row[1] += made[i]
        row[2] += net * (buy[i] if net > 0 else sell[i])
        row[3] += net * price
    return [Month(first, *row) for first, row in sorted(sums.items())]


def _bills(member: Member) -> list[Bill]:
    """The newest answer for each control and rule of sharing."""
    found: dict[tuple[str, str], Bill] = {}
    rows = member.version.simulations.order_by("-created_at", "-pk").defer("totals", "separate")
    for simulation in rows:
        key = (simulation.control, simulation.sharing_rule)
        row = next((m for m in simulation.members if m["id"] == member.key), None)
        if row is not None and key not in found:
            found[key] = Bill(simulation, float(row["cost_alone"]), float(row["cost_shared"]))
    return list(found.values())


def day(member: Member, date: dt.date) -> tuple[list[Step], bool] | None:
    """A local day of a member, and whether it is that very day and not the same of the data's year; or None."""
    version = member.version
    found = steps_of_day(version, date)
    if found is None:
        return None
    span = slice(found.first, found.first + len(found.starts))
    curves = {name: values[span] for name, values in of_version(version, *NAMES).items()}
    load, made = series.unpack(member.load)[span], series.unpack(member.pv)[span]
    parts = _parts(load, made, curves)
    hours = version.step_minutes / 60
    steps = [
        Step(start, load[i] / hours, made[i] / hours, **{name: values[i] / hours for name, values in parts.items()})
        for i, start in enumerate(found.starts)
    ]
    return steps, found.exact


@dataclass(frozen=True, slots=True)
class ComparedDay:
    """A local day of which every hour was measured: kWh measured, and expected by the data."""

    date: dt.date
    measured_kwh: float
    expected_kwh: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One meter's measured sums against the data that simulations use, over the steps that both know.

    `error` is the mean of |measured - expected| over the mean of measured: 0.2 is "off by a fifth, step by step";
    `off` is how far the sum is off, as a share of what was measured.
    """

    name: str
    measured_kwh: float
    expected_kwh: float
    error: float | None
    off: float | None
    steps: int
    missing: int
    exact: bool
    days: Sequence[ComparedDay] = ()


def against(participant: Participant, member: Member, start: dt.date, end: dt.date) -> list[Compared]:
    """Measured use and solar against the member's data, from `start` until the day before `end`."""
    found = measured.curves(participant.community, start=start, end=end, participants=(participant,), step_minutes=60)
    load, made = series.unpack(member.load), series.unpack(member.pv)
    net = array("d", (a - b for a, b in zip(load, made, strict=True)))
    bought = array("d", (max(n, 0.0) for n in net))
    sent = array("d", (max(-n, 0.0) for n in net))
    pairs = (
        ("use", found.use_kwh, bought),
        ("feed_in", found.feed_in_kwh, sent),
        ("solar", found.solar_kwh, made),
    )
    rows = []
    for name, curves, expected in pairs:
        values = curves.get(participant.pk)
        if values is None or not any(v > 0 for v in values):
            continue
        rows.append(_against(name, values, expected, found, member.version))
    return rows


def _against(
    name: str,
    values: "array[float]",
    expected: "array[float]",
    found: measured.Measured,
    version: CommunityVersion,
) -> Compared:
    parts = 60 // version.step_minutes
    sums, errors, known, missing, exact = [0.0, 0.0], 0.0, 0, 0, True
    zone, days, broken = ZoneInfo(version.timezone), dict[dt.date, list[float]](), set[dt.date]()
    for i, value in enumerate(values):
        moment = found.start + i * dt.timedelta(hours=1)
        where, date = locate(version, moment), moment.astimezone(zone).date()
        if math.isnan(value) or where is None:
            missing += known > 0  # before the first that was measured there was no meter yet
            broken.add(date)
            continue
        foreseen = sum(expected[where.index : where.index + parts])
        exact = exact and where.exact
        sums[0], sums[1] = sums[0] + value, sums[1] + foreseen
        errors += abs(value - foreseen)
        known += 1
        day = days.setdefault(date, [0.0, 0.0])
        day[0], day[1] = day[0] + value, day[1] + foreseen
    whole = sums[0]
    return Compared(
        name,
        whole,
        sums[1],
        errors / whole if whole > 0 else None,
        (sums[1] - whole) / whole if whole > 0 else None,
        known,
        missing,
        exact,
        [ComparedDay(date, *pair) for date, pair in sorted(days.items()) if date not in broken],
    )


def today(version: CommunityVersion, now: dt.datetime) -> dt.date:
    """The local day of a moment."""
    return now.astimezone(ZoneInfo(version.timezone)).date()
