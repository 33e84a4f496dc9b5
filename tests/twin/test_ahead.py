"""The next 48 hours, power, sandboxes and coverage of a district: made, kept, scored, shown; who may."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from commons.people.models import User
from commons.places.models import Place
from commons.runs.models import Run
from commons.runs.work import do
from energy import series, veil
from energy.models import Community, CommunityVersion
from energy.models.communities import VersionSeries
from energy.models.publishing import Publication
from tests.engines.test_twin_ahead import weeks
from tests.twin.conftest import Import, the_town
from tests.twin.test_pages import steward
from twin import queries, services
from twin import tasks as twin_tasks
from twin.models import Ahead, CoverageDay, District, Sandbox
from twin.services import ahead, coverage, sandboxes

pytestmark = pytest.mark.django_db
DAYS = 110
AHEAD_DAYS = 40


@pytest.fixture
def measured(town: Import, place: Place) -> District:
    """The town, with a community whose hours everybody sees: 110 days behind it and 40 in its data to come."""
    Place.objects.filter(pk=place.pk).update(timezone="Europe/Helsinki")
    place.refresh_from_db()
    town(place=place)
    zone = ZoneInfo("Europe/Helsinki")
    today = timezone.now().astimezone(zone).date()
    start = dt.datetime.combine(today - dt.timedelta(days=DAYS), dt.time(), tzinfo=zone).astimezone(dt.UTC)
    hours = (DAYS + AHEAD_DAYS) * 24
    load = 20 * weeks(DAYS + AHEAD_DAYS, 1).ravel()
    sun = np.tile(np.maximum(np.sin((np.arange(24) - 6) / 12 * np.pi), 0) * 30, DAYS + AHEAD_DAYS)
    community = Community.objects.create(slug="quarter", name="Quarter power", place=place, demo=True)
    version = CommunityVersion.objects.create(
        community=community, number=1, content_sha256="0" * 64, currency="EUR", timezone="Europe/Helsinki",
        start=start, step_minutes=60, steps=hours, load_kwh=float(load.sum()), pv_kwh=float(sun.sum()),
        battery_kwh=50, battery_kw=25, battery_efficiency=0.9, demo=True,
    )  # fmt: skip
    for name, values in (("load", load), ("pv", sun)):
        VersionSeries.objects.create(version=version, name=name, packed=series.pack(values.tolist()))
    Publication.objects.create(version=version)
    assert veil.lay(version)
    return the_town()


def ended(run: Run) -> Run:
    do(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.DONE, run.error
    return run


def day_of(found: District, back: int = 0) -> dt.date:
    zone = ZoneInfo("Europe/Helsinki")
    return timezone.now().astimezone(zone).date() - dt.timedelta(days=back)


def test_a_forecast_is_kept_as_made_and_scored_by_what_came(measured: District, client: Client) -> None:
    old, today = day_of(measured, 3), day_of(measured)
    assert client.get("/api/v1/districts/town/ahead/").status_code == 404
    ended(ahead.start_ahead(district=measured, day=old))
    kept = Ahead.objects.get(district=measured, series="load")
    assert (kept.day, kept.served, len(kept.middle)) == (old, "model", 48)
    assert kept.scored_at is None
    before = list(kept.middle)
    result = ended(ahead.start_ahead(district=measured, day=today)).result
    assert result is not None
    assert result["scored"] == 2
    kept.refresh_from_db()
    assert kept.middle == before
    came = np.array(kept.came, dtype=float)
    assert kept.score["mae"] == pytest.approx(np.abs(came - np.array(before)).mean(), abs=1e-3)
    assert kept.score["naive_mae"] == pytest.approx(np.abs(came - np.array(kept.naive)).mean(), abs=1e-3)
    assert not ahead.keep_score(forecast=kept, came=[0.0] * 48, score={}), "a score is written once"
    ended(ahead.start_ahead(district=measured, day=today))
    assert Ahead.objects.filter(day=today, series="load").count() == 1
    sun = Ahead.objects.get(day=today, series="solar")
    assert sun.served != "model", "a sun that repeats is foreseen by the simple guess"
    page = client.get("/twin/town/ahead/").content.decode()
    assert "So a simple guess is shown" in page
    assert "Shown is the learned model" in page
    assert "How earlier ones did" in page
    assert "style=" not in page.split("<main")[1].split("</main>")[0]
    rows = client.get(f"/api/v1/districts/town/ahead/?day={old}").json()
    assert [row["series"] for row in rows] == ["load", "solar"]
    assert rows[0]["score"]["hours"] == 48
    assert client.get("/api/v1/districts/town/ahead/?day=tomorrow").status_code == 400
    levels = {row["system"]: row for row in client.get("/api/v1/districts/town/coverage/").json()["systems"]}
    assert levels["electricity"]["level"] == 3
    assert levels["solar"]["level"] < 3, "no better than the day before"


def test_beat_asks_each_district_once_a_day_and_writes_coverage_down(measured: District, client: Client) -> None:
    now = timezone.now()
    assert len(ahead.start_due(now=now)) == 1
    assert ahead.start_due(now=now) == []
    assert set(twin_tasks.BEAT) == {"twin.ahead", "twin.coverage"}
    assert coverage.write_due(now=now - dt.timedelta(days=1)) == 1
    assert coverage.write_due(now=now) == 1
    assert coverage.write_due(now=now) == 0
    kept = CoverageDay.objects.latest("day")
    document = client.get("/api/v1/districts/town/coverage/").json()
    assert kept.levels == {row["system"]: row["level"] for row in document["systems"]}
    assert [row["breadth"] for row in document["days"]] == [kept.breadth] * 2
    page = client.get("/twin/town/coverage/").content.decode()
    assert page.count('scope="row"') >= 16
    assert "Day by day" in page
    assert "For level 2" in page
    assert "manage.py" in page
    assert "Sixteen systems" in page
    compare = client.get("/twin/coverage/").content.decode()
    assert "Town" in compare
    assert "style=" not in (page + compare).split("<main")[1].split("</main>")[0]


def test_power_of_a_year(measured: District, client: Client) -> None:
    assert "Not reckoned yet" in client.get("/twin/town/energy/").content.decode() or Run.objects.exists()
    assert client.post("/twin/town/energy/").status_code == 403
    run = services.start_reckoning(of=queries.current(measured), kind="energy")
    ended(run)
    total = client.get("/api/v1/districts/town/energy/").json()["summary"]
    assert total["use_kwh"] == pytest.approx(sum(total["parts"].values()), abs=3)
    assert total["use_kwh"] == pytest.approx(sum(row["kwh"] for row in total["groups"]), abs=3)
    assert sum(sum(total["months"][name]) for name in total["parts"]) == pytest.approx(total["use_kwh"], abs=20)
    page = client.get("/twin/town/energy/").content.decode()
    assert "a prosumer ratio of" in page
    assert "Reckon again" not in page
    client.force_login(steward())
    assert "Reckon again" in client.get("/twin/town/energy/").content.decode()


def test_a_sandbox_is_frozen_run_and_held_against_what_came(measured: District, client: Client) -> None:
    anna = User.objects.create_user("anna", password="correct horse battery")
    asked = {"title": "More sun", "hours": "48", "battery_kwh": "100", "solar_percent": "50"}
    assert client.post("/twin/town/sandboxes/", asked).status_code == 403
    assert "Sign in to branch one" in client.get("/twin/town/sandboxes/").content.decode()
    client.force_login(anna)
    assert client.post("/twin/town/sandboxes/", {**asked, "hours": "49"}).status_code == 400
    there = client.post("/twin/town/sandboxes/", asked)
    assert there.status_code == 302
    box = Sandbox.objects.get()
    assert box.run is not None
    ended(box.run)
    box.refresh_from_db()
    assert box.answer["lines"].keys() == {"load", "solar", "bought", "sent", "held"}
    assert box.frozen["storage"] == {"kwh": 50.0, "kw": 25.0}
    again = sandboxes.branch(district=measured, by=anna, title="Again", battery_kwh=100, solar_share=0.5)
    assert again.run is not None
    ended(again.run)
    again.refresh_from_db()
    assert again.frozen_sha256 == box.frozen_sha256
    assert again.answer["lines"] == box.answer["lines"], "the same seed and the same district answer the same"
    page = client.get(there["Location"]).content.decode()
    assert "times as fast as time" in page
    assert "Its first day is not over yet" in page
    Sandbox.objects.filter(pk=box.pk).update(day=box.day - dt.timedelta(days=2))
    ended(ahead.start_ahead(district=measured, day=day_of(measured)))
    box.refresh_from_db()
    assert box.scored_at is not None
    assert box.score.keys() == {"load"}, "solar that was added is not scored"
    assert "How near it came" in client.get(there["Location"]).content.decode()
    listed = client.get("/api/v1/districts/town/sandboxes/").json()["results"]
    assert {row["title"] for row in listed} == {"More sun", "Again"}
    one = f"/api/v1/districts/town/sandboxes/{box.pk}/"
    assert client.get(one).json()["frozen"]["day"]
    stranger = Client()
    assert stranger.get(one).status_code == 200
    assert stranger.delete(one).status_code in {401, 403}
    other = Client()
    other.force_login(User.objects.create_user("other"))
    assert other.delete(one).status_code == 404
    assert other.post(f"/twin/town/sandboxes/{box.pk}/remove/").status_code == 404
    assert client.post(f"/twin/town/sandboxes/{box.pk}/remove/").status_code == 302
    assert client.get(one).status_code == 404


@pytest.mark.parametrize("path", ["ahead", "energy", "coverage", "sandboxes"])
def test_pages_of_a_district_without_a_place_say_so(path: str, client: Client, town: Import) -> None:
    town(place=None)
    assert client.get(f"/twin/town/{path}/").status_code == 200
    assert client.get(f"/twin/none/{path}/").status_code == 404
