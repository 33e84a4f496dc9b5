"""An adopted plan is measured: what was, what the ballot said, what is, and how much of it is known."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons import sockets
from commons.decisions import measuring
from commons.decisions import services as decisions
from commons.decisions.models import Enactment
from commons.people.models import User
from commons.people.services import create_organisation, set_role
from commons.places.models import Place
from energy import series
from energy.models import Community, CommunityVersion, VersionSeries
from labs.models import Lab, SunDay
from labs.services import catalogue
from tests.decisions.test_motions import WHY, at_once
from tests.energy.ledger import published
from tests.twin.conftest import Import, the_town
from twin import came_of, deciding
from twin.coverage.levels import standing
from twin.models import ScenarioResult, ScenarioVersion
from twin.queries import scenarios as reads
from twin.services import scenarios

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
UTC = dt.UTC


def midnight(days: int = 0) -> dt.datetime:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + days * DAY


def measured(place: Place, *, days: int, since: int, pv_before: float, pv_since: float) -> CommunityVersion:
    """A community whose data end at today's midnight: 1 kW used all day, and this much made from noon to two, before
    `since` days ago and from then on."""
    load = [1.0] * (24 * days)
    pv = [
        (pv_before if hour // 24 < days - since else pv_since) if hour % 24 in {12, 13} else 0.0
        for hour in range(24 * days)
    ]
    made = Community.objects.create(slug="c", name="C", place=place)
    version = CommunityVersion.objects.create(
        community=made, number=1, content_sha256="f" * 64, currency="EUR", timezone="UTC", start=midnight(-days),
        step_minutes=60, steps=24 * days, load_kwh=sum(load), pv_kwh=sum(pv),
    )  # fmt: skip
    curves = {"load": load, "pv": pv, "cells": [float(n) for n in range(24 * days)]}
    VersionSeries.objects.bulk_create(
        VersionSeries(version=version, name=name, packed=series.pack(values)) for name, values in curves.items()
    )
    published(version)
    return version


@pytest.fixture
def here(place: Place) -> Place:
    """The quarter, by a clock that is easy to reckon with."""
    Place.objects.filter(pk=place.pk).update(timezone="UTC")
    place.refresh_from_db()
    return place


def row_of(found: Any, key: str) -> dict[str, Any]:
    return next(row for row in found["figures"]["rows"] if row["key"] == key)


FIGURES: list[dict[str, Any]] = [
    {"key": "import_kwh", "label": "Bought from the grid", "unit": "kWh/year", "group": "energy",
     "baseline": 1000.0, "scenario": 900.0, "difference": -100.0, "low": -140.0, "high": -60.0, "better": "down",
     "how": ""},
    {"key": "prosumer_ratio", "label": "Prosumer ratio", "unit": "", "group": "energy", "baseline": 0.1,
     "scenario": 0.3, "difference": 0.2, "low": 0.1, "high": 0.25, "better": "up", "how": ""},
    {"key": "walk_min", "label": "To an everyday service on foot", "unit": "min", "group": "access", "baseline": 5.0,
     "scenario": 4.0, "difference": -1.0, "low": None, "high": None, "better": "down", "how": ""},
]  # fmt: skip


def asked(measures: list[dict[str, Any]]) -> ScenarioVersion:
    """A scenario that an engine has answered."""
    made = scenarios.create(district=the_town(), by=None, title="Roofs", measures=measures, edit_key="k")
    version = made.versions.get()
    name = reads.inputs_hash(reads.inputs(version, "quick"))
    ScenarioResult.objects.create(version=version, inputs_hash=name, city_version=1, summary={"figures": FIGURES})
    return version


def test_before_and_since_of_known_curves(here: Place, town: Import) -> None:
    """24 kWh a day; 2 are made a day before, 8 since, in two hours of which one's worth is used at once."""
    town(place=here)
    measured(here, days=40, since=10, pv_before=1.0, pv_since=4.0)
    version = asked([{"kind": "solar", "share_percent": 40}])
    found = came_of.measure(version, here, midnight(-10), midnight())
    assert found is not None and found["system"] == "electricity"
    bought = row_of(found, "import_kwh")
    assert (bought["before"], bought["now"], bought["change"]) == (22.0, 22.0, 0.0)
    assert row_of(found, "made_kwh")["change"] == pytest.approx(3.0)
    assert row_of(found, "prosumer_ratio")["change"] == pytest.approx(8 / 24 - 2 / 24, abs=1e-6)
    assert row_of(found, "self_sufficiency")["before"] == pytest.approx(2 / 24, abs=1e-6)
    assert row_of(found, "export_kwh")["change"] is None, "nothing was sent before, so there is no share of it"
    assert {row["coverage"] for row in found["figures"]["rows"]} == {1.0}
    assert {row["basis"] for row in found["figures"]["rows"]} == {"days"}
    assert came_of.measure(version, here, midnight(-6), midnight()) is None, "less than a week says nothing"


