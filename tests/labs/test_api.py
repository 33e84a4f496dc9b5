"""The room over HTTP: the contract's fields, its refusals, and lists that ask no more for more rows."""

import datetime as dt
import random
import threading
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commons.people.models import Membership, User
from commons.people.services import create_token, set_role
from labs.models import Booking, Job, Machine
from labs.services import bookings, catalogue
from labs.services import jobs as job_services
from tests.labs.conftest import design, enrolled, lab, machine, person, tomorrow

HOUR = dt.timedelta(hours=1)


def bearer(user: User, *scopes: str) -> dict[str, str]:
    _token, secret = create_token(user=user, name="test", scopes=scopes)
    return {"Authorization": f"Bearer {secret}"}


def post(client: Client, path: str, body: object, **headers: str) -> Any:
    return client.post(path, orjson.dumps(body), content_type="application/json", headers=headers)


def test_labs_and_machines_are_public_with_the_contracts_fields(client: Client, printer: Machine) -> None:
    printer.required_badges.add(catalogue.create_badge(slug="printing", name="3D printing"))
    labs = client.get("/api/v1/labs/").json()["results"]
    assert labs[0]["slug"] == printer.lab.slug
    found = client.get(f"/api/v1/labs/{printer.lab.slug}/machines/").json()["results"][0]
    assert (found["id"], found["class"], found["required_badges"]) == (printer.pk, "3d-printer", ["printing"])
    assert client.get("/api/v1/labs/nowhere/").status_code == 404
    assert client.get("/api/v1/labs/nowhere/machines/").json()["code"] == "labs:unknown-lab"


def test_book_see_move_and_cancel(client: Client, printer: Machine) -> None:
    user, start = person(), tomorrow()
    headers = bearer(user, "bookings:write")
    made = design(user, b"solid a")
    body = {
        "machine": printer.pk,
        "start": start.isoformat(),
        "end": (start + HOUR).isoformat(),
        "design": f"{user.username}/{made.design.slug}",
    }
    booked = post(client, "/api/v1/bookings/", body, **headers)
    assert booked.status_code == 201, booked.content
    mine = f"/api/v1/bookings/{booked.json()['id']}/"
    assert booked.json()["design"] == body["design"]
    taken = post(client, "/api/v1/bookings/", body, **bearer(person(), "bookings:write"))
    assert (taken.status_code, taken.json()["code"]) == (409, "booking:overlap")
    assert dt.datetime.fromisoformat(taken.json()["next_free"]["start"]) == start + HOUR
    assert taken["Content-Type"] == "application/problem+json"
    moved = client.patch(
        mine,
        orjson.dumps({"end": (start + 2 * HOUR).isoformat()}),
        content_type="application/json",
        headers=headers,
    )
    assert (moved.status_code, dt.datetime.fromisoformat(moved.json()["end"])) == (200, start + 2 * HOUR)
    assert client.delete(mine, headers=headers).status_code == 204
    assert client.get("/api/v1/bookings/", headers=headers).json()["results"][0]["status"] == "cancelled"
    assert post(client, "/api/v1/bookings/", body, **headers).status_code == 201


def test_refusals_have_their_status_and_code(client: Client, printer: Machine) -> None:
    user, start = person(), tomorrow()
    headers = bearer(user, "bookings:write")
    body: dict[str, Any] = {
        "machine": printer.pk,
        "start": start.isoformat(),
        "end": (start + HOUR).isoformat(),
    }

    def answer(**more: Any) -> tuple[int, str]:
        said = post(client, "/api/v1/bookings/", {**body, **more}, **headers)
        return said.status_code, said.json()["code"]

    assert answer(machine=10**9) == (404, "labs:unknown-machine")
    assert answer(end=start.isoformat()) == (422, "booking:bad-time")
    assert answer(start="tomorrow") == (400, "city:bad-input")
    assert answer(design="nobody/nothing") == (404, "booking:unknown-design")
    hidden = design(person(), b"private", public=False)
    assert answer(design=f"{hidden.design.owner.name}/{hidden.design.slug}") == (
        404,
        "booking:unknown-design",
    )
    printer.required_badges.add(catalogue.create_badge(slug="printing", name="3D printing"))
    said = post(client, "/api/v1/bookings/", body, **headers)
    assert (said.status_code, said.json()["code"], said.json()["badge"]) == (
        403,
        "booking:not-qualified",
        "printing",
    )
    assert post(client, "/api/v1/bookings/", body).status_code == 401
    assert post(client, "/api/v1/bookings/", body, **bearer(user, "bookings:read")).status_code == 403
    assert not Booking.objects.exists()


