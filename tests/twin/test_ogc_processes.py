"""OGC API Processes over a small town, after the abstract tests of its classes core, process description, JSON, HTML,
OpenAPI, job list and dismiss. The engines really reckon, once.
"""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from django.db.models import QuerySet
from django.test import Client

from commons.people.services import create_token, create_user
from commons.runs.models import Run
from commons.runs.work import do
from tests.twin.conftest import Import
from tests.twin.test_ogc_features import as_described
from twin.models import Scenario
from twin.ogc import processes
from twin.ogc.processes import CONFORMS

EXECUTION = "/ogc/processes/run-scenario/execution"
EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
INPUTS: dict[str, Any] = {"district": "town", "measures": [{"kind": "solar", "share_percent": 40}]}
Post = Callable[..., Any]


@pytest.fixture
def post(town: Import, client: Client) -> Post:
    """The town, and a stranger who begins something."""
    town()

    def send(inputs: Any, path: str = EXECUTION, prefer: str = "respond-async", **more: Any) -> Any:
        headers = {"prefer": prefer} if prefer else {}
        body = json.dumps({"inputs": inputs, **more})
        return client.post(path, body, content_type="application/json", headers=headers)

    return send


def runs() -> "QuerySet[Run]":
    """Those of scenarios; an import starts others."""
    return Run.objects.filter(kind="twin.scenario")


def rels(document: dict[str, Any]) -> dict[str, str]:
    return {link["rel"].rsplit("/", 1)[-1]: link["href"] for link in document["links"]}


def test_processes_are_listed_and_described(town: Import, client: Client) -> None:
    town()
    stated = client.get("/ogc/conformance").json()["conformsTo"]
    assert set(CONFORMS) <= set(stated)
    landing = rels(client.get("/ogc/").json())
    listed = client.get(landing["processes"]).json()
    assert [p["id"] for p in listed["processes"]] == ["run-scenario", "run-scenario-deep"] and rels(listed)["self"]
    assert len(client.get("/ogc/processes?limit=1").json()["processes"]) == 1
    for summary in listed["processes"]:
        assert {"id", "version", "jobControlOptions", "outputTransmission", "links"} <= summary.keys()
        said = client.get(rels(summary)["self"]).json()
        assert rels(said)["execute"].endswith(f"/ogc/processes/{said['id']}/execution")
        assert said["inputs"] and said["outputs"]
        for about in said["inputs"].values():
            jsonschema.Draft202012Validator.check_schema(about["schema"])
    for path in ("processes", "processes/run-scenario", "jobs"):
        assert client.get(f"/ogc/{path}", headers={"accept": "text/html"})["Content-Type"].startswith("text/html")
    missing = client.get("/ogc/processes/nothing")
    assert (missing.status_code, missing.json()["type"]) == (404, f"{EXCEPTIONS}no-such-process")
    assert client.post("/ogc/processes/nothing/execution", "{}", content_type="application/json").status_code == 404
    for path in ("jobs/x", "jobs/x/results", f"jobs/aaaaaaaaaaaaaa-1-d-{'0' * 32}"):
        gone = client.get(f"/ogc/{path}")
        assert (gone.status_code, gone.json()["type"]) == (404, f"{EXCEPTIONS}no-such-job")