def test_the_same_weeks_of_last_year_are_better_and_gaps_are_said(here: Place, town: Import) -> None:
    town(place=here)
    measured(here, days=400, since=10, pv_before=1.0, pv_since=2.0)
    version = asked([{"kind": "solar", "share_percent": 40}])
    found = came_of.measure(version, here, midnight(-10), midnight())
    assert found is not None and row_of(found, "made_kwh")["basis"] == "year"
    half = came_of.measure(version, here, midnight(-10), midnight(10))
    assert half is not None and row_of(half, "made_kwh")["coverage"] == pytest.approx(0.5)
    assert "system" not in half, "half of the hours prove nothing"
    CommunityVersion.objects.all().update(start=dt.datetime(2011, 1, 1, tzinfo=UTC))
    assert came_of.measure(version, here, midnight(-10), midnight()) is None, "another year's hours are not since"


def test_labs_that_follow_the_sun_are_what_lifts_production(here: Place, town: Import) -> None:
    town(place=here)
    guild = create_organisation(handle="quarter-lab", name="Quarter lab", kind="lab")
    lab = catalogue.open_lab(organisation=guild, name="Quarter lab", place=here)
    measured(here, days=40, since=0, pv_before=3.0, pv_since=3.0)
    for nth in range(1, 21):
        sun_day(lab, nth, kwh=2.0, sun=1.6 if nth <= 10 else 0.8)
    version = asked([{"kind": "lab_hours"}])
    promise = came_of.lab_promise(version, here, midnight(-10) + DAY / 2)
    assert promise is not None
    assert (promise["low"], promise["high"]) == (0.0, pytest.approx(60.0)), "from 40 % to all of the 4 kWh to spare"
    assert promise["difference"] == pytest.approx(30.0)
    found = came_of.measure(version, here, midnight(-10), midnight())
    assert found is not None and found["system"] == "production"
    assert row_of(found, came_of.LAB_SHARE)["change"] == pytest.approx(0.4)
    SunDay.objects.update(exact=False)
    Community.objects.all().delete()
    found = came_of.measure(version, here, midnight(-10), midnight())
    assert found is not None and "system" not in found, "surplus of another year is no proof"
    other = came_of.measure(asked([{"kind": "solar", "share_percent": 10}]), here, midnight(-10), midnight())
    assert other is None, "a plan about roofs is not credited with what labs did"


def sun_day(lab: Lab, ago: int, *, kwh: float, sun: float) -> None:
    SunDay.objects.create(
        lab=lab, day=midnight(-ago).date(), jobs=1, kwh=kwh, sun_kwh=sun, first_sun_kwh=sun, exact=True, method="1",
        made_at=timezone.now(),
    )  # fmt: skip


def test_from_the_ballot_to_the_page_and_to_level_five(here: Place, town: Import) -> None:
    """The whole way: reckoned, voted, enacted, measured; then it is on the decision, in the twin and in coverage."""
    town(place=here)
    guild = create_organisation(handle="quarter-lab", name="Quarter lab", kind="lab")
    catalogue.open_lab(organisation=guild, name="Quarter lab", place=here)
    people = [User.objects.create(username=f"neighbour-{i}") for i in range(3)]
    for person in people:
        set_role(organisation=guild, user=person, role="member")
    guild.memberships.update(since=timezone.now() - 90 * DAY)
    measured(here, days=40, since=9, pv_before=1.0, pv_since=2.5)
    version = asked([{"kind": "solar", "share_percent": 40}])
    motion = decisions.propose(
        body=decisions.body(kind="twin.neighbourhood", key="quarter"), author=people[0], title="Shall it be the plan?",
        text=WHY, method="majority", effect="twin.adopted_scenario",
        options=[{"title": "Roofs", "value": {"scenario_version": str(version.pk)}}],
    )  # fmt: skip
    assert measuring.reckon_all() == 1
    at_once(motion, "open")
    for person in people:
        decisions.vote(motion=motion, person=person, choice="1")
    for state in ("counted", "passed", "enacted"):
        at_once(motion, state)
    done = Enactment.objects.get()
    assert done.promised is not None and done.promised["import_kwh"] == pytest.approx(-0.1)
    assert "stand here beside" in Client().get("/twin/town/").content.decode()
    Enactment.objects.update(effective_at=midnight(-9))
    assert measuring.measure_all(midnight()) == 1
    done.refresh_from_db()
    assert done.measured is not None and done.measured["system"] == "electricity"
    for address in (f"/decisions/{motion.pk}/", "/twin/town/"):
        page = Client().get(address).content.decode()
        assert "Bought from the grid" in page and "Hours known" in page, address
        assert "−10 % (−14 % to −6 %)" in page.replace("\u202f", " ").replace("\xa0", " "), address
    assert deciding.enacted(here) == done
    [piece] = measuring.evidence(here)
    assert (piece.system, piece.level) == ("electricity", 5)
    assert standing(piece, timezone.now()).level == 5
    bare = sockets.Evidence("electricity", 5, "", 1, "", piece.as_of, "", {"measured": {}, "expected": {}})
    assert standing(bare, timezone.now()).level < 5, "a decision that nobody measured is none"
