"""Simulations through runs: in this process, through a real worker, through the API."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from commons.people.models import User
from commons.people.services import create_token, create_user
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from energy import queries, services
from energy.models import CommunityVersion, Simulation


def finish(run_id: str) -> Run:
    """Do the run here, or wait for the worker of another test that was quicker."""
    do(run_id)
    return runs.wait(run=Run.objects.get(pk=run_id), timeout_s=120)


def simulated(*words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("simulate_community", *words, "--inline", "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_the_contracts_result(version: CommunityVersion) -> None:
    answer = simulated("sixteen", "--control", "none")
    assert set(answer) >= {"totals", "separate", "members", "sharing", "engine"}
    assert set(answer["totals"]) >= {
        "load_kwh",
        "pv_kwh",
        "import_kwh",
        "export_kwh",
        "prosumer_ratio",
        "self_consumption",
        "self_sufficiency",
        "peak_import_kw",
        "cost",
        "co2_kg",
    }
    assert set(answer["totals"]) == set(answer["separate"])
    assert len(answer["members"]) == 17
    assert set(answer["members"][0]) >= {"id", "cost_alone", "cost_shared", "saving"}
    assert set(answer["sharing"]) >= {
        "rule",
        "total_saving",
        "stable",
        "blocking_coalitions",
        "coalitions_checked",
        "worst_excess",
        "gini",
    }
    assert answer["sharing"]["coalitions_checked"] == 131_070
    saved = sum(m["saving"] for m in answer["members"])
    assert saved == pytest.approx(answer["separate"]["cost"] - answer["totals"]["cost"], abs=1e-9)
    kept = Simulation.objects.get()
    assert kept.totals == answer["totals"]
    stored = queries.of_simulation(kept)
    assert sum(stored["import"]) == pytest.approx(answer["totals"]["import_kwh"])


@pytest.mark.django_db(transaction=True)
def test_refusals_of_the_command_change_nothing(version: CommunityVersion) -> None:
    with pytest.raises(CommandError, match="dual prices"):
        simulated("sixteen", "--control", "rule", "--sharing", "owen")
    with pytest.raises(CommandError, match="leave the horizon out"):
        simulated("sixteen", "--control", "optimal", "--horizon-hours", "48", "--sharing", "owen")
    with pytest.raises(CommandError, match="no community"):
        simulated("seventeen", "--control", "none")
    assert Simulation.objects.count() == 0
    assert set(Run.objects.values_list("status", "error_code")) == {("failed", "energy:not-defined")}


@pytest.mark.django_db(transaction=True)
def test_plans_over_a_horizon_and_pumps_through_the_command(folder: Path) -> None:
    """A home gets a heat pump with a tank; the data come back from the database as they were read."""
    from energy import loading
    from energy.engine import folder as reader

    times = [line.split(",")[0] for line in (folder / "prices.csv").read_text().splitlines()[1:]]
    (folder / "heat_kwh.csv").write_text("time,h00\n" + "".join(f"{t},2.5\n" for t in times))
    (folder / "weather.csv").write_text(
        "time,outdoor_c\n" + "".join(f"{t},{h % 24 - 12}\n" for h, t in enumerate(times))
    )
    members = (folder / "members.csv").read_text().splitlines()
    more = [members[0] + ",heat_pump_kw,tank_kwh,tank_loss_per_hour", members[1] + ",2,10,0.02"]
    (folder / "members.csv").write_text("\n".join(more + [line + ",,," for line in members[2:]]) + "\n")
    version = services.import_folder(folder=folder, slug="sixteen")
    kept, read = loading.load(version), reader.read(folder)
    assert kept.members == read.members
    assert kept.members[0].heat is not None and read.members[0].heat is not None
    assert kept.members[0].heat.cop.tolist() == read.members[0].heat.cop.tolist()
    assert kept.load_kwh.tolist() == read.load_kwh.tolist()

    best = simulated("sixteen", "--control", "optimal", "--sharing", "equal")
    assert 0 <= best["engine"]["gap"] < 1e-6
    planned = simulated("sixteen", "--control", "optimal", "--horizon-hours", "24")
    engine = planned["engine"]
    assert engine["cost_with_foresight"] == pytest.approx(best["totals"]["cost"], rel=1e-9)
    assert engine["value_of_forecast"] == pytest.approx(planned["totals"]["cost"] - best["totals"]["cost"], abs=1e-6)
    assert engine["value_of_forecast"] > 0
    assert (engine["forecast"], engine["horizon_hours"], engine["plans"]) == ("naive", 24, 96)
    assert planned["totals"]["load_kwh"] == best["totals"]["load_kwh"]


def test_a_worker_simulates_by_rule(worker: Any, version: CommunityVersion) -> None:
    run = services.start_simulation(version=version, control="rule", full=True)
    done = runs.wait(run=run, timeout_s=120)
    assert done.status == Run.Status.DONE, done.error
    assert done.result is not None
    assert done.result["engine"]["control"] == "rule"
    assert done.result["totals"]["import_kwh"] < done.result["separate"]["import_kwh"]
    assert Simulation.objects.get().run_id == run.pk


@pytest.mark.shared
def test_fontana17_through_a_worker(worker: Any, manage: Any, shared: Path) -> None:
    """The whole way a user goes: import, simulate on a worker, read JSON."""
    folder = shared / "data" / "communities" / "fontana17"
    imported = manage("import_community", str(folder), "--json")
    assert imported.returncode == 0, imported.stderr
    assert json.loads(imported.stdout)["members"] == 17
    done = manage("simulate_community", "fontana17", "--control", "none", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["totals"]["import_kwh"] == pytest.approx(94_425.40, abs=0.01)
    assert answer["separate"]["import_kwh"] == pytest.approx(112_121.12, abs=0.01)
    assert answer["totals"]["prosumer_ratio"] == pytest.approx(0.60966, abs=1e-5)


# --- API ------------------------------------------------------------------------------------------------


def bearer(user: User, *scopes: str) -> dict[str, str]:
    _token, secret = create_token(user=user, name="test", scopes=scopes)
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


def test_anyone_reads_a_public_community(client: Client, version: CommunityVersion) -> None:
    listed = client.get("/api/v1/communities/").json()["results"]
    assert [c["slug"] for c in listed] == ["sixteen"]
    one = client.get("/api/v1/communities/sixteen/").json()
    assert one["place"] == "kamppi"
    assert one["version"]["members"] == {"home": 16, "lab": 1}
    assert one["version"]["prosumer_ratio"] == pytest.approx(version.pv_kwh / version.load_kwh, abs=1e-4)
    assert one["simulations"] == []


def test_a_private_community_answers_like_none(client: Client, version: CommunityVersion, neighbour: User) -> None:
    version.community.public = False
    version.community.save()
    private, missing = client.get("/api/v1/communities/sixteen/"), client.get("/api/v1/communities/none/")
    assert private.status_code == missing.status_code == 404
    assert private.json()["code"] == missing.json()["code"] == "energy:not-found"
    assert client.get("/api/v1/communities/").json()["results"] == []
    assert client.get("/energy/sixteen/").status_code == client.get("/energy/none/").status_code == 404
    refused = client.post(
        "/api/v1/communities/sixteen/runs/", {"control": "none"}, **bearer(neighbour, "energy:manage")
    )
    assert refused.status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_run_is_asked_for_and_found_again(client: Client, version: CommunityVersion, neighbour: User) -> None:
    url = "/api/v1/communities/sixteen/runs/"
    assert client.post(url, {"control": "none"}).status_code == 401
    weak = client.post(url, {"control": "none"}, **bearer(neighbour, "energy:read"))
    assert weak.status_code == 403
    key = bearer(neighbour, "energy:manage")
    assert client.post(url, {"control": "magic"}, content_type="application/json", **key).status_code == 400
    version.members.filter(key="h01").update(person=neighbour)
    started = client.post(url, {"control": "none", "sharing": "owen"}, content_type="application/json", **key)
    assert started.status_code == 202
    assert started.headers["Location"].endswith(f"/api/v1/runs/{started.json()['id']}/")
    finish(started.json()["id"])
    found = client.get(started.headers["Location"], **key).json()
    assert found["status"] == "done", found
    assert found["result"]["totals"]["load_kwh"] == pytest.approx(version.load_kwh)
    # homes are the homes' own: the neighbour sees their own home and the lab, nobody else
    assert {m["id"] for m in found["result"]["members"]} == {"h01", "lab"}
    assert found["result"]["members_hidden"] == 15
    assert client.get(started.headers["Location"]).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_staff_see_all_members(client: Client, version: CommunityVersion) -> None:
    boss = create_user(username="boss", is_staff=True)
    key = bearer(boss, "energy:manage")
    started = client.post(
        "/api/v1/communities/sixteen/runs/", {"control": "rule"}, content_type="application/json", **key
    )
    finish(started.json()["id"])
    found = client.get(started.headers["Location"], **key).json()
    assert len(found["result"]["members"]) == 17
