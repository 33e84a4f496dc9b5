"""The attack by differences, against the running site.

A community goes on: households join and leave, now one, now a few, now many, and the data grow longer. After each step
it is simulated, and the attacker, who knows who belonged to which version and has kept every answer, fetches what
everybody may fetch again: the file of hours with all its columns, the API with its simulations, the open data, the
dashboard, and what a forecast and the district twin are given to learn from, since a guess may repeat it as it is. What
they have are sums of an hour, six, a day, three, an hour of all days, and the whole. They take random pairs of sums and
look whether the difference of the two is what a household used by which their groups differ.

The control does the same with the sums as they are, and must find households: an attack that finds none there proves
nothing.
"""

import csv
import datetime as dt
import io
import itertools
import random
import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.utils import DatabaseError
from django.test import Client

from commons.places import services as places
from commons.places.models import Place
from commons.runs import services as runs
from commons.runs.work import do
from energy import policies, publishing, series, veil
from energy.models import CommunityVersion, PublishedSpan
from energy.queries import live, public
from energy.services import past as history
from energy.services.communities import start_simulation
from tests.energy.test_public import keep, made
from tests.figures_said import figure
from twin import past as twin

pytestmark = pytest.mark.django_db

DAYS = 6
STEPS = 24 * DAYS
PAIRS = 1_000
DOORS = {
    "year.csv load_kwh", "year.csv import_kwh", "open data", "api", "api totals load_kwh", "api totals import_kwh",
    "api each alone", "dashboard", "forecast", "district",
}  # fmt: skip
NEAR = 0.1


@dataclass(frozen=True)
class Sum:
    """A figure: kWh that these households used from one step until another, as it was said at some time."""

    where: str
    group: frozenset[str]
    first: int
    until: int
    kwh: float
    every: int = 1

    @property
    def time(self) -> tuple[int, int, int]:
        """Of which steps it is."""
        return self.first, self.until, self.every


@dataclass
class Attacker:
    """Who keeps every answer, knows everybody's membership, and what each household really used (to judge a guess)."""

    use: "dict[str, np.ndarray]"
    open_kwh: float = 1.0
    sums: list[Sum] = field(default_factory=list)

    def truth(self, key: str, of: Sum) -> float:
        return float(self.use[key][of.first : of.until : of.every].sum())

    def keep(self, where: str, group: frozenset[str], hours: "dict[int, float]") -> None:
        """A table by the hour, and every whole that it makes: days, halves, all of it."""
        for length in (1, 6, 24, 72, STEPS):
            for first in range(0, STEPS, length):
                some = [hours[i] for i in range(first, min(first + length, STEPS)) if i in hours]
                if len(some) == min(length, STEPS - first):
                    self.sums.append(Sum(where, group, first, first + len(some), sum(some)))

    def pairs(self, rng: random.Random, door: str = "") -> Iterator[tuple[Sum, Sum]]:
        """Random pairs of figures that differ: of one time said for two groups, or of two times of one group. With a
        door one of the two has been said there."""
        by_time: dict[tuple[int, int, int], list[Sum]] = {}
        for one in self.sums:
            by_time.setdefault(one.time, []).append(one)
        there = [one for one in self.sums if one.where == door]
        times = sorted(by_time)
        while True:
            if door:
                one = rng.choice(there)
                yield one, rng.choice(by_time[one.time])
            elif rng.random() < 0.8:
                some = by_time[rng.choice(times)]
                yield rng.choice(some), rng.choice(some)
            else:
                yield rng.choice(self.sums), rng.choice(self.sums)

    def recovers(self, a: Sum, b: Sum) -> str | None:
        """A household whose use the difference gives within a tenth: one by which the two groups differ, over a time
        that both have."""
        if a.time != b.time:
            return None
        gap = abs(a.kwh - b.kwh)
        for key in a.group ^ b.group:
            own = self.truth(key, a)
            if own > 0.2 and abs(gap - own) <= NEAR * own:  # below that the rounding itself is more
                return key
        return None


