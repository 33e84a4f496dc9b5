"""Scenarios over the API and the command: who may, what is kept and found again, what is refused."""

import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from commons.people.models import User
from commons.people.services import create_token
from commons.runs.models import Run
from commons.runs.work import do
from tests.twin.conftest import Import, the_town
from tests.twin.test_traffic import streets
from twin import comparison, queries, scenario_files, services, sumo
from twin.models import ScenarioResult
from twin.tasks import scenarios as tasks

LIST = "/api/v1/districts/town/scenarios/"
SUN = {"kind": "solar", "share_percent": 100}


@pytest.fixture
def city(town: Import) -> str:
    """The town with streets; answers the key of a street."""
    assert town(streets()).status == Run.Status.DONE
    tasks._kept.clear()
    return str(the_town().streets.filter(name="North 1").order_by("key").first().key)  # type: ignore[union-attr]


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna", password="correct horse battery")


def made(client: Client, street: str = "North 1", **more: Any) -> dict[str, Any]:
    measures = [SUN, {"kind": "home_battery", "share_percent": 50}, {"kind": "close_street", "street": street}]
    answer = client.post(LIST, {"title": "Sun", "measures": measures, **more}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def answered(client: Client, pk: str, depth: str = "quick") -> dict[str, Any]:
    """Ask, work, and read the comparison."""
    begun = client.post(f"/api/v1/scenarios/{pk}/runs/", {"depth": depth}, content_type="application/json")
    assert begun.status_code == 202, begun.content
    do(begun.json()["id"])
    run = Run.objects.get(pk=begun.json()["id"])
    assert run.status == Run.Status.DONE, run.error
    return dict(client.get(f"/api/v1/scenarios/{pk}/comparison/").json())


def test_somebody_without_an_account_asks_and_is_answered(city: str, client: Client) -> None:
    scenario = made(client, city)
    assert scenario["may_edit"]
    assert len(scenario["edit_key"]) >= 32
    pk = scenario["id"]
    early = client.get(f"/api/v1/scenarios/{pk}/comparison/")
    assert (early.status_code, early.json()["code"]) == (404, "twin:no-answer-yet")
    found = answered(client, pk)
    assert (found["scenario"], found["version"], found["depth"], found["city_version"]) == (pk, 1, "quick", 1)
    by = {figure["key"]: figure for figure in found["figures"]}
    assert by["made_kwh"]["difference"] > 0
    assert by["made_kwh"]["low"] <= by["made_kwh"]["difference"] <= by["made_kwh"]["high"]
    assert by["walk_min"]["low"] is None
    assert by["vehicle_km"]["engine"] == "Living City user equilibrium 1"
    assert {row["figure"] for row in found["who"]} >= {"cost", "street_db"}
    assert any("flat and without shade" in sentence for sentence in found["limits"])
    houses = client.get(found["buildings"])
    assert (houses.json()["licence"], houses.json()["attribution"]) == (found["licence"], found["attribution"])
    assert found["licence"] == "CC-BY-4.0"
    assert houses["Content-Type"] == "application/geo+json"
    about = {each["id"]: each["properties"] for each in houses.json()["features"]}
    assert about["home"]["cost"] <= 0 < about["home"]["cost_before"]
    roads = {each["id"]: each["properties"] for each in client.get(found["streets"]).json()["features"]}
    assert roads[city]["flow"] == -roads[city]["flow_before"]
    drawn = client.get(f"{found['streets']}?fields=map", headers={"accept-encoding": "gzip"})
    slim = {each["id"]: each for each in json.loads(gzip.decompress(drawn.content))["features"]}
    assert slim[city]["geometry"] is None and slim[city]["properties"]["flow"] == roads[city]["flow"]
    assert slim.keys() == roads.keys() and "name" not in slim[city]["properties"]
    differs = {name for each in about.values() for name, value in each.items() if value and f"{name}_before" in each}
    assert {"cost", "made_kwh"} <= differs and "heat" not in differs
    few = client.get(f"{found['buildings']}?fields=map").json()["features"]
    assert {name.removesuffix("_before") for each in few for name in each["properties"]} >= differs
    assert not {"heat", "heat_before", "walk_min", "walk_min_before"} & {n for each in few for n in each["properties"]}
    again = client.post(f"/api/v1/scenarios/{pk}/runs/", {}, content_type="application/json")
    assert (again.status_code, again.json()["inputs_hash"]) == (200, found["inputs_hash"])
    listed = client.get(f"/api/v1/scenarios/{pk}/runs/").json()
    assert [row["depth"] for row in listed["results"]] == ["quick"]


def test_the_same_run_twice_keeps_the_same_bytes(city: str, client: Client) -> None:
    pk = made(client, city)["id"]
    answered(client, pk)
    first = ScenarioResult.objects.get()
    summary, sha256 = json.dumps(first.summary, sort_keys=True), first.detail_sha256
    path = scenario_files._path(sha256)
    kept = path.read_bytes()
    assert hashlib.sha256(kept).hexdigest() == sha256
    assert json.loads(gzip.decompress(kept))["buildings"]["key"]
    first.delete()
    path.unlink()
    tasks._kept.clear()
    answered(client, pk)
    second = ScenarioResult.objects.get()
    assert json.dumps(second.summary, sort_keys=True) == summary
    assert second.detail_sha256 == sha256
    assert path.read_bytes() == kept
    assert second.inputs_hash == first.inputs_hash


def test_a_copy_with_the_same_measures_shares_the_answer(city: str, client: Client) -> None:
    pk = made(client, city)["id"]
    found = answered(client, pk)
    copy = client.post(f"/api/v1/scenarios/{pk}/fork/", {"title": "Mine"}, content_type="application/json")
    assert copy.status_code == 201
    assert copy.json()["parent"] == {"scenario": pk, "version": 1}
    mine = copy.json()["id"]
    theirs = client.get(f"/api/v1/scenarios/{mine}/comparison/").json()
    assert (theirs["inputs_hash"], theirs["scenario"], theirs["title"]) == (found["inputs_hash"], mine, "Mine")
    table = client.get(f"/api/v1/scenarios/{pk}/comparison/?with={mine}").json()
    assert [other["scenario"] for other in table["others"]] == [mine]
    many = ",".join([mine] * 6)
    assert client.get(f"/api/v1/scenarios/{pk}/comparison/?with={many}").status_code == 400
    assert client.get(f"/api/v1/scenarios/{pk}/comparison/?with=nobody").status_code == 404


def test_who_may_see_and_change(city: str, client: Client, anna: User) -> None:
    """Role by route: the owner, who has the key, another person, nobody."""
    nameless = made(client, city, listed=False)
    hers, other = Client(), Client()
    hers.force_login(anna)
    other.force_login(User.objects.create_user("ben"))
    owned = made(hers, city, listed=False)
    assert owned["edit_key"] is None
    change = {"measures": [SUN]}
    key = {"X-Edit-Key": nameless["edit_key"]}
    table = [
        # who, scenario, headers, status of PATCH
        (client, nameless, {}, 403),
        (client, nameless, {"X-Edit-Key": "guess"}, 403),
        (other, nameless, {}, 403),
        (client, nameless, key, 200),
        (client, owned, {}, 403),
        (client, owned, key, 403),
        (other, owned, {}, 403),
        (hers, owned, {}, 200),
    ]
    for who, scenario, headers, status in table:
        address = f"/api/v1/scenarios/{scenario['id']}/"
        patched = who.patch(address, change, content_type="application/json", headers=headers)
        assert patched.status_code == status, (scenario["owner"], headers, patched.content)
        for path in ("", "runs/"):
            assert who.get(f"{address}{path}").status_code == 200
        assert who.post(f"{address}fork/", {}, content_type="application/json").status_code == 201
    seen = {row["id"] for row in client.get(LIST).json()["results"]}
    assert not seen & {nameless["id"], owned["id"]}
    assert owned["id"] in {row["id"] for row in hers.get(LIST).json()["results"]}
    assert client.get("/api/v1/scenarios/aaaaaaaaaaaaaa/").status_code == 404
    assert client.get("/api/v1/scenarios/aaaaaaaaaaaaaa/comparison/").status_code == 404
    for scope, status in (("designs:read", 403), ("twin:write", 201)):
        token = create_token(user=anna, name=scope, scopes=[scope])[1]
        sent = Client().post(
            LIST,
            {"title": "x", "measures": [SUN]},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert sent.status_code == status
        assert Client().get(LIST, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_change_makes_a_version_and_words_do_not(city: str, client: Client) -> None:
    scenario = made(client, city)
    address, key = f"/api/v1/scenarios/{scenario['id']}/", {"X-Edit-Key": scenario["edit_key"]}

    def patch(**change: Any) -> dict[str, Any]:
        return dict(client.patch(address, change, content_type="application/json", headers=key).json())

    assert patch(title="Other words", listed=False)["version"] == 1
    assert patch(measures=scenario["measures"])["version"] == 1
    now = patch(measures=[SUN], note="only sun")
    assert (now["version"], now["title"], now["listed"]) == (2, "Other words", False)
    assert [row["number"] for row in now["versions"]] == [2, 1]
    assert now["versions"][1]["measures"] == scenario["measures"]
    assert patch(assumptions={"energy": {"buy_ct": 30}, "traffic": {"share_car": 0.4}})["version"] == 3
    old = client.post(f"{address}runs/", {"version": 1}, content_type="application/json")
    assert old.status_code == 202
    assert client.post(f"{address}runs/", {"version": 9}, content_type="application/json").status_code == 404


REFUSED: tuple[tuple[dict[str, Any], str | None, str], ...] = (
    ({"measures": []}, "twin:bad-measure", "at least one measure"),
    ({"measures": [{"kind": "moon"}]}, "twin:bad-measure", "There are calm_street"),
    ({"measures": ["x"]}, "twin:bad-measure", "is not one we have"),
    ({"measures": [{"kind": "solar", "share_percent": 101}]}, "twin:bad-measure", "from 0 to 100"),
    ({"measures": [{"kind": "close_street", "street": "none"}]}, "twin:bad-measure", "no street “none”"),
    ({"measures": [{"kind": "change_building", "building": "none"}]}, "twin:bad-measure", "no building"),
    ({"measures": [{"kind": "trees", "at": [0, 0]}]}, "twin:bad-measure", "outside the district"),
    ({"assumptions": {"energy": {"moon": 1}}}, "twin:bad-measure", "no assumption “moon”"),
    ({"assumptions": {"traffic": {"share_car": 7}}}, "twin:bad-assumption", "from 0 to 1"),
    ({"assumptions": {"moon": {}}}, "city:bad-input", "traffic"),
    ({"title": "  "}, None, ""),
)


def test_what_cannot_be_changes_nothing(city: str, client: Client) -> None:
    named = [{"kind": "close_street", "street": name} for name in {row.name for row in the_town().streets.all()}]
    every = ({"measures": named}, "twin:bad-measure", "every street")
    for change, code, words in (*REFUSED, every):
        sent = client.post(LIST, {"title": "x", "measures": [SUN], **change}, content_type="application/json")
        assert sent.status_code == 400, sent.content
        assert code is None or sent.json()["code"] == code
        assert words in sent.json()["detail"]
    assert not the_town().scenarios.exists()


def test_a_run_tells_nothing_of_who_is_not_listed(city: str, client: Client) -> None:
    scenario = made(client, city, listed=False, title="A secret plan")
    begun = client.post(f"/api/v1/scenarios/{scenario['id']}/runs/", {}, content_type="application/json")
    for address in (begun["Location"], "/api/v1/runs/"):
        body = client.get(address).content.decode()
        assert begun.json()["id"] in body
        assert scenario["id"] not in body
        assert "secret plan" not in body


def test_the_queue_is_not_filled_by_one(city: str, anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(services.scenario_runs.MOST_OPEN_OF_ONE, "quick", 1)
    client = Client()
    client.force_login(anna)
    for street, status in (("North 1", 202), ("North 1", 202), ("North 2", 429)):
        pk = made(client, street)["id"]
        sent = client.post(f"/api/v1/scenarios/{pk}/runs/", {}, content_type="application/json")
        assert sent.status_code == status
    assert Run.objects.filter(kind=queries.scenarios.KIND).count() == 1


def test_the_command_prints_the_comparison(city: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps({"title": "Sun", "measures": [SUN]}))

    def ran() -> dict[str, Any]:
        out = io.StringIO()
        call_command("run_scenario", "town", str(path), "--json", "--inline", stdout=out)
        return dict(json.loads(out.getvalue()))

    first = ran()
    assert first["figures"]
    assert first["limits"]
    assert ran() == first
    assert the_town().scenarios.count() == 1
    path.write_text("{")
    with pytest.raises(CommandError, match="not valid JSON"):
        call_command("run_scenario", "town", str(path), "--inline")
    path.write_text(json.dumps({"measures": [{"kind": "solar", "share_percent": -1}]}))
    with pytest.raises(CommandError, match="from 0 to 100"):
        call_command("run_scenario", "town", str(path), "--inline")


@pytest.mark.skipif(sumo.home() is None, reason="SUMO is not installed")
def test_seeds_and_the_deep_run_stand_beside_ours(city: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries.scenarios, "SEEDS", (1, 2))
    pk = made(client, city)["id"]
    found = answered(client, pk, "seeds")
    assert (found["depth"], found["seeds"]) == ("seeds", [1, 2])
    by = {figure["key"]: figure for figure in found["figures"]}
    assert by["sumo_mean_min"]["low"] <= by["sumo_mean_min"]["difference"] <= by["sumo_mean_min"]["high"]
    assert by["sumo_mean_min"]["engine"].startswith("SUMO")
    assert by["mean_min"]["engine"] == "Living City user equilibrium 1"
    deep = answered(client, pk, "deep")
    emitted = next(figure for figure in deep["figures"] if figure["key"] == "deep_co2_kg")
    assert emitted["baseline"] > 0
    assert emitted["low"] is None


def test_measures_are_said_in_a_line() -> None:
    assert comparison.said({"kind": "solar", "share_percent": 40.0, "uses": ["home"]}) == "Solar panels: 40 %, homes"
    assert comparison.said({"kind": "calm_street", "street": "w1", "to": "30"}) == "Calm a street: w1, 30 km/h"
