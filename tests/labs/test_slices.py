"""Slicing for a booked machine, end to end with PrusaSlicer behind the walls; profiles; who may."""

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from commons.devices.models import Command
from commons.people.models import Membership, User
from commons.people.services import create_token
from designs.models import FileVersion
from designs.queries import contents
from labs.credentials import receipts
from labs.errors.proof import BadSettings, CannotSlice
from labs.models import Booking, FilePolicy, Job, Machine, Slice, SlicingProfile
from labs.services import bookings, commands, slices
from labs.services.jobs import files
from tests.engines.test_labs_extrusion import SHAPES, needs_prusaslicer, stl
from tests.labs.conftest import Made, design, lab, machine, person
from tests.labs.test_jobs import HOUR, Agent
from tests.labs.test_proof import run_all, told

INI = "layer_height = 0.3\nbed_shape = 0x0,200x0,200x200,0x200\nfilament_density = 1.24\npost_process = /bin/true\n"


@pytest.fixture
def made(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Made:
    """A design whose file is a real mesh; its bytes come from the test instead of a repository."""
    settings.MEDIA_ROOT = tmp_path / "media"
    body = stl(tmp_path / "stairs.stl", SHAPES["stairs"]).read_bytes()
    monkeypatch.setattr(contents, "put", lambda _design, _blob, place: place.write_bytes(body))
    return design(person(), body, path="parts/stairs.stl")


@pytest.fixture
def booked(printer: Machine, made: Made) -> Booking:
    now = timezone.now()
    return bookings.create_booking(machine=printer, user=person(), start=now, end=now + HOUR, design=made.design)


def asked(booking: Booking, made: Made, by: User | None = None, profile: SlicingProfile | None = None) -> Slice:
    version = FileVersion.objects.select_related("blob", "design").get(design=made.design)
    return slices.start(booking=booking, version=version, profile=profile, by=by or booking.user)


@needs_prusaslicer
def test_a_file_is_sliced_signed_printed_and_proven(booked: Booking, made: Made, client: Client) -> None:
    client.force_login(booked.user)
    version = FileVersion.objects.get(design=made.design)
    assert client.post(f"/b/{booked.pk}/slices/", {"file": version.pk, "profile": ""}).status_code == 302
    assert b"lc-run" in client.get(f"/b/{booked.pk}/").content
    run_all("labs.slice")
    one = Slice.objects.get()
    assert (one.state, one.reason) == ("done", "")
    program = b"".join(client.get(f"/slices/{one.pk}/program.gcode").streaming_content)
    assert hashlib.sha256(program).hexdigest() == one.gcode_sha256
    assert f"lc-source=sha256:{made.sha256}".encode() in program
    assert files.note_in(slices.path_of(one)) == made.sha256
    assert one.time_s and one.time_s > 60
    assert (
        one.filament_mm
        and one.filament_g
        and one.filament_g == pytest.approx(one.filament_mm * 2.405 * 1.24e-3, rel=0.02)
    )
    assert (one.kwh_basis, one.kwh) == ("class", pytest.approx(0.025 + 0.11 * one.time_s / 3600, rel=1e-3))
    receipt = json.loads(client.get(f"/slices/{one.pk}/receipt.json").content)
    assert receipts.check(receipt) == booked.machine.lab.issuer_keys.get().multikey
    assert receipt["credentialSubject"]["source"]["sha256"] == made.sha256
    page = client.get(f"/b/{booked.pk}/").content.decode()
    assert "Signed receipt" in page
    agent = Agent(booked.machine)
    sent_by_command(booked, one, program, client)
    agent.tells(agent.says("started", timezone.now(), file={"name": "x", "sha256": one.gcode_sha256}))
    job = Job.objects.get()
    assert (job.provenance, job.provenance_method, job.design, job.slice) == (
        "proven",
        "slice-receipt",
        made.design,
        one,
    )
    assert "Estimated when it was sliced" in client.get(f"/jobs/{job.pk}/").content.decode()


def sent_by_command(booked: Booking, one: Slice, program: bytes, client: Client) -> None:
    """The booking's page sends the program to the machine, byte for byte."""
    Machine.objects.filter(pk=booked.machine_id).update(takes_commands=True)
    bookings.check_in(booking=booked)
    answer = client.post(f"/b/{booked.pk}/machine/", {"do": "send", "file": one.gcode_sha256})
    assert answer.status_code == 302
    command = Command.objects.get()
    assert command.body == {"name": one.file_name, "sha256": one.gcode_sha256, "start": True}
    told = commands.read_file(command)
    assert told is not None
    assert b"".join(told[0]) == program
    slices.path_of(one).rename(slices.path_of(one).with_suffix(".away"))
    assert commands.read_file(command) is None


@needs_prusaslicer
def test_what_the_slicer_cannot_do_is_said(booked: Booking, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "put", lambda _design, _blob, place: place.write_bytes(b"no mesh at all"))
    asked(booked, made)
    run_all("labs.slice")
    one = Slice.objects.get()
    assert one.state == "failed"
    assert one.reason.startswith("PrusaSlicer says:")
    assert not slices.path_of(one).exists()


def test_without_the_program_it_is_said_clearly(
    booked: Booking, made: Made, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setattr(slices, "PROGRAM", "no-such-slicer")
    with pytest.raises(CannotSlice, match="not installed"):
        asked(booked, made)
    client.force_login(booked.user)
    assert "PrusaSlicer is not installed" in client.get(f"/b/{booked.pk}/").content.decode()


def test_profiles_are_checked_against_the_machine(printer: Machine) -> None:
    kept = slices.add_profile(machine=printer, name="Draft", text=INI, by=person())
    assert "post_process" not in kept.text
    assert kept.sha256 == hashlib.sha256(kept.text.encode()).hexdigest()
    again = slices.add_profile(machine=printer, name="Draft", text=INI + "perimeters = 3\n", by=person())
    assert list(printer.slicing_profiles.filter(retired_at=None)) == [again]
    for text in ("nonsense", INI.replace("200", "400")):
        with pytest.raises(BadSettings):
            slices.add_profile(machine=printer, name="Bad", text=text, by=person())
    with pytest.raises(BadSettings):
        slices.add_profile(machine=machine(printer.lab, cls="laser-cutter"), name="x", text=INI, by=person())


def test_a_profile_of_another_machine_is_refused(booked: Booking, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "program", lambda: "/bin/true")
    other = slices.add_profile(machine=machine(booked.machine.lab), name="x", text=INI, by=person())
    with pytest.raises(CannotSlice, match="another machine"):
        asked(booked, made, profile=other)
    Slice.objects.all().delete()
    for _n in range(slices.MAX_OPEN):
        asked(booked, made)
    with pytest.raises(CannotSlice, match="being sliced already"):
        asked(booked, made)


def test_a_private_file_is_sliced_by_nobody_who_cannot_see_it(booked: Booking, made: Made, client: Client) -> None:
    made.design.visibility = "private"
    made.design.save()
    client.force_login(booked.user)
    version = FileVersion.objects.get(design=made.design)
    client.post(f"/b/{booked.pk}/slices/", {"file": version.pk, "profile": ""})
    assert not Slice.objects.exists()
    token = create_token(user=booked.user, name="t", scopes=["bookings:write"])[1]
    answer = client.post(
        f"/api/v1/bookings/{booked.pk}/slices/", {"path": "parts/stairs.stl"}, content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (404, "slicing:unknown")


ROLES = ("nobody", "stranger", "booker", "manager")


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("post", "/b/{booking}/slices/", (302, 404, 302, 302)),
        ("get", "/slices/{slice}/program.gcode", (302, 404, 200, 200)),
        ("get", "/slices/{slice}/receipt.json", (302, 404, 200, 200)),
        ("get", "/slices/{missing}/program.gcode", (302, 404, 404, 404)),
        ("get", "/api/v1/slices/{slice}/", (401, 404, 200, 200)),
        ("get", "/api/v1/slices/{slice}/program.gcode", (401, 404, 200, 200)),
        ("get", "/api/v1/bookings/{booking}/slices/", (401, 404, 200, 200)),
        ("get", "/labs/{lab}/slicing/", (302, 404, 404, 200)),
        ("post", "/labs/{lab}/slicing/", (302, 404, 404, 302)),
        ("post", "/jobs/{job}/file/", (302, 403, 302, 302)),
        ("post", "/jobs/{job}/say/", (302, 403, 302, 302)),
        ("delete", "/api/v1/jobs/{job}/claim/", (401, 403, 200, 200)),
        ("post", "/api/v1/device/jobs/j1/file/", (401, 401, 401, 401)),
        ("get", "/slicing/lc-source-" + "a" * 64 + ".ini", (200, 200, 200, 200)),
        ("get", "/slicing/lc-source-nothing.ini", (404, 404, 404, 404)),
    ],
)
def test_who_may(booked: Booking, made: Made, method: str, path: str, statuses: tuple[int, ...]) -> None:
    one = Slice.objects.create(
        booking=booked, machine=booked.machine, design=made.design, path="a.stl", commit="c", blob=made.oid,
        source_sha256=made.sha256, state="done", gcode_sha256="a" * 64, receipt={"a": "b"},
    )  # fmt: skip
    slices.path_of(one).parent.mkdir(parents=True)
    slices.path_of(one).write_bytes(b"G1")
    agent = Agent(booked.machine)
    agent.tells(agent.says("started", timezone.now(), file=told(b"x")))
    manager = person()
    Membership.objects.create(organisation=booked.machine.lab.organisation, user=manager, role="manager")
    people = dict(zip(ROLES, (None, person(), booked.user, manager), strict=True))
    ids = {"booking": booked.pk, "slice": one.pk, "missing": uuid.uuid4(), "job": Job.objects.get().pk,
           "lab": booked.machine.lab.slug}  # fmt: skip
    found = []
    for who in people.values():
        client = Client()
        if who is not None and path.startswith("/api/"):
            token = create_token(user=who, name="t", scopes=["bookings:read", "bookings:write"])[1]
            client = Client(headers={"Authorization": f"Bearer {token}"})
        elif who is not None:
            client.force_login(who)
        body = {"do": "files"} if "slicing" in path else {"do": "withdraw"}
        found.append(getattr(client, method)(path.format(**ids), body).status_code)
    assert tuple(found) == statuses


def test_a_lab_chooses_what_becomes_of_files(printer: Machine, client: Client) -> None:
    manager = person()
    Membership.objects.create(organisation=printer.lab.organisation, user=manager, role="manager")
    client.force_login(manager)
    address = f"/labs/{printer.lab.slug}/slicing/"
    sent = {"do": "add", "number": printer.pk, "name": "Draft", "settings": SimpleUploadedFile("a.ini", INI.encode())}
    assert client.post(address, sent).status_code == 302
    assert client.post(address, {"do": "files", "takes_files": "on", "keep_days": "7"}).status_code == 302
    policy = FilePolicy.objects.get()
    assert (policy.takes_files, policy.keep_days) == (True, 7)
    other = slices.add_profile(machine=machine(lab()), name="x", text=INI, by=manager)
    assert client.post(address, {"do": "retire", "number": other.pk}).status_code == 404
    page = client.get(address).content.decode()
    assert "Draft" in page
    assert client.post(address, {"do": "retire", "number": printer.slicing_profiles.get().pk}).status_code == 302
    bad = {"do": "add", "number": printer.pk, "name": "Bad", "settings": SimpleUploadedFile("a.ini", b"nonsense")}
    assert client.post(address, bad).status_code == 422


def test_a_receipt_holds_for_what_it_says_alone() -> None:
    import datetime as dt

    from labs.credentials import keys

    key, now = keys.new_key(), dt.datetime(2026, 6, 18, tzinfo=dt.UTC)
    multikey = keys.multikey_of(key)
    document = receipts.facts(
        issuer=multikey, receipt_id="urn:uuid:1", at=now, source={"sha256": "a", "path": "ä/“b”.stl"},
        settings_sha256="s", slicer="P", gcode_sha256="g", machine="M",
    )  # fmt: skip
    receipt = receipts.sign(document, pem=keys.pem_of(key), multikey=multikey, at=now)
    assert receipts.check(json.loads(json.dumps(receipt))) == multikey
    for spoiled in (
        {**receipt, "id": "urn:uuid:2"},
        {**receipt, "issuer": "did:key:" + keys.multikey_of(keys.new_key())},
        {**receipt, "proof": {**receipt["proof"], "proofValue": "z11111"}},
        {key: value for key, value in receipt.items() if key != "proof"},
        {},
    ):
        with pytest.raises(receipts.BadReceipt):
            receipts.check(spoiled)


def test_programs_whose_slice_is_gone_are_let_go(booked: Booking, made: Made, settings: Any) -> None:
    kept, lost = asked(booked, made), asked(booked, made)
    for one in (kept, lost):
        slices.path_of(one).parent.mkdir(parents=True, exist_ok=True)
        slices.path_of(one).write_bytes(b"G28\n")
    stranger = slices.path_of(kept).parent / "note.gcode"
    stranger.write_bytes(b"mine")
    now, later = timezone.now(), timezone.now() + 2 * HOUR
    place = slices.path_of(lost)
    lost.delete()
    assert slices.let_go_of_lost(now=now) == 0, "a file may lie there before its row"
    assert (slices.let_go_of_lost(now=later), place.exists()) == (1, False)
    assert slices.path_of(kept).exists() and stranger.exists()
    booked.delete()
    assert slices.let_go_of_lost(now=later) == 1
