"""Versions: corrections that wait, stand, are contested and undone; as of a day; what differs; who may what."""

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons.errors import CityError
from commons.notices.models import Notice
from commons.people import services as people
from commons.people.models import Membership, Organisation, User
from commons.places.models import Place
from commons.runs.models import Run
from commons.runs.work import do
from tests.twin.conftest import Import, small_town, spot, square, the_town
from twin import queries, services
from twin.engine.model import LAYERS
from twin.models import Access, Building, Conflict, Correction, DistrictVersion, Offer, Service, Street

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(db: None) -> User:
    return people.create_user(username="ana")


@pytest.fixture
def steward(db: None) -> User:
    user = people.create_user(username="stewart")
    city = people.create_organisation(handle="the-city", name="The city", kind=Organisation.Kind.CITY)
    people.set_role(organisation=city, user=user, role=Membership.Role.STEWARD)
    return user


def tall(by: User, height_m: float = 15.0, **more: Any) -> Offer:
    changes = {"height_m": height_m, **more}
    return services.offer(district=the_town(), by=by, layer="buildings", action="change", key="home", changes=changes)


def town_with(**home: Any) -> list[dict[str, Any]]:
    features = small_town()
    features[0]["properties"] |= home
    return features


def heights() -> dict[str, float]:
    return {row.key: row.height_m for row in queries.things("buildings", queries.current(the_town()))}


def all_rows() -> dict[str, Any]:
    of = queries.current(the_town())
    return {
        layer: {(row.key, json.dumps(row.properties, sort_keys=True)) for row in queries.things(layer, of)}
        for layer in LAYERS
    }


def test_an_offer_changes_nothing_until_a_steward_accepts_it(town: Import, ana: User, steward: User) -> None:
    town()
    made = tall(ana, use="house")
    assert (made.before, queries.current(the_town()).number) == ({"height_m": 12.0, "use": "yes"}, 1)
    assert Notice.objects.get(person=steward, kind="twin.offer").text == "ana corrects Home in Town"
    with pytest.raises(CityError, match="Only stewards"):
        services.accept(offer=made, by=ana)
    version = services.accept(offer=made, by=steward, answer="Measured, thank you")
    assert (version.number, version.how, version.note) == (2, "correction", "Home")
    home = Building.objects.get(key="home", until=None)
    assert (home.height_m, home.height_source, home.kind, home.since) == (15.0, "citizen", "house", 2)
    assert version.changes["buildings"] == {"added": 0, "changed": 1, "dropped": 0, "same": 1}
    assert (version.licence, version.sources[0]["name"], version.counts["buildings"]) == (
        "CC-BY-4.0",
        "town.geojson",
        2,
    )
    told = Notice.objects.get(person=ana, kind="twin.decision")
    assert told.text == "Your correction of Home was accepted: version 2 of Town"
    assert Access.objects.get(version=version).keys == ["home", "tower"], "a height leaves minutes on foot as they are"
    assert {b.key: b.height_m for b in queries.things("buildings", queries.version(the_town(), 1))}["home"] == 12.0
    with pytest.raises(CityError, match="decided before"):
        services.accept(offer=made, by=steward)


def test_a_refusal_says_why_and_its_author_reads_it(town: Import, ana: User, steward: User) -> None:
    town()
    made = tall(ana)
    with pytest.raises(CityError, match="Say why"):
        services.refuse(offer=made, by=steward, answer=" ")
    services.refuse(offer=made, by=steward, answer="The survey says 12 m")
    assert "The survey says 12 m" in Notice.objects.get(person=ana).text
    assert (queries.current(the_town()).number, heights()["home"]) == (1, 12.0)


@pytest.mark.parametrize(
    ("layer", "key", "changes", "words"),
    [
        ("buildings", "home", {"height_m": 5000}, "Height lies between 1 and 1000 m"),
        ("buildings", "home", {"height_m": "tall"}, "Height lies between"),
        ("buildings", "home", {"height_m": float("nan")}, "Height lies between"),
        ("buildings", "home", {"height_m": True}, "Height lies between"),
        ("buildings", "home", {"height_m": 12.0}, "says already"),
        ("buildings", "home", {"geometry": []}, "cannot be corrected"),
        ("buildings", "home", {"use": "castle"}, "Use is one of"),
        ("buildings", "home", {"name": "x" * 201}, "at most 200 letters"),
        ("buildings", "none", {"height_m": 3}, "There is no “none”"),
        ("streets", "long:1-3", {"car": "yes"}, "true or false"),
        ("people", "x", {"population": 3}, "may be corrected"),
        ("services", "shop", {"kind": "palace"}, "Kind is one of"),
    ],
)
def test_an_offer_that_cannot_be_is_refused_and_nothing_is_kept(
    town: Import, ana: User, layer: Any, key: str, changes: dict[str, Any], words: str
) -> None:
    town()
    with pytest.raises(CityError, match=words):
        services.offer(district=the_town(), by=ana, layer=layer, action="change", key=key, changes=changes)
    assert not Offer.objects.exists()


