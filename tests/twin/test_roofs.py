"""Sun on the roofs: the run, the page, the API, the pictures; who may ask for it again."""

import json

import pytest
from django.test import Client

from commons.people.models import Membership, Organisation, User
from commons.runs.models import Run
from commons.runs.work import do
from tests.twin.conftest import Import, small_town, square, the_town
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


def steward() -> User:
    person = User.objects.create_user("steward", email="steward@example.org")
    city = Organisation.objects.create(name="City", slug="city", kind=Organisation.Kind.CITY)
    Membership.objects.create(user=person, organisation=city, role=Membership.Role.STEWARD)
    return person


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
)


@pytest.mark.parametrize("address", ROUTES)
@pytest.mark.parametrize("who", ["nobody", "stranger", "steward", "staff"])
def test_everybody_reads_and_stewards_ask_again(client: Client, town: Import, who: str, address: str) -> None:
    town()
    reckoned()
    if who == "steward":
        client.force_login(steward())
    elif who != "nobody":
        client.force_login(User.objects.create_user(who, email=f"{who}@example.org", is_staff=who == "staff"))
    assert client.get(address).status_code == 200
    assert client.get(address.replace("town", "nowhere")).status_code == 404
    before = Run.objects.filter(kind="twin.roofs").count()
    answer = client.post(address)
    if address != ROUTES[0]:
        assert answer.status_code == 405 if who != "nobody" else answer.status_code in {401, 403, 405}
    elif who in {"steward", "staff"}:
        assert answer.status_code == 302
        client.post(address)
        assert Run.objects.filter(kind="twin.roofs").count() == before + 1
    else:
        assert answer.status_code == 403
        assert Run.objects.filter(kind="twin.roofs").count() == before
