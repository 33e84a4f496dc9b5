"""The contract on the wire: enrol, telemetry, readings."""

import datetime as dt
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from commons.devices import services
from commons.devices.models import Device
from commons.people import services as people
from commons.people.models import Membership
from tests.devices.streams import day_start, reading

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


@pytest.fixture
def waiting(db: None) -> Device:
    return services.create_device(name="Prusa 2", kind="printer")


def enrol(client: Client, code: str) -> Any:
    body = {"code": code, "kind": "printer", "hardware_id": "rpi-1"}
    return client.post("/api/v1/devices/enrol/", body, content_type="application/json")


@pytest.fixture
def token(client: Client, waiting: Device) -> str:
    token: str = enrol(client, str(services.create_enrolment_code(device=waiting))).json()["token"]
    return token


def send(client: Client, token: str, body: Any) -> Any:
    return client.post(
        "/api/v1/telemetry/",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )


def test_enrol_answers_device_token_and_topics(client: Client, waiting: Device) -> None:
    answer = enrol(client, str(services.create_enrolment_code(device=waiting)))
    assert answer.status_code == 201
    told = answer.json()
    assert told["device"] == str(waiting.pk)
    assert told["token"].startswith("lcd_")
    assert told["next_seq"] == 1
    assert told["mqtt"]["telemetry"] == f"city/v1/{waiting.pk}/telemetry"


def test_a_wrong_code_is_refused_in_words(client: Client, db: None) -> None:
    answer = enrol(client, "AAAA-BBBB")
    assert (answer.status_code, answer.json()["code"]) == (403, "device:code-not-good")
    assert client.post("/api/v1/devices/enrol/", {}, content_type="application/json").status_code == 400


def test_guessing_codes_is_throttled(client: Client, waiting: Device) -> None:
    statuses = [enrol(client, f"AAAA-{n:04d}").status_code for n in range(40)]
    assert statuses[:30] == [403] * 30
    assert statuses[30:] == [429] * 10


def test_telemetry_is_acknowledged(client: Client, token: str) -> None:
    batch = [reading(i + 1, day_start() + dt.timedelta(seconds=i), 5.0) for i in range(4)]
    batch[2]["value"] = "much"
    answer = send(client, token, {"readings": batch})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["acked"], told["stored"], told["duplicates"], told["flagged"]) == (4, 3, 0, [])
    assert [(r["seq"], r["code"]) for r in told["rejected"]] == [(3, "reading:bad-value")]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"readings": {}}'])