def test_importing_again_never_overwrites_a_correction_in_silence(town: Import, ana: User, steward: User) -> None:
    town()
    services.accept(offer=tall(ana), by=steward)
    town()
    assert (heights()["home"], Conflict.objects.count()) == (15.0, 0)
    run = town(town_with(height="13"))
    assert run.result is not None
    assert (heights()["home"], run.result["conflicts"]) == (15.0, 1)
    asked = Conflict.objects.get(decision="open")
    assert (asked.why, asked.theirs, asked.correction.value) == ("other", 13.0, 15.0)
    assert "1 of our corrections" in Notice.objects.get(person=steward, kind="twin.conflict").text
    services.decide(conflict=asked, take=False, by=steward)
    town(town_with(height="13"))
    assert not Conflict.objects.filter(decision="open").exists(), "upheld against 13 m, it is not asked again"
    town(town_with(height="14"))
    again = Conflict.objects.get(decision="open")
    before = queries.current(the_town()).number
    services.decide(conflict=again, take=True, by=steward)
    home = Building.objects.get(key="home", until=None)
    assert (home.height_m, home.height_source, home.since) == (14.0, "tag", before + 1)
    assert not Correction.objects.filter(until=None).exists()
    with pytest.raises(CityError, match="decided before"):
        services.decide(conflict=again, take=False, by=steward)
    town(town_with(height="14"))
    assert heights()["home"] == 14.0


def test_a_newer_correction_closes_the_conflict_of_the_older(town: Import, ana: User, steward: User) -> None:
    town()
    services.accept(offer=tall(ana), by=steward)
    town(town_with(height="13"))
    services.accept(offer=tall(ana, 16.0), by=steward)
    assert Conflict.objects.get().decision == "lapsed"
    assert Correction.objects.get(until=None).was == 12.0, "it still stands against what the source said at first"


def test_a_source_that_agrees_settles_the_correction(town: Import, ana: User, steward: User) -> None:
    town()
    services.accept(offer=tall(ana), by=steward)
    town(town_with(height="15"))
    assert not Correction.objects.filter(until=None).exists()
    assert Building.objects.get(key="home", until=None).height_source == "tag"


def test_what_was_taken_away_or_added_survives_an_import(town: Import, ana: User, steward: User) -> None:
    town()
    district = the_town()
    gone = services.offer(district=district, by=ana, layer="buildings", action="remove", key="tower")
    services.accept(offer=gone, by=steward)
    new = services.offer(
        district=district, by=ana, layer="services", action="add", changes={"kind": "library"}, at=(24.942, 60.1702)
    )
    version = services.accept(offer=new, by=steward)
    assert queries.access(version) is None, "minutes on foot are reckoned anew"
    do(Run.objects.filter(kind="twin.access").latest("created_at").pk)
    assert "library" in Access.objects.get(version=version).summary
    town()
    assert set(heights()) == {"home"}
    assert Service.objects.get(kind="library", until=None).properties["source"] == "citizen"
    town([*small_town(), spot("lib", 24.9421, 60.1702, amenity="library")])
    assert Conflict.objects.get(decision="open").why == "near"
    services.decide(conflict=Conflict.objects.get(decision="open"), take=True, by=steward)
    assert Service.objects.get(kind="library", until=None).key == "lib"


def test_a_closed_street_and_a_building_that_an_import_drops(town: Import, ana: User, steward: User) -> None:
    town()
    key = Street.objects.get(until=None).key
    shut = services.offer(
        district=the_town(), by=ana, layer="streets", action="change", key=key, changes={"car": False, "lanes": 4}
    )
    services.accept(offer=shut, by=steward)
    assert not Street.objects.get(until=None).car
    services.accept(offer=tall(ana), by=steward)
    town([f for f in small_town() if f["properties"]["id"] != "home"])
    assert heights()["home"] == 15.0, "it stays until a steward decides"
    asked = Conflict.objects.get(decision="open")
    assert asked.why == "gone"
    services.decide(conflict=asked, take=True, by=steward)
    assert set(heights()) == {"tower"}
    assert not Street.objects.get(until=None).car


