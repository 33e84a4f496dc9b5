"""Pages and API of the twin, as a visitor, a script and a steward meet them."""

import gzip
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from commons.people import services as people
from commons.people.models import Membership, Organisation, User
from commons.places.models import Place
from commons.runs.models import Run
from commons.runs.work import do
from tests.twin.conftest import Import, small_town, the_town
from twin import queries
from twin.plugs import home_map, open_services, search
from twin.policies import may_import

pytestmark = pytest.mark.django_db


def test_the_district_answers_without_script(client: Client, town: Import, place: Place) -> None:
    town(place=place)
    for address in ("/twin/town/", "/twin/quarter/"):
        page = client.get(address).content.decode()
        assert "of the buildings reach a grocery on foot within 5 minutes" in page
        assert re.search(r"<b>5 of 16</b>\s+city systems", page)
        assert "town.geojson" in page
        assert "CC-BY-4.0" in page
        assert "style=" not in page.split("<main")[1].split("</main>")[0]
    assert client.get("/twin/nowhere/").status_code == 404
    assert client.get("/twin/town/?version=7").status_code == 404
    assert client.get("/twin/town/?version=abc").status_code == 200


def test_a_city_s_name_leads_to_its_district(client: Client, town: Import, place: Place) -> None:
    town(place=place)
    assert client.get("/twin/testcity/").status_code == 200


def test_every_layer_has_a_list(client: Client, town: Import) -> None:
    town()
    assert "Home" in client.get("/twin/town/list/").content.decode()
    assert "Long street" in client.get("/twin/town/list/?layer=streets").content.decode()
    assert "Corner shop" in client.get("/twin/town/list/?layer=services&kind=grocery").content.decode()
    assert "Corner shop" not in client.get("/twin/town/list/?layer=services&kind=school").content.decode()
    assert client.get("/twin/town/list/?layer=areas").status_code == 200
    assert client.get("/twin/town/list/?layer=dragons").status_code == 404
    assert "Nothing matches" in client.get("/twin/town/list/?q=zzz").content.decode()


