"""What the city counts of itself, read by Prometheus' own parser; the heartbeat's way; who may read it."""

import logging
import threading
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from commons.people.services import create_user
from commons.runs.models import Run
from commons.runs.signals import valkey
from commons.watching import gauges, measures, shared


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> measures.Counts:
    """Counts of this test alone."""
    found = measures.Counts()
    found.role = "web"
    monkeypatch.setattr(measures, "counts", found)
    return found


@pytest.fixture(autouse=True)
def told_by_nobody(settings: Any) -> None:
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    for key in valkey().scan_iter(match=f"{shared.PREFIX}*"):
        valkey().delete(key)
    valkey().delete(shared.FAULTS)
    shared._faults.clear()


def families(text: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(text: str, name: str, **labels: str) -> float:
    """The sum of all samples of that name with these labels."""
    found = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert found, (name, labels)
    return sum(found)


def test_prometheus_reads_what_we_write(counts: measures.Counts) -> None:
    measures.count("city_http_requests_total", route='a "b"\\\n', method="GET", status="200")
    measures.count("city_http_requests_total", 2, route='a "b"\\\n', method="GET", status="200")
    for seconds in (0.01, 0.02, 0.3, 99.0):
        measures.observe("city_http_request_seconds", seconds, route="home")
    text = measures.text({"web:here:1": counts.snapshot(), "web:here:2": counts.snapshot()}, [("city_up", {}, 1.0)])
    assert value(text, "city_http_requests_total", route='a "b"\\\n', process="web:here:1") == 3
    one = {"route": "home", "process": "web:here:2"}
    assert value(text, "city_http_request_seconds_count", **one) == 4
    assert value(text, "city_http_request_seconds_sum", **one) == pytest.approx(99.33)
    assert value(text, "city_http_request_seconds_bucket", le="0.01", **one) == 1, "a bound belongs to its bucket"
    assert value(text, "city_http_request_seconds_bucket", le="0.5", **one) == 3
    assert value(text, "city_http_request_seconds_bucket", le="+Inf", **one) == 4
    assert {name: family.type for name, family in families(text).items()} == {
        "city_http_requests": "counter",
        "city_http_request_seconds": "histogram",
        "city_up": "gauge",
    }


def test_no_count_is_lost_between_threads(counts: measures.Counts) -> None:
    def work() -> None:
        for _ in range(5000):
            measures.count("city_faults_total", logger="x")
            measures.observe("city_run_seconds", 0.1, kind="x")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = counts.snapshot()
    assert said["plain"][0][2] == 40_000
    assert sum(said["histograms"][0][2]) == 40_000


@pytest.mark.django_db
def test_metrics_tell_of_every_process_and_of_now(counts: measures.Counts, client: Client) -> None:
    Run.objects.create(kind="tests.wait", inputs_sha256="")
    measures.count("city_faults_total", logger="before")
    shared.tell()
    assert client.get("/designs/").status_code == 200
    assert client.get("/nowhere/").status_code == 404
    answer = client.get("/metrics")
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.content.decode()
    families(text)
    assert value(text, "city_http_requests_total", route="rooms:designs", status="200") == 1
    assert value(text, "city_http_requests_total", route="none", status="404") == 1
    assert value(text, "city_faults_total", logger="before") == 1
    assert value(text, "city_runs_waiting", kind="tests.wait") == 1
    assert value(text, "city_run_oldest_waiting_seconds") >= 0
    assert value(text, "city_database_connections") >= 1
    assert value(text, "city_disk_free_bytes") > 0
    assert {what: value(text, "city_up", what=what) for what in gauges.ASKED} == dict.fromkeys(gauges.ASKED, 1.0)
    known = {name.removesuffix("_total") for name in measures.KNOWN}
    assert set(families(text)) <= known


@pytest.mark.django_db
def test_what_does_not_answer_is_said_and_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise OSError("no disk")

    monkeypatch.setitem(gauges.ASKED, "disk", broken)
    found = gauges.look()
    assert ("city_up", {"what": "disk"}, 0.0) in found
    assert ("city_up", {"what": "database"}, 1.0) in found


@pytest.mark.django_db
def test_who_may_read_metrics(client: Client, settings: Any) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 404
    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="192.0.2.7").status_code == 404, "through a proxy beside us"
    assert client.post("/metrics").status_code == 405
    settings.METRICS_TOKEN = "a long secret"
    assert client.get("/metrics").status_code == 404, "where there is a token it is asked for"
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer a long secre").status_code == 404
    far = {"REMOTE_ADDR": "192.0.2.7", "HTTP_X_FORWARDED_FOR": "192.0.2.7"}
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer a long secret", **far).status_code == 200


@pytest.mark.django_db
def test_operations_are_for_staff_and_show_what_went_wrong(client: Client, counts: measures.Counts) -> None:
    assert client.get("/operations/").status_code == 302
    client.force_login(create_user(username="anna"))
    assert client.get("/operations/").status_code == 404
    client.force_login(create_user(username="chief", is_staff=True))
    Run.objects.create(kind="tests.wait", title="A long sum", inputs_sha256="")
    handler = shared.Faults()
    try:
        raise ValueError("a secret that was sent")
    except ValueError as fault:
        exc_info = (type(fault), fault, fault.__traceback__)
        handler.emit(logging.LogRecord("city", logging.ERROR, __file__, 1, "it broke: %s", ("secret",), exc_info))
    shared.tell()
    page = client.get("/operations/").content.decode()
    for words in ("A long sum", "ValueError", "test_measures.py", "previews", "web <span", "database"):
        assert words in page, words
    assert "a secret that was sent" not in page