def test_undoing_is_a_version_that_restores_everything(town: Import, ana: User, steward: User) -> None:
    town()
    services.accept(offer=tall(ana), by=steward)
    second = all_rows()
    changed = [f for f in small_town() if f["properties"]["id"] != "shop"]
    changed.append(square("new", 24.941, 60.1705))
    town(changed)
    assert all_rows() != second
    restored = services.restore(district=the_town(), number=2, by=steward, note="The shop is there")
    assert (restored.number, restored.how, restored.restores) == (4, "undo", 2)
    assert all_rows() == second
    assert restored.counts == queries.version(the_town(), 2).counts
    assert (
        Access.objects.get(version=restored).minutes
        == Access.objects.get(version=queries.version(the_town(), 2)).minutes
    )
    services.restore(district=the_town(), number=1, by=steward)
    assert heights()["home"] == 12.0
    assert not Correction.objects.filter(until=None).exists(), "the correction came after version 1"
    services.restore(district=the_town(), number=4, by=steward)
    assert heights()["home"] == 15.0
    town(town_with(height="13"))
    assert heights()["home"] == 15.0, "a correction that was brought back holds against an import"
    with pytest.raises(CityError, match="the one that stands"):
        services.restore(district=the_town(), number=queries.current(the_town()).number, by=steward)
    with pytest.raises(CityError, match="Only stewards"):
        services.restore(district=the_town(), number=1, by=ana)


def test_the_difference_of_two_versions_is_what_began_ended_and_changed(
    client: Client, town: Import, ana: User, steward: User
) -> None:
    town()
    changed = [f for f in town_with(height="13") if f["properties"]["id"] != "shop"]
    town([*changed, square("new", 24.941, 60.1705, name="New house")])
    answer = client.get("/api/v1/districts/town/diff/?from=1&to=2").json()
    layers = {layer["layer"]: layer for layer in answer["layers"]}
    assert layers["buildings"]["counts"] == {"began": 1, "ended": 0, "changed": 1}
    assert layers["buildings"]["began"] == ["new"]
    assert {"key": "home", "differs": [{"name": "height_m", "before": 12.0, "after": 13.0}]} in layers["buildings"][
        "changed"
    ]
    assert layers["services"]["ended"] == ["shop"]
    page = client.get("/twin/town/versions/compare/?from=1&to=2").content.decode()
    assert "New house" in page
    assert "12 m → 13 m" in page
    assert "Corner shop" in page
    picture = client.get("/twin/town/versions/compare.svg?from=1&to=2")
    text = picture.content.decode()
    assert text.count("<circle") == 3
    assert (
        client.get(
            "/twin/town/versions/compare.svg?from=1&to=2", headers={"If-None-Match": picture["ETag"]}
        ).status_code
        == 304
    )
    assert "Nothing differs" in client.get("/twin/town/versions/compare/?from=2&to=2").content.decode()
    whole = client.get("/api/v1/districts/town/diff/?from=0&to=1&layer=services").json()
    assert whole["layers"][0]["counts"]["began"] == 3
    assert client.get("/api/v1/districts/town/diff/?from=9").status_code == 404
    assert client.get("/api/v1/districts/town/diff/?from=x").status_code == 400
    assert client.get("/api/v1/districts/town/diff/?layer=dragons").status_code == 404


def test_as_of_a_day(client: Client, town: Import) -> None:
    town()
    DistrictVersion.objects.update(created_at=timezone.now() - dt.timedelta(days=30))
    town(town_with(height="20"))
    day = (timezone.now() - dt.timedelta(days=10)).date().isoformat()
    layer = client.get(f"/api/v1/districts/town/layers/buildings.geojson?at={day}").json()
    assert (layer["version"], layer["features"][0]["properties"]["height"]) == (1, 12.0)
    assert client.get(f"/api/v1/districts/town/versions/?at={day}").json()["results"][0]["number"] == 1
    assert "As it was in version 1" in client.get(f"/twin/town/?at={day}").content.decode()
    assert client.get("/twin/town/?at=1990-01-01").status_code == 404
    assert client.get("/twin/town/?at=1990-99-01").status_code == 200
    assert client.get("/api/v1/districts/town/access/?at=someday").status_code == 400
    assert [v["number"] for v in client.get("/api/v1/districts/town/versions/").json()["results"]] == [2, 1]
    assert client.get("/api/v1/districts/town/versions/1/").json()["how"] == "import"