def test_a_building_says_what_is_known_and_how(client: Client, town: Import) -> None:
    town()
    page = client.get("/twin/town/buildings/tower/").content.decode()
    assert "from the number of storeys" in page
    piece = client.get("/twin/town/buildings/tower/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in piece
    assert "from the number of storeys" in piece
    assert client.get("/twin/town/buildings/none/").status_code == 404


def test_layers_are_geojson_with_minutes_and_are_kept_by_etag(client: Client, town: Import) -> None:
    town()
    address = "/api/v1/districts/town/layers/buildings.geojson"
    plain = client.get(address)
    assert plain["Content-Type"] == "application/geo+json"
    document = json.loads(plain.content)
    assert (document["licence"], document["attribution"], document["version"]) == ("CC-BY-4.0", "The town", 1)
    tower = next(f for f in document["features"] if f["properties"]["id"] == "tower")
    assert tower["properties"]["height"] == 31.2
    assert tower["properties"]["height_source"] == "levels"
    assert 0 < tower["properties"]["min_grocery"] < tower["properties"]["min_school"]
    packed = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    again = client.get(address, headers={"If-None-Match": plain["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    changed = small_town()
    changed[0]["properties"]["height"] = "99"
    town(changed)
    fresh = client.get(address, headers={"If-None-Match": plain["ETag"]})
    assert fresh.status_code == 200
    assert json.loads(client.get(f"{address}?version=1").content) == document


def test_a_layer_may_be_asked_in_part(client: Client, town: Import) -> None:
    town()
    services = json.loads(client.get("/api/v1/districts/town/layers/services.geojson?kind=school,library").content)
    assert [f["properties"]["kind"] for f in services["features"]] == ["school"]
    slim = json.loads(client.get("/api/v1/districts/town/layers/streets.geojson?fields=map").content)
    assert set(slim["features"][0]["properties"]) == {"id", "name", "class"}


def test_the_api_tells_of_districts_and_refuses_plainly(client: Client, town: Import, place: Place) -> None:
    town(place=place)
    row = client.get("/api/v1/districts/").json()["results"][0]
    assert (row["slug"], row["place"], row["version"]["counts"]["buildings"]) == ("town", "quarter", 2)
    detail = client.get("/api/v1/districts/town/").json()
    assert detail["versions"] == [1]
    assert client.get(detail["layers"]["areas"]).status_code == 200
    access = client.get("/api/v1/districts/town/access/").json()
    assert access["kinds"]["grocery"]["services"] == 1
    cover = client.get("/api/v1/places/quarter/coverage/").json()
    assert (cover[0]["breadth"], cover[0]["of"], len(cover[0]["systems"])) == (5, 16, 16)
    for address, status, code in (
        ("/api/v1/districts/none/", 404, "twin:no-district"),
        ("/api/v1/districts/town/layers/dragons.geojson", 404, "twin:no-layer"),
        ("/api/v1/districts/town/layers/areas.geojson?version=x", 400, "city:bad-input"),
        ("/api/v1/districts/town/access/?version=9", 404, "twin:no-district"),
        ("/api/v1/places/none/coverage/", 404, "city:not-found"),
    ):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_street_and_a_building_lead_to_the_question_what_if(client: Client, town: Import) -> None:
    town()
    street = queries.things("streets", queries.current(the_town())).get(name="Long street").key
    for path, asked in (
        (f"things/streets/{street}/", "?kind=close_street&amp;street=Long%20street"),
        ("buildings/home/", "?kind=change_building&amp;building=home"),
    ):
        for headers in ({}, {"HX-Request": "true"}):
            html = client.get(f"/twin/town/{path}", headers=headers).content.decode()
            assert f'href="/twin/town/scenarios/new/{asked}"' in html, path
        form = client.get(f"/twin/town/scenarios/new/{asked.replace('&amp;', '&')}").content.decode()
        assert 'value="Long street"' in form or 'value="home"' in form
    assert 'href="/twin/town/scenarios/new/"' in client.get("/twin/town/").content.decode()


def test_the_picture_is_drawn_once_for_a_version(client: Client, town: Import) -> None:
    town()
    picture = client.get("/twin/town/plan.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    text = picture.content.decode()
    assert text.count("var(--map-roof") == 2
    assert text.count("var(--map-water") == 1
    assert client.get("/twin/town/plan.svg", headers={"If-None-Match": picture["ETag"]}).status_code == 304


def steward() -> User:
    user = people.create_user(username="stewart", password="a-long-password-17")
    city = people.create_organisation(handle="the-city", name="The city", kind=Organisation.Kind.CITY)
    people.set_role(organisation=city, user=user, role=Membership.Role.STEWARD)
    return user


def test_stewards_import_and_others_do_not(client: Client) -> None:
    assert client.get("/twin/new/").status_code == 302
    other = people.create_user(username="other")
    assert not may_import(other)
    client.force_login(other)
    assert client.get("/twin/new/").status_code == 403
    client.force_login(steward())
    assert client.get("/twin/new/").status_code == 200
    upload = SimpleUploadedFile(
        "mine.geojson", json.dumps({"type": "FeatureCollection", "features": small_town()}).encode()
    )
    answer = client.post("/twin/new/", {"slug": "mine", "name": "Mine", "sources": [upload], "licence": "CC0-1.0"})
    assert answer.status_code == 302
    run = Run.objects.get(kind="twin.import")
    assert "Import of Mine" in client.get(answer["Location"]).content.decode()
    do(run.pk)
    done = client.get(answer["Location"]).content.decode()
    assert "Version 1 stands: 2 buildings" in done
    assert client.get("/twin/mine/").status_code == 200


@pytest.mark.parametrize(
    ("slug", "name", "content", "words"),
    [
        ("mine", "x.shp", b"12", "not a file we can read"),
        ("mine", "x.geojson", b"", "x.geojson is empty"),
        ("Mine-Upper", "x.geojson", b"{}", "cannot be an address"),
    ],
)
def test_a_bad_upload_is_said_beside_its_field(
    client: Client, slug: str, name: str, content: bytes, words: str
) -> None:
    client.force_login(steward())
    answer = client.post("/twin/new/", {"slug": slug, "sources": [SimpleUploadedFile(name, content)]})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Run.objects.exists()


def test_a_failed_import_says_why(client: Client) -> None:
    client.force_login(steward())
    answer = client.post("/twin/new/", {"slug": "mine", "sources": [SimpleUploadedFile("x.geojson", b"[1]")]})
    do(Run.objects.get().pk)
    assert "x.geojson is not a file we can read" in client.get(answer["Location"]).content.decode()


def test_search_finds_streets_services_and_buildings(town: Import) -> None:
    town()
    assert [hit.title for hit in search("long", None, 5)] == ["Long street"]
    assert search("long", None, 5)[0].url == "/twin/town/list/?layer=streets&q=Long+street"
    assert {hit.title for hit in search("o", None, 5)} == set()
    assert "Corner shop" in {hit.title for hit in search("corner", None, 5)}


def test_what_the_house_shows(town: Import, place: Place, rf: object) -> None:
    assert home_map(None, place) is None  # type: ignore[arg-type]
    town(place=place)
    card = home_map(None, place)  # type: ignore[arg-type]
    assert card is not None
    assert card["district"] == the_town()
    assert open_services() == [], "only what OpenStreetMap's licence covers is in this dataset"


def test_pages_ask_no_more_of_the_database_for_a_larger_district(
    client: Client, town: Import, django_assert_max_num_queries: object
) -> None:
    town()
    client.get("/twin/town/")
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        client.get("/twin/town/")
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        client.get("/twin/town/list/")
