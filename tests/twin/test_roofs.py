"""Sun on the roofs: the run, the page, the API, the pictures; who may ask for it again."""

import json

import pytest
from django.test import Client

from commons.people import services as people
from commons.runs.models import Run
from commons.runs.work import do
from tests.twin.conftest import Import, small_town, square, the_town
from tests.twin.test_pages import steward
from twin import queries
from twin.engine import ROOFS_VERSION
from twin.models import Reckoning

pytestmark = pytest.mark.django_db


def reckoned(kind: str = "roofs") -> Reckoning:
    """The town's answer, by the run that its import started."""
    run = Run.objects.filter(kind=f"twin.{kind}").latest("created_at")
    do(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.DONE, run.error
    kept = queries.reckoning(the_town().current, kind)
    assert kept is not None
    return kept


def test_an_import_has_its_roofs_reckoned(client: Client, town: Import) -> None:
    """A tower beside the home takes its sun; the sums are those of the rows."""
    beside = square("tower", 24.9402, 60.1698, height="45")
    town([small_town()[0], beside, *small_town()[2:]])
    page = client.get("/twin/town/roofs/").content.decode()
    assert "Sun on the roofs of Town" in page
    kept = reckoned()
    assert kept.engine_version == ROOFS_VERSION
    assert kept.inputs["clouds"] == "Rostock"
    home, tower = kept.keys.index("home"), kept.keys.index("tower")
    assert kept.columns["shaded"][tower] == 0
    assert kept.columns["shaded"][home] > 0.05
    assert kept.summary["kwh"] == pytest.approx(sum(kept.columns["kwh"]), abs=3)
    assert 600 < kept.columns["kwh"][tower] / kept.columns["kwp"][tower] < 1000
    page = client.get("/twin/town/roofs/?sort=shaded").content.decode()
    assert page.index("buildings/home/") < page.index("buildings/tower/")
    assert "of the power that the district uses by our estimate" in page
    assert "style=" not in page.split("<main")[1].split("</main>")[0]
    assert "This roof could produce about" in client.get("/twin/town/buildings/tower/").content.decode()
    answer = client.get("/api/v1/districts/town/roofs/").json()
    assert answer["columns"]["kwp"] == kept.columns["kwp"]
    layer = json.loads(client.get("/api/v1/districts/town/layers/buildings.geojson").content)
    solar = {f["properties"]["id"]: f["properties"]["solar"] for f in layer["features"]}
    assert solar["tower"] == kept.columns["light"][tower]
    assert "Sun on the roof" in client.get("/twin/town/").content.decode()


def test_pictures_show_sun_and_shadows(client: Client, town: Import) -> None:
    town()
    assert client.get("/twin/town/roofs/sun.svg").status_code == 404
    reckoned()
    sun = client.get("/twin/town/roofs/sun.svg")
    assert b"--solar" in sun.content
    assert client.get("/twin/town/roofs/sun.svg", headers={"If-None-Match": sun["ETag"]}).status_code == 304
    noon = client.get("/twin/town/roofs/shadows.svg?at=12-21T12").content
    summer = client.get("/twin/town/roofs/shadows.svg?at=06-21T12").content
    assert b"--ink" in noon
    assert noon != summer
    assert client.get("/twin/town/roofs/shadows.svg?at=12-21T20").status_code == 404
    assert client.get("/twin/town/roofs/shadows.svg?at=x'y").status_code == 404
    assert "at=06-21T12" in client.get("/twin/town/roofs/?at=12-21T12").content.decode()


ROUTES = (
    "/twin/town/roofs/",
    "/twin/town/roofs/sun.svg",
    "/twin/town/roofs/shadows.svg?at=06-21T12",
    "/api/v1/districts/town/roofs/",
    "/twin/town/risk/",
    "/twin/town/risk/heat.svg",
    "/twin/town/carbon/",
    "/api/v1/districts/town/risk/",
    "/api/v1/districts/town/carbon/",
)


@pytest.mark.parametrize("who", ["nobody", "stranger", "steward", "clerk"])
def test_everybody_reads_and_stewards_ask_again(client: Client, town: Import, who: str) -> None:
    """Each route by each role: who may read (everybody), and who may start work (stewards and staff, on two pages)."""
    town()
    reckoned()
    reckoned("risk")
    if who == "steward":
        client.force_login(steward())
    elif who != "nobody":
        person = people.create_user(username=who)
        person.is_staff = who == "clerk"
        person.save()
        client.force_login(person)
    for address in ROUTES:
        assert client.get(address).status_code == 200, address
        assert client.get(address.replace("/town/", "/nowhere/")).status_code == 404, address
        before = Run.objects.count()
        answer = client.post(address)
        if address not in STARTS:
            assert answer.status_code in {401, 403, 405}, address
            assert Run.objects.count() == before
        elif who in {"steward", "clerk"}:
            assert answer.status_code == 302
            client.post(address)  # a second click finds the run that already works on it
            assert Run.objects.count() == before + 1
        else:
            assert answer.status_code == 403
            assert Run.objects.count() == before


STARTS = ("/twin/town/roofs/", "/twin/town/risk/")


def test_risk_and_carbon_of_a_town(client: Client, town: Import) -> None:
    """One run answers both pages; the sums are those of the engine's rows."""
    town()
    for address in ("/twin/town/risk/", "/twin/town/carbon/"):
        assert "Risk and carbon of Town" in client.get(address).content.decode()
    assert client.get("/twin/town/risk/heat.svg").status_code == 404
    kept = reckoned("risk")
    rows = kept.summary["outage"]["rows"]
    assert [row["name"] for row in rows] == ["solar", "solar", "batteries", "batteries", "cars", "cars"]
    for row in rows:
        assert 1 >= row["alone"][0] >= row["alone"][1] >= row["alone"][2] >= 0
    assert rows[5]["alone"][0] > rows[1]["alone"][0]
    assert kept.columns["heat"] == [0, 0]
    page = client.get("/twin/town/risk/").content.decode()
    assert "Nobody has given this district a terrain" in page
    assert "style=" not in page.split("<main")[1].split("</main>")[0]
    assert client.get("/twin/town/risk/heat.svg").status_code == 200
    ledger = client.get("/api/v1/districts/town/carbon/").json()["summary"]
    assert ledger["total"]["middle"] == pytest.approx(sum(line["kg"]["middle"] for line in ledger["lines"]))
    page = client.get("/twin/town/carbon/").content.decode()
    assert "CIBSE TM46" in page
    assert client.get("/api/v1/districts/town/risk/").json()["summary"]["buildings"] == 2
    layer = json.loads(client.get("/api/v1/districts/town/layers/buildings.geojson").content)
    assert {f["properties"]["heat"] for f in layer["features"]} == {0}


def test_a_version_says_who_gained_and_who_lost(client: Client, town: Import) -> None:
    """The shop moves from the tower to the home: what one gains the other loses."""
    town()
    assert "Since the version before" not in client.get("/twin/town/").content.decode()
    moved = small_town()
    moved[3]["geometry"]["coordinates"] = [24.940, 60.1698]
    town(moved)
    page = client.get("/twin/town/").content.decode()
    assert "Since the version before" in page
    assert "1 buildings are nearer, 1 farther" in page
