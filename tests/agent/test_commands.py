"""Who may ask a machine for what, when it comes to nothing, and what the agent's door answers."""

import datetime as dt
import itertools
import threading
import time
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from commons.devices.errors import DeviceAway
from commons.devices.models import Command, Device
from commons.devices.services import commands as door
from commons.devices.services import revoke_device
from commons.people.models import Membership, User
from commons.people.services import set_role
from designs.models import Design
from designs.services import create_design, index_now, releases, write_files
from labs.errors.commands import NoCommand, UnknownFile
from labs.models import Booking, Job, Lab, Machine
from labs.queries import commands as queries
from labs.services import bookings, catalogue, commands, equipment
from labs.services import kiosk as kiosks
from labs.services.jobs import take_events
from tests.conftest import LiveCity
from tests.labs.conftest import enrolled, lab, machine, person

GCODE = b"G28\nG1 X1\n"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def quiet(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from commons.runs import services as runs

    settings.REPOSITORIES_DIR = tmp_path / "repositories"
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(runs, "ring", lambda _run: None)


@pytest.fixture
def here(db: None, quiet: None) -> Lab:
    return lab()


@pytest.fixture
def mine(here: Lab) -> Booking:
    """A person's booking that is checked in, of a machine with an agent, for a released design."""
    of = machine(here, unattended=True, takes_commands=True)
    enrolled(of)
    return booked(of, person())


def released(owner: User, *, visibility: str = "public", release: bool = True) -> Design:
    design = create_design(owner=owner.handle, name="Cube", licence="MIT", by=owner, visibility=visibility)
    files = {"out/cube.gcode": GCODE, "cube.stl": b"solid x\nendsolid x\n", "README.md": b"# Cube\n"}
    write_files(design=design, files=files, message="First", author=owner, by=owner)
    design = index_now(design=design, by=owner)
    if release:
        releases.publish(design=design, version="1.0", notes="", by=owner)
    return design


def booked(of: Machine, user: User, *, check_in: bool = True) -> Booking:
    start = timezone.now() + MINUTE
    made = bookings.create_booking(machine=of, user=user, start=start, end=start + 60 * MINUTE, design=released(user))
    return bookings.check_in(booking=made, by=user) if check_in else made


def sha256_of(booking: Booking) -> str:
    return next(iter(queries.sendable(booking))).sha256


def fresh(booking: Booking) -> Booking:
    return Booking.objects.select_related("machine__lab", "machine__device", "user", "design").get(pk=booking.pk)


def works(booking: Booking, *events: str) -> Device:
    """The machine's agent tells of a job."""
    device = fresh(booking).machine.device
    assert device is not None
    seq = itertools.count(100)
    now = timezone.now().isoformat()
    take_events(device=device, events=[{"seq": next(seq), "ts": now, "event": e, "job": "j"} for e in events])
    return device


def refused(work: Any) -> str:
    with pytest.raises(NoCommand) as found:
        work()
    return str(found.value.data["why"])


def test_who_has_it_booked_and_is_checked_in_sends_a_released_file(mine: Booking) -> None:
    sent = commands.send(booking=mine, sha256=sha256_of(mine), by=mine.user)
    assert sent.body == {"name": "cube.gcode", "sha256": sha256_of(mine), "start": True}
    assert (sent.asked_by, sent.about, sent.state) == (mine.user, str(mine.pk), "waiting")
    again = commands.send(booking=mine, sha256=sha256_of(mine), by=mine.user)
    assert again.pk == sent.pk, "pressed twice is asked once"
    found = commands.read_file(sent)
    assert found is not None and (b"".join(found[0]), found[1]) == (GCODE, len(GCODE))
    with pytest.raises(UnknownFile):
        commands.send(booking=mine, sha256="0" * 64, by=mine.user)


def test_each_reason_against_it_is_named(mine: Booking, here: Lab) -> None:
    sha256, stranger = sha256_of(mine), person()
    manager = person()
    set_role(organisation=here.organisation, user=manager, role=Membership.Role.MANAGER)

    def ask(by: User = mine.user) -> Any:
        return lambda: commands.send(booking=fresh(mine), sha256=sha256, by=by)

    assert refused(ask(stranger)) == "not-yours"
    assert ask(manager)().asked_by == manager
    badge = catalogue.create_badge(slug="hot", name="Hot things", lab=here)
    mine.machine.required_badges.add(badge)
    assert refused(ask()) == "not-qualified"
    mine.machine.required_badges.clear()
    equipment.change_machine(machine=mine.machine, takes_commands=False)
    assert refused(ask()) == "not-allowed"
    equipment.change_machine(machine=mine.machine, takes_commands=True)
    catalogue.set_state(machine=mine.machine, state="repair", note="belt")
    assert refused(ask()) == "in-repair"
    catalogue.set_state(machine=mine.machine, state="ok")
    works(mine, "started")
    assert refused(ask()) == "busy"
    works_end(mine)
    bookings.end_early(booking=fresh(mine), by=mine.user)
    assert refused(ask()) == "over"


def works_end(booking: Booking) -> None:
    Job.objects.filter(machine=booking.machine).update(outcome="finished", finished_at=timezone.now())


def test_without_check_in_or_agent_nothing_is_asked(here: Lab) -> None:
    of = machine(here, unattended=True, takes_commands=True)
    user = person()
    waits = booked(of, user, check_in=False)
    assert refused(lambda: commands.send(booking=fresh(waits), sha256="0" * 64, by=user)) == "no-agent"
    device, _token = enrolled(of)
    assert refused(lambda: commands.send(booking=fresh(waits), sha256="0" * 64, by=user)) == "not-checked-in"
    revoke_device(device=device)
    with pytest.raises(DeviceAway):
        door.ask(device=device, kind=Command.Kind.PAUSE, by=user)


def test_a_machine_at_work_is_paused_and_stopped_and_an_idle_one_is_not(mine: Booking) -> None:
    assert refused(lambda: commands.steer(booking=fresh(mine), kind="pause", by=mine.user)) == "idle"
    works(mine, "started")
    assert commands.steer(booking=fresh(mine), kind="pause", by=mine.user).body == {"job": "j"}
    assert refused(lambda: commands.steer(booking=fresh(mine), kind="relay", by=mine.user)) == "unknown"
    found = queries.of_booking(fresh(mine), mine.user, now=timezone.now())
    assert found is not None and found.can == {"pause", "cancel"} and found.waits


def test_a_file_that_its_person_may_no_longer_see_is_not_sent(mine: Booking) -> None:
    other = released(person(), visibility="private")
    Booking.objects.filter(pk=mine.pk).update(design=other)
    assert list(queries.sendable(fresh(mine))) == []
    Booking.objects.filter(pk=mine.pk).update(design=None)
    assert list(queries.sendable(fresh(mine))) == []


def bearer(token: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def test_the_door_hands_out_until_answered_and_the_first_answer_stands(mine: Booking, client: Client) -> None:
    _device, token = enrolled(mine.machine)
    _other, stranger = enrolled(machine(mine.machine.lab))
    sent = commands.send(booking=fresh(mine), sha256=sha256_of(mine), by=mine.user)
    for _again in range(2):
        found = client.get("/api/v1/device/commands/", **bearer(token)).json()["commands"]
        assert [one["id"] for one in found] == [str(sent.pk)] and 110 < found[0]["expires_in_s"] <= 120
    path = f"/api/v1/device/commands/{sent.pk}/"
    file = client.get(found[0]["body"]["path"], **bearer(token))
    assert b"".join(file.streaming_content) == GCODE  # type: ignore[attr-defined]
    for answer in (client.get(f"{path}file/", **bearer(stranger)), post(client, path, stranger, "done")):
        assert answer.status_code == 404
    assert client.get("/api/v1/device/commands/", **bearer(stranger)).json() == {"commands": []}
    assert client.get("/api/v1/device/commands/").status_code == 401
    assert post(client, path, token, "done", "Printing.").json() == {"state": "done"}
    assert post(client, path, token, "refused", "No.").json() == {"state": "done"}
    sent.refresh_from_db()
    assert (sent.sentence, sent.answered_at is not None) == ("Printing.", True)
    assert client.get("/api/v1/device/commands/", **bearer(token)).json() == {"commands": []}
    assert client.get(f"{path}file/", **bearer(token)).status_code == 404, "its time is past"
    assert post(client, path, token, "walk").status_code == 400


def post(client: Client, path: str, token: str, state: str, sentence: str = "") -> Any:
    body = {"state": state, "sentence": sentence}
    return client.post(path, body, content_type="application/json", **bearer(token))


def test_what_is_not_taken_in_time_comes_to_nothing(mine: Booking, client: Client) -> None:
    _device, token = enrolled(mine.machine)
    sent = commands.send(booking=fresh(mine), sha256=sha256_of(mine), by=mine.user)
    Command.objects.filter(pk=sent.pk).update(expires_at=timezone.now() - MINUTE)
    assert client.get("/api/v1/device/commands/", **bearer(token)).json() == {"commands": []}
    sent.refresh_from_db()
    assert (sent.state, sent.now, sent.is_open) == ("waiting", "expired", False)
    another = commands.send(booking=fresh(mine), sha256=sha256_of(mine), by=mine.user)
    assert another.pk != sent.pk


ROUTES = (
    ("get", "/b/{booking}/machine/"),
    ("post", "/b/{booking}/machine/"),
    ("get", "/api/v1/bookings/{booking}/commands/"),
    ("post", "/api/v1/bookings/{booking}/commands/"),
)
EXPECTED = {
    "anonymous": (302, 302, 401, 401),
    "stranger": (405, 404, 404, 404),
    "fellow": (405, 404, 404, 404),
    "booked": (405, 302, 200, 202),
    "manager": (405, 302, 200, 202),
    "staff": (405, 302, 200, 202),
}


@pytest.mark.parametrize("role", EXPECTED)
def test_who_may_use_each_route(mine: Booking, role: str) -> None:
    works(mine, "started")
    organisation = mine.machine.lab.organisation
    user = mine.user if role == "booked" else person()
    if role in {"fellow", "manager"}:
        wanted = Membership.Role.MANAGER if role == "manager" else Membership.Role.MEMBER
        set_role(organisation=organisation, user=user, role=wanted)
    if role == "staff":
        User.objects.filter(pk=user.pk).update(is_staff=True)
        user.refresh_from_db()
    client = Client()
    if role != "anonymous":
        client.force_login(user)
    got = []
    for method, path in ROUTES:
        body = {"kind": "pause"} if "/api/" in path else {"do": "pause"}
        kind = {"content_type": "application/json"} if "/api/" in path else {}
        address = path.format(booking=mine.pk)
        got.append((client.get(address) if method == "get" else client.post(address, body, **kind)).status_code)
    assert tuple(got) == EXPECTED[role]


def test_a_long_question_is_answered_when_something_is_asked(live_city: LiveCity) -> None:
    import urllib.request

    of = machine(lab(), takes_commands=True)
    device, token = enrolled(of)
    user, found = person(), []

    def question(seconds: int) -> None:
        request = urllib.request.Request(
            f"{live_city.url}/api/v1/device/commands/?wait={seconds}", headers={"Authorization": f"Bearer {token}"}
        )
        began = time.monotonic()
        with urllib.request.urlopen(request, timeout=40) as answer:
            found.append((orjson.loads(answer.read())["commands"], time.monotonic() - began))

    question(1)
    assert found.pop()[0] == []
    thread = threading.Thread(target=question, args=(20,))
    thread.start()
    time.sleep(1.0)
    asked = door.ask(device=device, kind=Command.Kind.PAUSE, by=user)
    thread.join(30)
    ((commands_found, took),) = found
    assert [one["id"] for one in commands_found] == [str(asked.pk)] and took < 15


def test_a_lab_reads_what_was_asked_of_its_machines_and_nobody_else_does(mine: Booking, here: Lab) -> None:
    sent = commands.send(booking=mine, sha256=sha256_of(mine), by=mine.user)
    elsewhere = lab()
    door.answer(device=sent.device, command=sent.pk, state="refused", sentence="The bed is not empty.")
    works(mine, "started")
    commands.steer(booking=fresh(mine), kind="pause", by=mine.user)
    path, api = f"/labs/{here.slug}/commands/", f"/api/v1/labs/{here.slug}/commands/"
    people: dict[str, User | None] = {"nobody": None, "stranger": person(), "booker": mine.user}
    for role in ("member", "trainer", "manager"):
        user = people[role] = person()
        set_role(organisation=here.organisation, user=user, role=role)
    other = people["manager elsewhere"] = person()
    set_role(organisation=elsewhere.organisation, user=other, role="manager")
    seen = {}
    for name, user in people.items():
        client = Client()
        if user is not None:
            client.force_login(user)
        seen[name] = (client.get(path).status_code, client.get(api).status_code)
    assert {name for name, found in seen.items() if found == (200, 200)} == {"manager"}
    assert {found[0] for name, found in seen.items() if name != "manager"} == {404}
    assert {found[1] for name, found in seen.items() if name not in {"manager", "nobody"}} == {404}
    assert seen["nobody"][1] in {401, 403}

    client = Client()
    client.force_login(people["manager"] or other)
    html = client.get(path).content.decode()
    assert html.index("Pause") < html.index("The bed is not empty."), "the newest first"
    assert (str(mine.user) in html, f"/b/{mine.pk}/" in html, "cube.gcode" in html) == (True, True, True)
    assert 'hx-trigger="load delay:3s"' in html, "an answer may still come"
    only = client.get(f"{path}?state=refused").content.decode()
    assert ("The bed is not empty." in only, 'hx-trigger="load' in only) == (True, False)
    assert "Nothing like that was asked" in client.get(f"{path}?state=done").content.decode()
    rows = client.get(api, {"state": "open"}).json()["results"]
    assert [(row["kind"], row["booking"], row["machine"]) for row in rows] == [("pause", str(mine.pk), mine.machine_id)]
    assert client.get(api, {"state": "lost"}).status_code == 400
    Command.objects.filter(state="waiting").update(expires_at=timezone.now())
    assert [row["state"] for row in client.get(api, {"state": "expired"}).json()["results"]] == ["expired"]
    assert client.get(f"/labs/{elsewhere.slug}/commands/").status_code == 404


def test_whoever_is_checked_in_steers_their_machine_at_the_kiosk(mine: Booking, here: Lab) -> None:
    kiosks.set_badge(user=mine.user, number="04A22F91")
    _kiosk, code = kiosks.add_kiosk(lab=here, name="", by=None)
    device, path = Client(), f"/labs/{here.slug}/kiosk/"
    device.post(f"{path}pair/", {"code": code})
    sent = {"booking": mine.pk, "machine": mine.machine_id}
    device.post(path, {"do": "pause", **sent})
    assert not Command.objects.exists(), "nobody is signed in"
    device.post(path, {"do": "badge", "badge": "04A22F91"})
    html = device.get(path).content.decode()
    assert ("Send it and start" in html, "Stop the job" in html) == (True, False)
    assert device.post(path, {"do": "send", "file": sha256_of(mine), **sent}).status_code == 302
    asked = Command.objects.get()
    assert (asked.kind, asked.asked_by) == ("send", mine.user)
    html = device.get(path).content.decode()
    assert 'hx-select="#at-hand"' in html, "the answer comes by itself"
    works(mine, "started")
    assert "Stop the job" in device.get(path).content.decode()
    assert device.post(path, {"do": "cancel", **sent}).status_code == 302
    assert device.post(path, {"do": "resume", **sent}).status_code == 302, "the machine refuses, not we"
    theirs = booked(machine(here, takes_commands=True), person())
    other = {"booking": theirs.pk, "machine": theirs.machine_id}
    assert device.post(path, {"do": "cancel", **other}).status_code == 404
    assert set(Command.objects.values_list("kind", flat=True)) == {"send", "cancel", "resume"}
    equipment.change_machine(machine=mine.machine, takes_commands=False)
    assert "Stop the job" not in device.get(path).content.decode()
    assert device.post(path, {"do": "cancel", **sent}).status_code == 409


def test_writing_at_a_kiosk_keeps_the_minute_and_looking_does_not(mine: Booking, here: Lab) -> None:
    kiosks.set_badge(user=mine.user, number="04A22F91")
    _kiosk, code = kiosks.add_kiosk(lab=here, name="", by=None)
    device, path = Client(), f"/labs/{here.slug}/kiosk/"
    assert device.post(f"{path}touch/").status_code == 404, "no kiosk"
    device.post(f"{path}pair/", {"code": code})
    assert device.post(f"{path}touch/").status_code == 403, "nobody is signed in"
    device.post(path, {"do": "badge", "badge": "04A22F91"})

    def seen(back_s: float = 0) -> float:
        session = device.session
        session["kiosk"] = {**session["kiosk"], "seen": session["kiosk"]["seen"] - back_s}
        session.save()
        return float(session["kiosk"]["seen"])

    before = seen(50)
    assert "Hello" in device.get(f"{path}?look=1").content.decode()
    assert seen() == before
    assert device.post(f"{path}touch/").status_code == 204
    assert seen() > before
    seen(61)
    assert "Hello" not in device.get(f"{path}?look=1").content.decode()
    assert device.post(f"{path}touch/").status_code == 403