def test_a_job_from_its_beginning_to_its_results(post: Post, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = post({**INPUTS, "listed": True, "title": {"value": "Forty per cent"}}, response="document")
    assert begun.status_code == 201, begun.content
    assert begun["Preference-Applied"] == "respond-async"
    said = begun.json()
    assert (said["status"], said["type"], said["processID"], said["progress"]) == (
        "accepted",
        "process",
        "run-scenario",
        0,
    )
    job = begun["Location"]
    assert client.get(job).json() == said | {"links": client.get(job).json()["links"]}
    early = client.get(f"{job}/results")
    assert (early.status_code, early.json()["type"]) == (404, f"{EXCEPTIONS}result-not-ready")
    # who waits without asking for a job is not kept for ever
    monkeypatch.setattr(processes, "WAIT_S", 0.0)
    late = post(INPUTS, prefer="")
    assert late.status_code == 503 and late["Retry-After"]
    # another's job for the same answer works on the same run; neither can end the other's
    other = post(INPUTS)
    assert runs().count() == 1 and other.json()["jobID"] != said["jobID"]
    assert client.delete(other["Location"]).status_code == 200
    assert client.get(job).json()["status"] == "accepted"

    do(runs().get().pk)
    over = client.get(job).json()
    assert (over["status"], over["progress"]) == ("successful", 100) and over["finished"]
    found = client.get(rels(over)["results"])
    comparison = found.json()["comparison"]
    assert comparison["title"] == "Forty per cent" and comparison["figures"] and comparison["limits"]
    # now the answer is there: at once, raw (one output is told without a frame) or as a document
    at_once = post(INPUTS, prefer="")
    assert at_once.status_code == 200 and at_once.json()["figures"] == comparison["figures"]
    assert post(INPUTS).status_code == 200
    assert post(INPUTS, response="document").json()["comparison"]["figures"] == comparison["figures"]

    listed = client.get("/ogc/jobs").json()["jobs"]
    assert [j["jobID"] for j in listed] == [said["jobID"]]  # those that are not listed are not shown to others
    for query, there in {
        "status=successful": 1, "status=failed,running": 0, "processID=run-scenario": 1, "processID=x": 0,
        "type=process": 1, "type=wps": 0, "minDuration=100000": 0, "maxDuration=100000": 1,
        "datetime=2001-01-01T00:00:00Z/..": 1, "datetime=../2001-01-01T00:00:00Z": 0, "limit=1": 1,
    }.items():  # fmt: skip
        assert len(client.get(f"/ogc/jobs?{query}").json()["jobs"]) == there, query
    for query in ("status=odd", "minDuration=x", "datetime=x", "limit=0", "odd=1"):
        assert client.get(f"/ogc/jobs?{query}").status_code == 400, query

    # dismissing: not by a stranger where everybody sees the job, but with the key of its answer
    assert client.delete(job).status_code == 403
    key = {"x-edit-key": begun["X-Edit-Key"]}
    assert client.delete(job, headers=key).json()["status"] == "dismissed"
    assert client.delete(job, headers=key).status_code == 410
    assert client.get(f"{job}/results").status_code == 410


def test_a_job_that_waits_is_stopped(post: Post, client: Client) -> None:
    job = post(INPUTS)["Location"]
    assert client.delete(job).json()["status"] == "dismissed"
    assert runs().get().status == Run.Status.CANCELLED
    assert client.get(job).json()["status"] == "dismissed" and client.delete(job).status_code == 410
    assert client.get("/ogc/jobs").json()["jobs"] == []


def test_answers_are_as_the_description_says(post: Post, client: Client) -> None:
    job = post({**INPUTS, "listed": True})["Location"].rsplit("/", 1)[-1]
    for path in ("/processes", "/processes/{processId}", "/jobs", "/jobs/{jobId}"):
        as_described(client, path, processId="run-scenario", jobId=job)


def test_whose_job_it_is(post: Post, client: Client) -> None:
    anna = create_user(username="anna")
    _token, secret = create_token(user=anna, name="t", scopes=["twin:write"])
    _other, reading = create_token(user=anna, name="r", scopes=["designs:read"])
    assert Client().get("/ogc/jobs", headers={"authorization": f"Bearer {secret}"}).status_code == 200
    body = json.dumps({"inputs": INPUTS})
    headers = {"prefer": "respond-async", "authorization": f"Bearer {reading}"}
    assert Client().post(EXECUTION, body, content_type="application/json", headers=headers).status_code == 403
    headers["authorization"] = f"Bearer {secret}"
    mine = Client().post(EXECUTION, body, content_type="application/json", headers=headers)
    assert mine.status_code == 201 and Scenario.objects.get().owner == anna
    assert Client().delete(mine["Location"]).status_code == 403
    assert Client().delete(mine["Location"], headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("inputs", "more", "where"),
    [
        ({}, {}, "district"),
        ({"district": "town"}, {}, "measures"),
        ({**INPUTS, "odd": 1}, {}, "odd"),
        ({**INPUTS, "measures": "solar"}, {}, "measures"),
        ({**INPUTS, "district": 7}, {}, "district"),
        (INPUTS, {"response": "odd"}, "response"),
        (INPUTS, {"outputs": {"odd": {}}}, "outputs"),
        ([], {}, "inputs"),
        ({**INPUTS, "measures": {"href": "http://127.0.0.1/"}}, {}, "measures"),
        ({**INPUTS, "measures": {"href": "https://localhost/"}}, {}, "measures"),
    ],
)
def test_inputs_that_cannot_be_are_refused(post: Post, inputs: Any, more: dict[str, Any], where: str) -> None:
    refused = post(inputs, **more)
    assert refused.status_code == 400 and refused.json()["where"] == where
    assert not Scenario.objects.exists()


def test_measures_and_districts_that_are_not_there(post: Post) -> None:
    assert post({**INPUTS, "district": "atlantis"}).status_code == 404
    assert post({**INPUTS, "measures": [{"kind": "odd"}]}).status_code == 400
    deep = "/ogc/processes/run-scenario-deep/execution"
    assert post({**INPUTS, "depth": "odd"}, deep).json()["where"] == "depth"
    assert not runs().exists()


CHECKED: dict[str, tuple[Post, ...]] = {
    "core": (test_a_job_from_its_beginning_to_its_results, test_inputs_that_cannot_be_are_refused),
    "ogc-process-description": (test_processes_are_listed_and_described,),
    "json": (test_processes_are_listed_and_described, test_a_job_from_its_beginning_to_its_results),
    "html": (test_processes_are_listed_and_described,),
    "oas30": (test_answers_are_as_the_description_says,),
    "job-list": (test_a_job_from_its_beginning_to_its_results, test_a_job_that_waits_is_stopped),
    "dismiss": (test_a_job_that_waits_is_stopped, test_whose_job_it_is),
}


def test_no_class_is_stated_that_nothing_checks() -> None:
    spec = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
    assert {f"{spec}{name}" for name in CHECKED} == set(CONFORMS)