def test_a_person_corrects_a_building_on_its_page(client: Client, town: Import, ana: User, steward: User) -> None:
    town()
    assert "Something wrong? Correct it" in client.get("/twin/town/buildings/home/").content.decode()
    address = "/twin/town/correct/buildings/home/"
    client.force_login(ana)
    shown = client.get(address).content.decode()
    assert 'value="12.0"' in shown
    same = {"name": "Home", "use": "yes", "height_m": "12.0", "levels": "", "year": "", "roof_shape": ""}
    assert "says already" in client.post(address, same).content.decode()
    bad = client.post(address, same | {"height_m": "99999"})
    assert (bad.status_code, "between 1 and 1000 m" in bad.content.decode()) == (400, True)
    assert client.post(address, same | {"height_m": "15", "reason": "I measured it"}).status_code == 302
    mine = client.get("/twin/town/corrections/").content.decode()
    assert "12 m → <b>15 m</b>" in mine
    assert "Accept" not in mine.split("<main")[1]
    client.force_login(steward)
    assert "I measured it" in client.get("/twin/town/corrections/").content.decode()
    pk = Offer.objects.get().pk
    assert client.post(f"/twin/town/corrections/{pk}/", {"do": "accept"}).status_code == 302
    assert "Version 2" in client.get("/twin/town/corrections/").content.decode()
    assert "corrected by a citizen" in client.get("/twin/town/buildings/home/").content.decode()
    assert client.post("/twin/town/versions/undo/", {"version": "1"}).status_code == 302
    assert "Version 1 brought back" in client.get("/twin/town/versions/").content.decode()


def test_streets_and_services_have_pages_that_say_how_each_fact_is_known(
    client: Client, town: Import, ana: User
) -> None:
    town()
    key = Street.objects.get().key
    page = client.get(f"/twin/town/things/streets/{key}/").content.decode()
    assert "30 km/h" in page
    assert "assumed by class and lanes" in page
    assert client.get("/twin/town/things/services/shop/").status_code == 200
    assert client.get("/twin/town/things/dragons/shop/").status_code == 404
    client.force_login(ana)
    assert client.get(f"/twin/town/correct/streets/{key}/").status_code == 200
    assert client.get("/twin/town/correct/people/x/").status_code == 404
    posted = client.post("/twin/town/add/", {"kind": "library", "lat": "60.17", "lon": "24.942"})
    assert posted.status_code == 302
    assert (
        "outside this district"
        in client.post("/twin/town/add/", {"kind": "library", "lat": "1", "lon": "2"}).content.decode()
    )


def test_where_miles_are_posted_speeds_are_miles(client: Client, town: Import, ana: User) -> None:
    british = Place.objects.create(slug="leith", name="Leith", country="GB")
    features = small_town()
    features[2]["properties"]["maxspeed"] = "20 mph"
    town(features, place=british)
    row = Street.objects.get()
    assert row.properties["speed_kmh"] == 32.2
    assert "20 mph" in client.get(f"/twin/town/things/streets/{row.key}/").content.decode()
    assert "20 mph" in client.get("/twin/town/list/?layer=streets").content.decode()
    client.force_login(ana)
    form = client.get(f"/twin/town/correct/streets/{row.key}/").content.decode()
    assert "Speed limit, mph" in form
    same = {"name": "Long street", "lanes": "2.0", "oneway": "0", "car": "yes", "bicycle": "yes", "foot": "yes"}
    client.post(f"/twin/town/correct/streets/{row.key}/", same | {"speed_kmh": "30"})
    assert Offer.objects.get().changes == {"speed_kmh": 48.3}