def test_an_unreadable_body_is_a_problem_and_changes_nothing(client: Client, token: str, body: bytes) -> None:
    answer = send(client, token, body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "device:unreadable"
    assert answer.json()["detail"]
    assert Device.objects.get().seen == ()


def test_only_a_device_may_report(client: Client, token: str) -> None:
    assert client.post("/api/v1/telemetry/", {}, content_type="application/json").status_code == 401
    assert send(client, token[:-1] + ("a" if token[-1] != "a" else "b"), {"readings": []}).status_code == 401
    user = people.create_user(username="anna")
    _row, persons = people.create_token(user=user, name="t", scopes=["admin"])
    assert send(client, persons, {"readings": []}).status_code == 401


def test_a_revoked_device_is_out_at_once(client: Client, token: str, waiting: Device) -> None:
    assert send(client, token, {"readings": []}).status_code == 200
    services.revoke_device(device=waiting)
    answer = send(client, token, {"readings": [reading(1, day_start(), 1.0)]})
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


def get(client: Client, **query: Any) -> Any:
    headers = {"Authorization": f"Bearer {query.pop('token')}"} if "token" in query else {}
    return client.get("/api/v1/readings/", query, headers=headers)


def test_readings_of_a_public_device(client: Client, device: Device) -> None:
    at = day_start()
    services.ingest(device=device, readings=[reading(i + 1, at + dt.timedelta(minutes=i), float(i)) for i in range(60)])
    window = {"from": at.isoformat(), "to": (at + dt.timedelta(hours=1)).isoformat()}
    raw = get(client, device=device.pk, channel="power_w", **window).json()
    assert (len(raw["results"]), raw["unit"], raw["next"]) == (60, "W", None)
    assert raw["results"][3]["value"] == 3.0
    steps = get(client, device=device.pk, step=900, **window).json()["results"]
    assert [(s["count"], s["mean"]) for s in steps] == [(15, 7.0), (15, 22.0), (15, 37.0), (15, 52.0)]
    assert steps[1]["energy_wh"] == pytest.approx(5.625)


def test_pages_of_readings_lose_none(client: Client, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commons.devices.api.PAGE", 10)
    at = day_start()
    told = [reading(i + 1, at + dt.timedelta(minutes=i // 3), float(i)) for i in range(50)]
    services.ingest(device=device, readings=told)
    page = get(client, device=device.pk, **{"from": at.isoformat(), "to": (at + dt.timedelta(hours=1)).isoformat()})
    values, pages = [], 0
    while True:
        document, pages = page.json(), pages + 1
        values += [r["value"] for r in document["results"]]
        if document["next"] is None:
            break
        page = client.get(document["next"])
    assert values == [float(i) for i in range(50)]
    assert pages > 4


def test_private_readings_look_like_missing_ones(client: Client, waiting: Device) -> None:
    lab = people.create_organisation(handle="open-lab", name="Lab", kind="lab")
    waiting.organisation = lab
    waiting.save()
    member, other = people.create_user(username="anna"), people.create_user(username="otto")
    people.set_role(organisation=lab, user=member, role=Membership.Role.MEMBER)
    tokens = {
        (user.username, scope): people.create_token(user=user, name="t", scopes=[scope])[1]
        for user in (member, other)
        for scope in ("energy:read", "designs:read")
    }
    missing = get(client, device=uuid.uuid4())
    for private in (
        get(client, device=waiting.pk),
        get(client, device=waiting.pk, token=tokens["otto", "energy:read"]),
        get(client, device=waiting.pk, token=tokens["anna", "designs:read"]),
    ):
        assert (
            (private.status_code, private.content) == (missing.status_code, missing.content) == (404, missing.content)
        )
    assert get(client, device=waiting.pk, token=tokens["anna", "energy:read"]).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"device": "x"},
        {},
        {"from": "yesterday"},
        {"from": "2026-01-01T00:00:00"},
        {"from": "9999-12-31T23:59:59-23:00"},
        {"to": "0001-01-01T00:00:00+23:00"},
        {"step": "0"},
        {"step": "-5"},
        {"step": "ten"},
        {"step": "²"},
        {"step": "1", "from": "2020-01-01T00:00:00Z"},
    ],
)
def test_a_question_that_cannot_be_read_is_400(client: Client, device: Device, query: dict[str, str]) -> None:
    asked = query if query == {} or "device" in query else {"device": str(device.pk)} | query
    answer = get(client, **asked)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_the_web_process_loads_no_numpy(db: None) -> None:
    program = (
        "import django, sys; django.setup(); import commons.devices.urls, commons.devices.admin;"
        "sys.exit('numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT / "platform",
        env={
            "DJANGO_SETTINGS_MODULE": "livingcity.settings",
            "LIVINGCITY_ROOMS": "",
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_simulated_device_reports_to_the_served_city(live_city: Any, manage: Any) -> None:
    device = services.create_device(name="Played", kind="printer", public=True)
    _device, token = services.enrol(code=str(services.create_enrolment_code(device=device)))
    words = ["simulate_device", "--url", live_city.url, "--token", token, "--count", "2", "--step", "0.1"]
    done = manage(*words)
    assert done.returncode == 0, done.stderr
    device.refresh_from_db()
    assert len(device.seen) == 1
    assert device.seen[0][0] == 1
    services.revoke_device(device=device)
    refused = manage(*words)
    assert refused.returncode == 1
    assert "401" in refused.stderr
    services.delete_devices(devices=[device])