def test_anothers_booking_looks_like_none_and_the_manager_sees_it(client: Client, printer: Machine) -> None:
    booking = bookings.create_booking(machine=printer, user=person(), start=tomorrow(), end=tomorrow() + HOUR)
    path, stranger, manager = f"/api/v1/bookings/{booking.pk}/", person(), person()
    headers = bearer(stranger, "bookings:write")
    assert client.get(path, headers=headers).status_code == 404
    assert client.delete(path, headers=headers).status_code == 404
    assert client.get("/api/v1/bookings/", headers=headers).json()["results"] == []
    set_role(organisation=printer.lab.organisation, user=manager, role=Membership.Role.MANAGER)
    assert client.get(path, headers=bearer(manager, "bookings:read")).status_code == 200


def test_availability_says_what_is_free(client: Client, printer: Machine) -> None:
    start = tomorrow(8)
    bookings.create_booking(machine=printer, user=person(), start=start + HOUR, end=start + 2 * HOUR)
    query = {"from": start.isoformat(), "to": (start + 3 * HOUR).isoformat()}
    slots = client.get(f"/api/v1/machines/{printer.pk}/availability/", query).json()["slots"]
    assert [(s["free"], s["why"]) for s in slots] == [(True, ""), (False, "taken"), (True, "")]
    assert set(slots[0]) >= {"start", "end", "free", "solar_share"}
    far = {"from": "9999-12-31T23:59:59Z"}
    for bad in ({"from": "soon"}, far, {"from": start.isoformat(), "to": start.isoformat()}, {"step": "7"}):
        assert client.get(f"/api/v1/machines/{printer.pk}/availability/", bad).status_code == 400