# Who may what: (method, address, body), then the answers to nobody, a person, the author and a steward.
ROUTES: list[tuple[str, str, dict[str, Any], tuple[int, int, int, int]]] = [
    ("GET", "/twin/town/versions/", {}, (200, 200, 200, 200)),
    ("GET", "/twin/town/versions/compare/", {}, (200, 200, 200, 200)),
    ("GET", "/twin/town/versions/compare.svg", {}, (200, 200, 200, 200)),
    ("GET", "/twin/town/things/services/shop/", {}, (200, 200, 200, 200)),
    ("GET", "/twin/town/correct/buildings/home/", {}, (302, 200, 200, 200)),
    ("GET", "/twin/town/add/", {}, (302, 200, 200, 200)),
    ("GET", "/twin/town/corrections/", {}, (302, 200, 200, 200)),
    ("POST", "/twin/town/corrections/OFFER/", {"do": "accept"}, (302, 404, 403, 302)),
    ("POST", "/twin/town/corrections/OFFER/", {"do": "refuse", "answer": "no"}, (302, 404, 403, 302)),
    ("POST", "/twin/town/corrections/OFFER/", {"do": "withdraw"}, (302, 404, 302, 404)),
    ("POST", "/twin/town/conflicts/CONFLICT/", {"do": "take"}, (302, 404, 404, 302)),
    ("POST", "/twin/town/versions/undo/", {"version": "1"}, (302, 403, 403, 302)),
    ("GET", "/api/v1/districts/town/versions/", {}, (200, 200, 200, 200)),
    ("GET", "/api/v1/districts/town/versions/1/", {}, (200, 200, 200, 200)),
    ("GET", "/api/v1/districts/town/diff/", {}, (200, 200, 200, 200)),
    ("POST", "/api/v1/districts/town/undo/", {"version": 1}, (401, 403, 403, 201)),
    ("GET", "/api/v1/districts/town/corrections/", {}, (401, 200, 200, 200)),
    (
        "POST",
        "/api/v1/districts/town/corrections/",
        {"layer": "buildings", "key": "tower", "changes": {"levels": 4}},
        (401, 201, 201, 201),
    ),
    ("GET", "/api/v1/districts/town/corrections/OFFER/", {}, (401, 404, 200, 200)),
    ("POST", "/api/v1/districts/town/corrections/OFFER/decision/", {"do": "accept"}, (401, 404, 403, 200)),
    ("GET", "/api/v1/districts/town/conflicts/", {}, (401, 403, 403, 200)),
    ("POST", "/api/v1/districts/town/conflicts/CONFLICT/", {"do": "keep"}, (401, 403, 403, 200)),
]


@pytest.mark.parametrize("role", [0, 1, 2, 3], ids=["nobody", "person", "author", "steward"])
def test_who_may_what(town: Import, ana: User, steward: User, role: int) -> None:
    town()
    services.accept(offer=tall(ana), by=steward)
    town(town_with(height="13"))
    who = [None, people.create_user(username="other"), ana, steward][role]
    for method, address, body, answers in ROUTES:
        offer = Offer.objects.create(
            district=the_town(), author=ana, layer="buildings", key="home", action="change", changes={"height_m": 16.0}
        )
        conflict = Conflict.objects.filter(decision="open").first() or Conflict.objects.latest("pk")
        Conflict.objects.filter(pk=conflict.pk).update(decision="open")
        client = Client()
        if who:
            client.force_login(who)
        url = address.replace("OFFER", str(offer.pk)).replace("CONFLICT", str(conflict.pk))
        api = {"content_type": "application/json"} if "/api/" in url else {}
        answer = client.post(url, body, **api) if method == "POST" else client.get(url)
        assert answer.status_code == answers[role], (method, url, answer.content[:300])
        if answer.status_code == 302 and role == 0:
            assert "login" in answer["Location"]


def test_a_token_needs_its_scope_and_a_key_makes_it_once(town: Import, ana: User) -> None:
    town()
    body = json.dumps({"layer": "buildings", "key": "home", "changes": {"height_m": 15}})
    secret = people.create_token(user=ana, name="reads", scopes=["designs:read"])[1]
    writes = people.create_token(user=ana, name="writes", scopes=["twin:write"])[1]

    def post(token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "once"}
        return Client().post(
            "/api/v1/districts/town/corrections/", body, content_type="application/json", headers=headers
        )

    assert post(secret).status_code == 403
    assert [post(writes).status_code, post(writes).status_code] == [201, 201]
    assert Offer.objects.count() == 1


def test_one_person_offers_so_many_an_hour(town: Import, ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    town()
    monkeypatch.setattr("twin.services.offers.MOST_AN_HOUR", 1)
    tall(ana)
    with pytest.raises(CityError, match="within an hour"):
        tall(ana, 16.0)