def story(rng: random.Random) -> "tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]":
    """Everybody's use, and the members of each version: one joins, one leaves, some do, the same again."""
    draw = np.random.default_rng(5)
    people = {f"h{i:02d}": draw.lognormal(-1.0, 0.5, STEPS) for i in range(48)}
    inside, versions = set(list(people)[:24]), []
    for step in range(14):
        many = (0, 1, 1, 2, 6, 1, 3, 7, 1, 4, 6, 1, 2, 8)[step]
        for key in rng.sample(sorted(people), many):
            inside ^= {key}
        while len(inside) < policies.LEAST_MEMBERS + 3:
            inside.add(rng.choice(sorted(set(people) - inside)))
        until = STEPS if step > 6 else STEPS - 24  # data go on by a day in the middle of the story
        versions.append({key: people[key][:until] for key in sorted(inside)})
    return people, versions


def by_the_hour(rows: "list[dict[str, str]]", when: str, what: str, start: dt.datetime) -> "dict[int, float]":
    """A table of an address as hours since the beginning of the data."""
    found = {}
    for row in rows:
        at = dt.datetime.fromisoformat(row[when])
        found[int((at - start).total_seconds() // 3600)] = float(row[what])
    return found


def _text(answer: Any) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def ask(client: Client, attacker: Attacker, group: frozenset[str], start: dt.datetime) -> None:
    """Fetch what everybody may fetch, and keep it. Nobody here has a roof or a battery, so that what is bought is what
    is used: the worst that figures of a simulation can be.
    """
    cache.clear()
    answer = client.get("/energy/made/year.csv")
    if answer.status_code == 200:
        rows = list(csv.DictReader(io.StringIO(_text(answer))))
        for column in ("load_kwh", "import_kwh"):
            if rows and column in rows[0]:
                hours = by_the_hour(rows, "time", column, start)
                attacker.keep(f"year.csv {column}", group, {i: kwh - attacker.open_kwh for i, kwh in hours.items()})
    rows = list(csv.DictReader(io.StringIO(_text(client.get("/data/energy.csv")))))
    if rows:
        hours = by_the_hour(rows, "time", "load_kwh", start)
        attacker.keep("open data", group, {i: kwh - attacker.open_kwh for i, kwh in hours.items()})
    told: Any = client.get("/api/v1/communities/made/").json()
    steps = told["version"]["steps"]
    wholes = {"api": told["version"]["load_kwh"]}
    for simulation in told["simulations"]:
        wholes |= {f"api totals {name}": simulation["totals"][name] for name in ("load_kwh", "import_kwh")}
        wholes["api each alone"] = simulation["separate"]["import_kwh"]
    for where, kwh in wholes.items():
        if kwh is not None:
            attacker.sums.append(Sum(where, group, 0, steps, kwh - attacker.open_kwh * steps))
    hours_of_day: Any = client.get("/api/v1/places/street/dashboard/panel-energy-hours/").json()
    zone = ZoneInfo("Europe/Helsinki")
    for row in hours_of_day.get("rows", ()):
        first = (int(row["hour"][:2]) - start.astimezone(zone).hour) % 24
        days = len(range(first, steps, 24))
        kwh = (row["used_kw"] - attacker.open_kwh) * days
        attacker.sums.append(Sum("dashboard", group, first, steps, kwh, 24))


def learn(attacker: Attacker, version: CommunityVersion, group: frozenset[str]) -> None:
    """What a forecast and the district twin know of the households' past: the guess “as yesterday” says it as it is."""
    until = version.last_day + dt.timedelta(days=1)
    known = {"forecast": history.of_version(version, until), "district": twin.past(place_of(version), "load", until)}
    for where, past in known.items():
        if past is None:
            continue
        days = past.days["load"] if isinstance(past.days, Mapping) else past.days
        midnight = dt.datetime.combine(past.first_day, dt.time(), ZoneInfo(version.timezone))
        first = int((midnight - version.start).total_seconds() // 3600)
        hours = {first + i: float(kwh) - attacker.open_kwh for i, kwh in enumerate(days.ravel()) if kwh == kwh}  # noqa: PLR0124 not a number
        attacker.keep(where, group, {i: kwh for i, kwh in hours.items() if 0 <= i < version.steps})


def place_of(version: CommunityVersion) -> Place:
    """Where the community is."""
    place = version.community.place
    assert place is not None
    return place


@dataclass
class Found:
    """What the story left behind."""

    attacker: Attacker
    naive: Attacker
    published: list[CommunityVersion]


@pytest.fixture
def told(db: None, client: Client, monkeypatch: pytest.MonkeyPatch) -> Found:
    return tell(client, monkeypatch)


def tell(client: Client, monkeypatch: pytest.MonkeyPatch) -> Found:
    """The whole story, with an attacker who listens."""
    rng = random.Random(3)
    people, versions = story(rng)
    attacker, naive = Attacker(people), Attacker(people)
    groups: dict[int, frozenset[str]] = {}
    monkeypatch.setattr(runs, "ring", lambda _run: None)
    city = places.ensure_city(slug="oulu", name="Oulu", timezone="Europe/Helsinki")
    street = places.ensure_neighbourhood(slug="street", name="Street", city=city)
    for members in versions:
        version = keep(made(members))
        version.community.place = street
        version.community.save()
        group = frozenset(members)
        groups[version.pk] = group
        shown = public.version(version.community, None)
        assert shown is not None
        if shown.pk == version.pk:
            assert do(start_simulation(version=version, control="none", full=True).pk)
            learn(attacker, shown, group)
        ask(client, attacker, groups[shown.pk], version.start)
        real = np.sum(list(members.values()), axis=0)
        naive.keep("naive", group, {i: round(float(kwh), 1) for i, kwh in enumerate(real)})
    return Found(attacker, naive, list(CommunityVersion.objects.filter(publication__isnull=False).order_by("number")))


def attack(by: Attacker, pairs: int = PAIRS, door: str = "") -> list[tuple[str, Sum, Sum]]:
    rng = random.Random(17)
    found = []
    for (a, b), _n in zip(by.pairs(rng, door), range(pairs), strict=False):
        key = by.recovers(a, b)
        if key is not None:
            found.append((key, a, b))
    return found


def test_a_thousand_pairs_recover_no_household(told: Found) -> None:
    """0 of 1,000 within a tenth; the same attack on the plain sums finds dozens."""
    assert {one.where for one in told.attacker.sums} == DOORS
    assert len({one.group for one in told.attacker.sums}) >= 3, "the public saw several groups"
    control, real = attack(told.naive), attack(told.attacker)
    figure("privacy_recovered_plain", len(control), f"of {PAIRS} pairs of sums that are not cut")
    figure("privacy_recovered", len(real), f"of {PAIRS} pairs")
    assert len(control) >= 20
    assert real == []


def test_every_pair_of_published_figures_of_one_time(told: Found) -> None:
    """Not random ones alone: of each time, every figure against every other."""
    by_time: dict[tuple[int, int, int], dict[tuple[frozenset[str], float], Sum]] = {}
    for one in told.attacker.sums:
        by_time.setdefault(one.time, {})[one.group, round(one.kwh, 6)] = one
    pairs = 0
    for some in by_time.values():
        for a, b in itertools.combinations(some.values(), 2):
            pairs += 1
            assert told.attacker.recovers(a, b) is None, (a.where, b.where, a.time, a.group ^ b.group)
    figure("privacy_pairs_compared", pairs, "pairs")


def test_a_thousand_pairs_at_each_door_recover_no_household(told: Found) -> None:
    """One of the two sums was said at that door, the other anywhere."""
    for door in sorted(DOORS):
        real = attack(told.attacker, door=door)
        figure(f"privacy_recovered_at_{re.sub('[^a-z]+', '_', door.lower())}", len(real), f"of {PAIRS}")
        assert real == [], door


def test_without_the_veil_a_simulation_gives_them_away(
    monkeypatch: pytest.MonkeyPatch, client: Client, db: None
) -> None:
    """The control of the doors: the hours of what is bought, shown of every group that was ever published."""
    monkeypatch.setattr(publishing, "of_same_households", lambda _version: True)
    monkeypatch.setattr(veil, "cells", lambda version: array("d", range(version.steps)))
    attacker = tell(client, monkeypatch).attacker
    found = attack(attacker, door="year.csv import_kwh")
    figure("privacy_recovered_unveiled", len(found), f"of {PAIRS}")
    assert len(found) >= 20


def test_a_moment_is_published_once(told: Found) -> None:
    """Whoever joined or left since: an hour that was published says today what it said then."""
    hours: dict[int, set[float]] = {}
    for one in told.attacker.sums:
        if one.where == "year.csv load_kwh" and one.until - one.first == 1:
            hours.setdefault(one.first, set()).add(round(one.kwh, 6))
    assert len(hours) == STEPS
    assert all(len(values) == 1 for values in hours.values())
    assert len(told.published) >= 3


def test_the_database_holds_the_ledger(told: Found) -> None:
    span = PublishedSpan.objects.first()
    assert span is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        PublishedSpan.objects.create(
            community=span.community, start=span.start, end=span.end, step_minutes=60, packed=span.packed
        )
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        PublishedSpan.objects.filter(pk=span.pk).update(packed=b"")


def test_new_time_is_cut_by_itself(db: None) -> None:
    """A cell never reaches from new time into time that was published before."""
    draw = np.random.default_rng(2)
    use = {f"h{i}": draw.uniform(0.2, 1.0, 72) for i in range(16)}
    first = keep(made({key: values[:30] for key, values in use.items()}))  # ends in the middle of a day
    later = keep(made(use))
    spans = list(PublishedSpan.objects.order_by("start"))
    assert [(span.start, span.end) for span in spans] == [(first.start, first.end), (first.end, later.end)]
    whole = veil.lift(later)
    assert list(whole[:30]) == list(veil.lift(first))
    for span in spans:
        tenths = sum(series.unpack(span.packed)) * 10
        assert tenths == pytest.approx(round(tenths), abs=1e-6)


def test_five_of_whom_one_is_nearly_all_wait(db: None) -> None:
    """Five join, four of them with next to nothing: the difference would be the fifth's."""
    draw = np.random.default_rng(4)
    people = {f"h{i:02d}": draw.uniform(0.2, 1.0, 48) for i in range(21)}
    for key in list(people)[17:]:
        people[key] = people[key] * 0.001
    first = keep(made({key: people[key] for key in list(people)[:16]}))
    assert publishing.publish(first)
    five = keep(made(people))
    assert public.version(five.community, None) == first


def test_who_comes_or_goes_counts_live_with_four_others() -> None:
    """The live sum is of the same households until five change together; who left makes it silent until then."""
    since, march, april = dt.date(2025, 1, 1), dt.date(2026, 3, 1), dt.date(2026, 4, 1)
    spells: list[tuple[int, dt.date, dt.date | None]] = [(key, since, None) for key in range(30)]
    everybody = frozenset(range(30))
    assert live.settled(spells, march) == everybody
    four = [*spells, *((key, dt.date(2026, 2, 10), None) for key in range(30, 34))]
    assert live.settled(four, march) == everybody
    five = [*four, (34, dt.date(2026, 2, 28), None)]
    assert live.settled(five, march) == frozenset(range(35))
    late = [*four, (34, dt.date(2026, 3, 2), None)]
    assert live.settled(late, march) == everybody
    assert live.settled(late, april) == frozenset(range(35))
    left = [(0, since, dt.date(2026, 2, 5)), *spells[1:]]
    assert live.settled(left, march) == everybody  # and so nothing of households is shown: one of them is not there
