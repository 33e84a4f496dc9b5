"""Pages and sockets: what they say, to whom, and how many queries it costs."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons import sockets
from commons.people.models import User
from commons.places.models import Place
from commons.runs.models import Run
from energy import demo, queries, services
from energy.models import Community, CommunityVersion, Simulation

from .conftest import write


@pytest.fixture
def first_of_january(monkeypatch: pytest.MonkeyPatch) -> dt.datetime:
    """Noon in Helsinki on the second day of the data."""
    now = dt.datetime(2026, 1, 2, 10, 20, tzinfo=dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    return now


@pytest.fixture
def solved(version: CommunityVersion, transactional_db: None) -> CommunityVersion:
    from .test_simulation import finish

    for control, rule in (("rule", None), ("none", "owen"), ("none", "equal")):
        finish(str(services.start_simulation(version=version, control=control, sharing=rule, full=True).pk))
    assert Simulation.objects.count() == 3
    return version


def test_sections_home_lists_communities(client: Client, version: CommunityVersion) -> None:
    page = client.get("/energy/").content.decode()
    assert "Sixteen homes" in page
    assert "Kamppi" in page


def test_an_empty_city_says_so(client: Client, db: None) -> None:
    assert "No energy community yet" in client.get("/energy/").content.decode()
    assert client.get("/energy/nowhere/").status_code == 404


def test_the_page_of_a_place_is_its_communitys(client: Client, version: CommunityVersion) -> None:
    assert "Energy in Kamppi" in client.get("/energy/kamppi/").content.decode()


def test_a_day_in_figures(client: Client, solved: CommunityVersion) -> None:
    page = client.get("/energy/sixteen/?day=2026-01-02").content.decode()
    assert "of what is used here comes from the roofs here" in page
    assert "Good hours: 11:00 to 16:00." in page  # sun from 09:00 to 14:00 UTC, shown in Helsinki's time
    assert "lc-chart" in page
    assert "16 homes" in page
    assert "Home" not in page.split("Members")[1].split("16 homes")[0]
    other = client.get("/energy/sixteen/?day=2024-06-01").content.decode()
    assert "The data do not hold" in other


def test_a_small_community_does_not_show_its_hours(client: Client, tmp_path: Path, db: None) -> None:
    services.import_folder(folder=write(tmp_path / "few", homes=5, name="Few"), slug="few")
    page = client.get("/energy/few/?day=2026-01-02").content.decode()
    assert "has 5 households; sums over households are shown from 15 on" in page
    assert "Today so far" not in page
    assert "The whole period" not in page
    assert "all solar" in page


def test_sharing_says_stable_and_what_would_leave(client: Client, solved: CommunityVersion, neighbour: User) -> None:
    page = client.get("/energy/sixteen/sharing/").content.decode()
    assert "Stable: nobody would do better by leaving." in page
    assert "131\u202f070" in page
    equal = client.get("/energy/sixteen/sharing/?rule=equal").content.decode()
    assert "Not stable" in equal
    assert "When you are a member" in equal
    solved.members.filter(key="h01").update(person=neighbour)
    client.force_login(neighbour)
    assert "your share of the saving" in client.get("/energy/sixteen/sharing/").content.decode()


def test_the_form_starts_a_run(client: Client, version: CommunityVersion, neighbour: User) -> None:
    url = "/energy/sixteen/simulate/"
    assert client.post(url, {"control": "rule"}).status_code == 302
    assert Run.objects.count() == 0
    client.force_login(neighbour)
    started = client.post(url, {"control": "rule", "sharing": ""})
    run = Run.objects.get()
    assert started.headers["Location"] == f"/runs/{run.pk}/"
    assert (run.kind, run.owner) == ("energy.simulate", neighbour)
    assert run.inputs["horizon_hours"] is None
    assert client.post(url, {"control": "optimal", "horizon_hours": "48"}).status_code == 302
    assert Run.objects.exclude(pk=run.pk).get().inputs["horizon_hours"] == 48.0
    assert client.post(url, {"control": "optimal", "horizon_hours": "-1"}).status_code == 400
    assert client.post(url, {"control": "magic"}).status_code == 400
    assert client.get("/energy/sixteen/").status_code == 200


def test_pages_cost_few_queries(
    client: Client, solved: CommunityVersion, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    for i in range(4):
        services.import_folder(folder=write(tmp_path / f"c{i}", name=f"C {i}"), slug=f"c{i}")
    with django_assert_max_num_queries(12):
        client.get("/energy/")
    with django_assert_max_num_queries(40):
        client.get("/energy/sixteen/?day=2026-01-02")


# --- sockets --------------------------------------------------------------------------------------------


def test_prosumer_ratio_of_a_place_and_of_its_city(version: CommunityVersion, kamppi: Place, tmp_path: Path) -> None:
    figure = queries.prosumer(kamppi)
    assert figure.value == pytest.approx(version.pv_kwh / version.load_kwh)
    assert figure.numerator == version.pv_kwh
    assert figure.denominator == pytest.approx(version.load_kwh, abs=0.05 * version.steps)
    assert (figure.start, figure.end) == (version.start, version.end)
    assert figure.completeness == pytest.approx(1.0)
    assert not figure.demo
    assert "kWh used in 2026." in str(figure.sentence)
    assert kamppi.parent is not None
    assert queries.prosumer(kamppi.parent).value == figure.value
    # without a place it enters no figure; a second community of the place does, by its energy
    services.import_folder(folder=write(tmp_path / "elsewhere"), slug="elsewhere")
    assert queries.prosumer(kamppi).value == figure.value
    other = services.import_folder(folder=write(tmp_path / "second", homes=16, days=2), slug="second", place=kamppi)
    both = queries.prosumer(kamppi)
    assert both.value == pytest.approx((version.pv_kwh + other.pv_kwh) / (version.load_kwh + other.load_kwh))
    assert both.completeness == pytest.approx((17 * 4 + 17 * 2) / (34 * 4))
    # three households are too few to be in a published sum
    services.import_folder(folder=write(tmp_path / "third", homes=3), slug="third", place=kamppi)
    assert queries.prosumer(kamppi).denominator == both.denominator


def test_a_place_without_data_has_no_ratio(kamppi: Place) -> None:
    figure = queries.prosumer(kamppi)
    assert figure.value is None
    assert "No energy community of Kamppi" in str(figure.sentence)


def test_a_new_version_replaces_the_old_in_the_figure(folder: Path, version: CommunityVersion, kamppi: Place) -> None:
    services.import_folder(folder=folder, slug="sixteen")
    assert queries.prosumer(kamppi).denominator == pytest.approx(version.load_kwh)


def test_surplus_of_slots(version: CommunityVersion, kamppi: Place) -> None:
    """At 09:00 UTC the roofs make 8 x 2 = 16 kW and all use 8.5 kW; before, nothing is made."""
    start = dt.datetime(2026, 1, 2, 8, 30, tzinfo=dt.UTC)
    slots = queries.surplus(kamppi, start, start + dt.timedelta(hours=1), dt.timedelta(minutes=30))
    use = sum(0.4 + 0.1 * (k % 3) for k in range(17))
    assert [s[0] for s in slots] == [start, start + dt.timedelta(minutes=30)]
    assert slots[0][1:] == (pytest.approx(-use), 0.0)
    assert slots[1][1:] == (pytest.approx(16 - use), 1.0)
    # the same hour of the year, a year later; a day that the data do not have gives nothing
    later = queries.surplus(
        kamppi,
        start.replace(year=2031),
        start.replace(year=2031) + dt.timedelta(minutes=30),
        dt.timedelta(minutes=30),
    )
    assert later[0][1] == slots[0][1]
    assert (
        queries.surplus(
            kamppi,
            start.replace(month=6),
            start.replace(month=6) + dt.timedelta(hours=1),
            dt.timedelta(hours=1),
        )
        == []
    )


def test_the_sun_and_the_card_of_the_home_page(
    version: CommunityVersion, kamppi: Place, first_of_january: dt.datetime, rf: Any
) -> None:
    ribbon = sockets.sun.get("energy")
    assert ribbon is not None
    hours = list(ribbon.hours(kamppi))
    assert len(hours) == 24
    assert hours[0].start == dt.datetime(2026, 1, 1, 22, tzinfo=dt.UTC)
    assert [h.forecast for h in hours].index(True) == 13
    assert sum(h.spare_kw > 0 for h in hours) == 5
    plug = sockets.home_cards.get("energy-now")
    assert plug is not None
    card = plug.context(rf.get("/"), kamppi)
    assert card is not None
    assert card["now"].solar == pytest.approx(16.0)
    assert card["good"] == ["12:00", "16:00"]  # what is left of it, the running hour included


def test_evidence_comes_from_rows(version: CommunityVersion, kamppi: Place) -> None:
    plug = sockets.evidence.get("energy")
    assert plug is not None
    found = {e.system: e for e in plug.collect(kamppi)}
    assert {s: (e.level, e.count) for s, e in found.items()} == {"electricity": (1, 17), "solar": (1, 8)}
    Simulation.objects.create(
        version=version,
        control="none",
        sharing_rule="owen",
        totals={},
        separate={},
        members=[],
        sharing={},
        engine={},
    )
    assert {e.level for e in plug.collect(kamppi)} == {4}
    Community.objects.all().delete()
    assert list(plug.collect(kamppi)) == []


def test_search_finds_a_community(version: CommunityVersion) -> None:
    plug = sockets.search_sources.get("communities")
    assert plug is not None
    assert [h.title for h in plug.search("sixt", None, 5)] == ["Sixteen homes"]
    version.community.public = False
    version.community.save()
    assert plug.search("sixt", None, 5) == []


@pytest.mark.django_db(transaction=True)
def test_the_demonstration_comes_and_goes(client: Client) -> None:
    said: list[str] = []
    demo.seed(said.append)
    version = queries.newest("kamppi")
    assert version.demo
    assert version.members.count() == 24
    assert version.simulations.count() == 7
    figure = queries.prosumer(version.community.place)  # type: ignore[arg-type]
    assert figure.demo
    assert figure.value is not None
    assert 0.3 < figure.value < 1.2
    said.clear()
    demo.seed(said.append)
    assert said == []
    assert Community.objects.get().versions.count() == 1
    page = client.get("/energy/kamppi/").content.decode()
    assert "demo" in page
    assert "Generated for demonstration" in page
    demo.remove(said.append)
    assert (Community.objects.count(), Simulation.objects.count(), Run.objects.count()) == (0, 0, 0)