def test_a_device_reports_a_job_with_its_token_alone(client: Client, printer: Machine) -> None:
    made = design(person(), b"solid part")
    _device, token = enrolled(printer)
    message = {
        "seq": 1,
        "ts": timezone.now().isoformat(),
        "event": "started",
        "job": "print-7",
        "file": {"name": "part.stl", "sha256": made.sha256},
    }
    assert post(client, "/api/v1/device/jobs/", message).status_code == 401
    person_token = bearer(person(), "labs:manage")
    assert post(client, "/api/v1/device/jobs/", message, **person_token).status_code == 401
    ack = post(client, "/api/v1/device/jobs/", message, Authorization=f"Bearer {token}")
    assert (ack.status_code, ack.json()) == (
        200,
        {"acked": 1, "stored": 1, "duplicates": 0, "rejected": [], "flagged": []},
    )
    again = post(client, "/api/v1/device/jobs/", message, Authorization=f"Bearer {token}").json()
    assert (again["stored"], again["duplicates"]) == (0, 1)
    for broken in (b"{", b"7", b"[]", b'{"events": []}'):
        said = client.post(
            "/api/v1/device/jobs/",
            broken,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert said.status_code == 400, broken
    job = client.get("/api/v1/jobs/").json()["results"][0]
    assert job["design"] == {
        "owner": made.design.owner.name,
        "slug": made.design.slug,
        "name": made.design.name,
        "path": "body.stl",
        "commit": made.commit,
        "blob": made.oid,
        "release": None,
        "licence": "CERN-OHL-S-2.0",
    }
    assert (job["provenance"], job["open"], job["outcome"]) == ("proven", True, "running")


def test_match_gives_reasons_for_and_against(client: Client, printer: Machine) -> None:
    owner = person()
    small = design(owner, b"small", facts={"extents_mm": [84, 40, 66], "watertight": True})
    large = design(owner, b"large", facts={"extents_mm": [840, 40, 66], "watertight": True})
    fits = client.get("/api/v1/match/", {"design": f"{owner.username}/{small.design.slug}"}).json()["results"][0]
    assert (fits["machine"], fits["fits"], fits["makes"]) == (printer.pk, True, ["body.stl"])
    assert any("250 × 210 × 220" in reason for reason in fits["reasons_for"])
    not_ = client.get("/api/v1/match/", {"design": f"{owner.username}/{large.design.slug}"}).json()["results"][0]
    assert not_["fits"] is False
    assert any("larger" in reason for reason in not_["reasons_against"])
    assert client.get("/api/v1/match/").status_code == 404


def test_a_token_of_another_scope_does_not_name_private_designs(client: Client, printer: Machine) -> None:
    """What a match and a job tell of designs is for a token that may read designs; any other reads as a stranger."""
    owner = person()
    made = design(owner, b"secret", public=False, facts={"extents_mm": [84, 40, 66], "watertight": True}).design
    named = {"design": f"{owner.username}/{made.slug}"}
    device, _token = enrolled(printer)
    job = Job.objects.create(
        machine=printer, device=device, device_job="1", design=made, started_at=timezone.now(), provenance="proven"
    )
    both = ("designs:read", "bookings:read")
    for scopes, match, told in ((both, 200, made.slug), (("bookings:read",), 404, None), (("energy:read",), 404, None)):
        headers = bearer(owner, *scopes)
        assert client.get("/api/v1/match/", named, headers=headers).status_code == match
        shown = client.get(f"/api/v1/jobs/{job.pk}/", headers=headers).json()
        assert (shown["design"] or {}).get("slug") == told
        listed = client.get("/api/v1/jobs/", headers=headers).json()["results"][0]
        assert (listed["design"] or {}).get("slug") == told


def _fill(of: Machine, nth: int) -> None:
    """A device, a job that runs, one that ended, and a booking."""
    user = person()
    made = design(user, b"part %d of %d" % (nth, of.pk))
    device, _token = enrolled(of)
    now = timezone.now()
    for seq, (event, job) in enumerate([("started", "a"), ("finished", "a"), ("started", "b")], start=1):
        file = {"name": "a.stl", "sha256": made.sha256}
        job_services.take_events(
            device=device,
            events=[
                {
                    "seq": seq,
                    "ts": (now - (4 - seq) * HOUR).isoformat(),
                    "event": event,
                    "job": job,
                    "file": file,
                }
            ],
        )
    bookings.create_booking(machine=of, user=user, start=tomorrow(), end=tomorrow() + HOUR, design=made.design)


def _count(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def test_lists_ask_no_more_for_five_than_for_one(client: Client, kamppi: Any) -> None:
    where = lab("plain-lab", place=kamppi)
    reader = person("reader")
    client.force_login(reader)
    paths = [
        "/labs/",
        "/labs/plain-lab/",
        "/api/v1/labs/",
        "/api/v1/labs/plain-lab/machines/",
        "/api/v1/jobs/",
        "/api/v1/bookings/",
        "/me/bookings/",
    ]
    counts: list[dict[str, int]] = []
    for rounds in (1, 4):
        for nth in range(rounds):
            of = machine(where)
            _fill(of, nth)
            lab(place=kamppi)
            at = tomorrow(14) + HOUR * len(counts) * 2
            bookings.create_booking(machine=of, user=reader, start=at, end=at + HOUR)
        counts.append({path: _count(client, path) for path in paths})
    assert counts[0] == counts[1]
    assert max(counts[1].values()) <= 27, counts[1]


def test_a_machines_page_asks_no_more_for_many_jobs(client: Client, printer: Machine) -> None:
    _fill(printer, 0)
    path = f"/labs/{printer.lab.slug}/{printer.slug}/"
    few = _count(client, path)
    device = Job.objects.filter(machine=printer).first().device  # type: ignore[union-attr]
    now = timezone.now()
    job_services.take_events(
        device=device,
        events=[
            {"seq": 10 + n, "ts": (now - n * HOUR).isoformat(), "event": "finished", "job": f"more {n}"}
            for n in range(8)
        ],
    )
    assert _count(client, path) == few


# --- over real HTTP ---


def _ask(url: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        url, orjson.dumps(body), {"Content-Type": "application/json", **headers}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, orjson.loads(answer.read())
    except HTTPError as refused:
        return refused.code, orjson.loads(refused.read())


QUARTER = dt.timedelta(minutes=15)


def _overlapping(rng: random.Random, middle: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """A range that holds the quarter of an hour from `middle` on, so that any two of them meet."""
    return middle - rng.randint(0, 6) * QUARTER, middle + rng.randint(1, 6) * QUARTER


def _race(city: Any, asked: Machine, tokens: list[dict[str, str]], middle: dt.datetime, rng: random.Random) -> None:
    """Everybody books at once, each another range around the same moment: one has it, all others hear a way out."""
    barrier = threading.Barrier(len(tokens))
    wanted = [_overlapping(rng, middle) for _ in tokens]

    def one(nth: int) -> tuple[int, dict[str, Any]]:
        start, end = wanted[nth]
        body = {"machine": asked.pk, "start": start.isoformat(), "end": end.isoformat()}
        barrier.wait(30)
        return _ask(f"{city.url}/api/v1/bookings/", body, tokens[nth])

    with ThreadPoolExecutor(len(tokens)) as pool:
        answers = list(pool.map(one, range(len(tokens))))
    assert Counter(status for status, _ in answers) == {201: 1, 409: len(tokens) - 1}, answers
    (held,) = Booking.objects.filter(machine=asked, start__lte=middle, end__gt=middle)
    for (start, end), (status, told) in zip(wanted, answers, strict=True):
        if status == 201:
            assert (held.start, held.end, str(held.pk)) == (start, end, told["id"])
            continue
        assert told["code"] == "booking:overlap", told
        first, last = (dt.datetime.fromisoformat(told["next_free"][name]) for name in ("start", "end"))
        assert last - first == end - start
        assert first >= held.end  # in this machine's calendar nothing else stands after it


def _rounds(city: Any, people: int, rounds: int) -> None:
    asked, rng = machine(lab()), random.Random(people)
    tokens = [bearer(person(), "bookings:write") for _ in range(people)]
    for nth in range(rounds):
        _race(city, asked, tokens, tomorrow(2) + nth * 4 * HOUR, rng)


def test_ten_people_over_http_one_wins_each_round(live_city: Any) -> None:
    _rounds(live_city, 10, 3)


@pytest.mark.drill
def test_fifty_people_twenty_rounds_over_http(live_city: Any) -> None:
    _rounds(live_city, 50, 20)
