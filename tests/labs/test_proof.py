"""Which design a job was of: what proves it, what only says so, and that nobody's private file is told of."""

import datetime as dt
import hashlib
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commons.people.models import Membership
from commons.people.services import create_token
from commons.runs.models import Run
from commons.runs.work import do
from designs.models import FileVersion
from labs.engine import extrusion
from labs.errors import UnknownDesign
from labs.errors.proof import FileNotTaken, HasFile, NotYourJob, OtherFile
from labs.models import FilePolicy, Job, JobCandidate, JobFile, Machine, ShapeProfile, Slice
from labs.queries import jobs, production, shapes
from labs.services import bookings
from labs.services import shapes as shape_services
from labs.services.jobs import claims, files, sweeping
from tests.engines.test_labs_extrusion import SHAPES, mesh, printed
from tests.labs.conftest import Made, design, machine, person
from tests.labs.test_jobs import HOUR, START, Agent


def described(made: Made, name: str) -> None:
    """The shapes of a design's file, as the sandbox would describe them."""
    blob = FileVersion.objects.get(design=made.design).blob
    for up, one in extrusion.of_mesh(*mesh(SHAPES[name])):
        ShapeProfile.objects.create(
            blob=blob, up=up, version=shape_services.version(), height_mm=one.height_mm, girth_mm=one.girth_mm,
            hull_mm2=one.hull_mm2, packed=extrusion.pack(one),
        )  # fmt: skip


KEYS = ("design", "provenance", "provenance_method", "candidates", "file")


def told(body: bytes, **more: str) -> dict[str, str]:
    return {"name": "part.gcode", "sha256": hashlib.sha256(body).hexdigest(), **more}


def run_all(kind: str) -> list[Run]:
    """Do the runs of a kind that wait, as a worker would."""
    found = list(Run.objects.filter(kind=kind, status=Run.Status.QUEUED))
    for run in found:
        do(run.pk)
        run.refresh_from_db()
        assert run.status == Run.Status.DONE, run.error
    return found


def test_the_version_of_the_web_is_the_engines() -> None:
    assert shape_services.version() == extrusion.PROFILE_VERSION


# --- proven ------------------------------------------------------------------------------------------------------


def test_each_proof_says_by_what(printer: Machine) -> None:
    made, agent = design(person(), b"solid clamp"), Agent(printer)
    by_file = agent.made({"sha256": made.sha256}, job="file")
    by_note = agent.made(told(b"sliced", source_sha256=made.sha256), job="note")
    assert (by_file.provenance, by_file.provenance_method) == ("proven", "file")
    assert (by_note.provenance, by_note.provenance_method) == ("proven", "source-note")
    nobody = agent.made(told(b"other"), job="none")
    assert (nobody.provenance, nobody.provenance_method) == ("unknown", "none")


def test_the_labs_own_private_design_is_found_for_its_machine_alone(printer: Machine) -> None:
    jig = design(person(), b"solid jig", public=False)
    jig.design.owner = printer.lab.organisation.handle
    jig.design.save()
    here, elsewhere = Agent(printer), Agent(machine(other_lab()))
    assert here.made({"sha256": jig.sha256}).provenance == "proven"
    assert elsewhere.made({"sha256": jig.sha256}).provenance == "unknown"


def other_lab() -> Any:
    from tests.labs.conftest import lab

    return lab()


@pytest.mark.parametrize("way", ["index", "visibility", "sweep"])
def test_a_job_told_before_its_design_is_proven_when_it_arrives(printer: Machine, way: str) -> None:
    body = b"solid late"
    job = Agent(printer).made({"sha256": hashlib.sha256(body).hexdigest()})
    assert job.provenance == "unknown"
    made = design(person(), body, public=way != "visibility")
    now = timezone.now()
    if way == "visibility":
        assert sweeping.design_arrived(design=made.design, now=now) == 0
        made.design.visibility = "public"
        made.design.save(update_fields=["visibility"])
    changed = sweeping.sweep(now=now) if way == "sweep" else sweeping.design_arrived(design=made.design, now=now)
    job.refresh_from_db()
    assert (changed, job.provenance, job.design) == (1, "proven", made.design)
    assert sweeping.sweep(now=now) == 0


def test_saving_a_design_rings_for_its_jobs(
    printer: Machine, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from labs.proof_tasks import design_arrived

    rung: list[int] = []
    monkeypatch.setattr(design_arrived, "apply_async", lambda args, **_more: rung.append(args[0]))
    made = design(person(), b"solid bell")
    with django_capture_on_commit_callbacks(execute=True):
        made.design.save(update_fields=["visibility"])
        made.design.save(update_fields=["summary"])
    assert rung == [made.design.pk]


def test_the_sweep_is_bounded_and_takes_turns(printer: Machine) -> None:
    agent = Agent(printer)
    for number in range(5):
        agent.made(told(b"%d" % number), job=f"j{number}")
    for _turn in range(3):
        sweeping.sweep(now=timezone.now(), most=2)
    assert not Job.objects.filter(looked_at=None).exists()


# --- nobody's private file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sha256", "sha1", "blob", "source_sha256"])
def test_a_private_file_is_not_told_of_by_any_name(printer: Machine, client: Client, name: str) -> None:
    """A file that is private, and one that nobody has, are answered alike, by the same queries."""
    secret, agent = design(person(), b"solid secret", slug="secret", public=False), Agent(printer)
    hashes = {"sha256": secret.sha256, "sha1": secret.sha1, "blob": secret.oid, "source_sha256": secret.sha256}
    answers, asked = [], []
    for number, value in enumerate((hashes[name], hashes[name][::-1])):
        with CaptureQueriesContext(connection) as queries:
            job = agent.made({name: value}, job=f"j{number}")
        said = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
        asked.append([re.split(' WHERE | SET |(?<=") \\(', sql)[0] for sql in said])
        answer = client.get(f"/api/v1/jobs/{job.pk}/").json()
        answers.append(
            {key: answer[key] for key in ("design", "provenance", "provenance_method", "candidates", "file")}
        )
        assert client.get(f"/jobs/{job.pk}/").status_code == 200
    assert answers[0] == answers[1]
    assert answers[0]["provenance"] == "unknown"
    assert asked[0] == asked[1]


def test_the_shape_of_a_private_file_is_not_looked_for(printer: Machine) -> None:
    secret, owner = design(owned := person(), b"solid stairs", public=False), owned
    described(secret, "stairs")
    job = Agent(printer).made(told(b"x"))
    found = extrusion.of_program(extrusion.read(printed(SHAPES["stairs"])))
    assert shapes.of_print(job, found) == []
    bookings.create_booking(machine=printer, user=owner, start=timezone.now(), end=timezone.now() + HOUR)
    job.booking = owner.bookings.get()
    assert [one.origin.design for one in shapes.of_print(job, found)] == [secret.design]


def test_tied_candidates_are_told_only_to_who_may_see_them_all(printer: Machine) -> None:
    owner, stranger = person(), person()
    public, secret = design(person(), b"one"), design(owner, b"two", public=False)
    job = Agent(printer).made(told(b"x"))
    for rank, made in enumerate((public, secret), 1):
        JobCandidate.objects.create(
            job=job, design=made.design, path="body.stl", commit="c", blob=made.oid, rank=rank, distance_mm=0.1
        )
    Job.objects.filter(pk=job.pk).update(provenance="probable", provenance_method="geometry")
    found = jobs.find(job.pk)
    for viewer in (None, stranger):
        seen = jobs.shown([found], viewer)[0]
        assert (seen.provenance, seen.method, seen.candidates) == ("unknown", "none", ())
    assert [one.design for one in jobs.shown([found], owner)[0].candidates] == [public.design, secret.design]


# --- declared ----------------------------------------------------------------------------------------------------


def test_a_person_says_which_design_it_was_and_takes_it_back(printer: Machine, client: Client) -> None:
    made, maker, agent = design(person(), b"solid gear"), person(), Agent(printer)
    bookings.create_booking(machine=printer, user=maker, start=timezone.now(), end=timezone.now() + HOUR)
    agent.tells(agent.says("started", timezone.now(), file=told(b"mine")))
    job = Job.objects.get()
    client.force_login(maker)
    address = f"{made.design.owner.name}/{made.design.slug}"
    assert client.post(f"/jobs/{job.pk}/say/", {"design": address}).status_code == 302
    job.refresh_from_db()
    assert (job.provenance, job.provenance_method, job.design) == ("declared", "person", made.design)
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert f"{maker} said so" in page.replace("\n", " ")
    client.post(f"/jobs/{job.pk}/say/", {"do": "withdraw"})
    job.refresh_from_db()
    assert (job.provenance, job.provenance_method, job.design) == ("unknown", "none", None)
    assert job.claims.get().withdrawn_at is not None, "that it was said stays"


def test_only_who_made_it_or_runs_the_lab_speaks_of_it(printer: Machine, client: Client) -> None:
    made, job, manager = design(person(), b"solid gear"), Agent(printer).made(told(b"x")), person()
    Membership.objects.create(organisation=printer.lab.organisation, user=manager, role="manager")
    with pytest.raises(NotYourJob):
        claims.say(job=job, design=made.design, by=person())
    assert claims.say(job=job, design=made.design, by=manager).provenance == "declared"
    for viewer, status in ((None, 302), (person(), 403), (manager, 302)):
        if viewer:
            client.force_login(viewer)
        assert client.post(f"/jobs/{job.pk}/say/", {"do": "withdraw"}).status_code == status


def test_a_private_design_cannot_be_named_any_more_than_a_missing_one(printer: Machine) -> None:
    maker, secret = person(), design(person(), b"s", slug="secret", public=False)
    bookings.create_booking(machine=printer, user=maker, start=timezone.now(), end=timezone.now() + HOUR)
    agent = Agent(printer)
    agent.tells(agent.says("started", timezone.now(), file=told(b"mine")))
    token = create_token(user=maker, name="t", scopes=["bookings:write"])[1]
    answers = []
    for name in (f"{secret.design.owner.name}/secret", f"{secret.design.owner.name}/nothing"):
        answer = Client(headers={"Authorization": f"Bearer {token}"}).put(
            f"/api/v1/jobs/{Job.objects.get().pk}/claim/", {"design": name}, content_type="application/json"
        )
        answers.append((answer.status_code, answer.json()["code"]))
    assert answers == [(404, UnknownDesign.code)] * 2


def test_what_is_proven_stays_whatever_is_said(printer: Machine) -> None:
    made, other, manager = design(person(), b"one"), design(person(), b"two"), person()
    Membership.objects.create(organisation=printer.lab.organisation, user=manager, role="manager")
    job = Agent(printer).made({"sha256": made.sha256})
    assert claims.say(job=job, design=other.design, by=manager).design == made.design


# --- the file itself, and its shape ------------------------------------------------------------------------------


@pytest.fixture
def printed_job(printer: Machine, settings: Any, tmp_path: Path) -> tuple[Job, Agent, bytes]:
    settings.MEDIA_ROOT = tmp_path
    body, agent = printed(SHAPES["stairs"], degrees=47), Agent(printer)
    return agent.made(told(body)), agent, body


def sent_by_device(agent: Agent, body: bytes, name: str = "j1") -> Any:
    return Client().post(
        f"/api/v1/device/jobs/{name}/file/", body, content_type="application/octet-stream",
        headers={"Authorization": f"Bearer {agent.token}"},
    )  # fmt: skip


def wanted(agent: Agent) -> bool:
    headers = {"Authorization": f"Bearer {agent.token}"}
    return bool(Client().get("/api/v1/device/jobs/j1/file/", headers=headers).json()["wanted"])


def test_the_sent_file_is_read_behind_the_walls_and_its_shape_found(
    printed_job: tuple[Job, Agent, bytes], django_capture_on_commit_callbacks: Any
) -> None:
    job, agent, body = printed_job
    stairs, plate = design(person(), b"stairs"), design(person(), b"plate")
    described(stairs, "stairs")
    described(plate, "plate")
    assert wanted(agent)
    answer = sent_by_device(agent, body)
    assert (answer.status_code, answer.json()["state"]) == (201, "waiting")
    assert not wanted(agent)
    place = files.path_of(job.sent)
    assert place.read_bytes() == body
    with django_capture_on_commit_callbacks(execute=True):
        run_all("labs.read_print")
    job.refresh_from_db()
    assert (job.provenance, job.provenance_method, job.design) == ("probable", "geometry", stairs.design)
    sent = JobFile.objects.get()
    assert (sent.state, sent.there, place.exists()) == ("read", False, False), "let go once read"
    assert sent_by_device(agent, body).status_code == 409


def test_a_design_that_arrives_after_the_print_is_found_by_its_shape(printed_job: tuple[Job, Agent, bytes]) -> None:
    job, agent, body = printed_job
    sent_by_device(agent, body)
    run_all("labs.read_print")
    job.refresh_from_db()
    assert job.provenance == "unknown"
    late = design(person(), b"late")
    described(late, "stairs")
    from labs.services.jobs import matching

    matching.design_described(design=late.design)
    run_all("labs.match_prints")
    job.refresh_from_db()
    assert (job.provenance, job.design) == ("probable", late.design)


def test_two_designs_of_one_shape_are_one_of_these(printed_job: tuple[Job, Agent, bytes], client: Client) -> None:
    job, agent, body = printed_job
    made = [design(person(), b"one"), design(person(), b"two")]
    for one in made:
        described(one, "stairs")
    sent_by_device(agent, body)
    run_all("labs.read_print")
    job.refresh_from_db()
    assert (job.provenance, job.design) == ("probable", None)
    document = client.get(f"/api/v1/jobs/{job.pk}/").json()
    assert (document["provenance"], document["design"]) == ("probable", None)
    assert {one["slug"] for one in document["candidates"]} == {one.design.slug for one in made}
    assert "one of these 2" in client.get(f"/jobs/{job.pk}/").content.decode()


def test_a_note_in_the_sent_file_proves_it_and_a_shape_of_another_takes_that_back(
    printer: Machine, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    stairs, plate, agent = design(person(), b"stairs"), design(person(), b"plate"), Agent(printer)
    described(stairs, "stairs")
    described(plate, "plate")
    for name, made, grade in (("honest", stairs, "proven"), ("lying", plate, "declared")):
        body = printed(SHAPES["stairs"], header=f"; generated by a slicer\n; lc-source=sha256:{made.sha256}")
        agent.made(told(body), job=name)
        assert sent_by_device(agent, body, name).status_code == 201
        run_all("labs.read_print")
        job = Job.objects.get(device_job=name)
        assert (job.provenance, job.provenance_method, job.design) == (grade, "source-note", made.design)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("; lc-source=sha256:" + "a" * 64, "a" * 64),
        ("; notes = lc-source=sha256:" + "A" * 64, "a" * 64),
        ("G1 X1\nM117 lc-source=sha256:" + "a" * 64, ""),
        ("; lc-source=sha256:" + "a" * 65, ""),
        ("; lc-source=sha256:" + "a" * 64 + "\n; lc-source=sha256:" + "b" * 64, ""),
    ],
)
def test_notes_are_read_from_comments_alone_and_must_agree(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "x").write_text(text)
    assert files.note_in(tmp_path / "x") == found
    if "b" * 64 in text:
        assert files.notes_in(tmp_path / "x") == ["a" * 64, "b" * 64], "a plate of two files"


def beside(name: str, x: float) -> list[Any]:
    """A shape, so far to the right."""
    return [(a + x, b, c, d + x, e, f) for a, b, c, d, e, f in SHAPES[name]]


def plate_of(agent: Agent, name: str, *boxes: Any, header: str = "") -> Job:
    """A job whose sent file lays these shapes down beside one another."""
    body = printed([box for shape in boxes for box in shape], header=header)
    agent.made(told(body), job=name, hours=4)
    assert sent_by_device(agent, body, name).status_code == 201
    run_all("labs.read_print")
    return Job.objects.get(device_job=name)


def test_a_plate_of_two_designs_is_shared_out_by_what_was_laid_down(
    printer: Machine, settings: Any, tmp_path: Path, client: Client
) -> None:
    """Neither is most of it, so the job is of none; the figure counts each by its share, and no stranger hears of the
    private one."""
    settings.MEDIA_ROOT = tmp_path
    owner, agent = person(), Agent(printer)
    stairs, angle = design(person(), b"stairs"), design(owner, b"angle", public=False)
    described(stairs, "stairs")
    described(angle, "angle")
    shapes_ = (SHAPES["stairs"], beside("ring", 60), beside("angle", 120))
    unseen = plate_of(agent, "one", *shapes_)
    assert unseen.made_of == [], "one known thing that is less than half of a plate says nothing"
    angle.design.visibility = "public"
    angle.design.save()
    job = plate_of(agent, "two", *shapes_)
    assert [(part["blob"], part["method"], part["provenance"], part["public"]) for part in job.made_of] == [
        (one.oid, "geometry", "probable", True) for one in sorted((stairs, angle), key=lambda one: -_share(job, one))
    ]
    assert all(0.1 < part["share"] < 0.6 for part in job.made_of)
    assert sum(part["share"] for part in job.made_of) < 0.9, "the ring is nobody's"
    assert job.design is None
    hours = production.made_of(Job.objects.values(*production.FIELDS).get(pk=job.pk))
    assert [part.provenance for part in hours.parts] == ["probable", "probable", "unknown"]
    assert sum(part.share for part in hours.parts) == pytest.approx(1)
    html = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "On this plate" in html
    assert angle.design.name in html
    type(angle.design).objects.filter(pk=angle.design.pk).update(visibility="private")
    assert angle.design.name not in client.get(f"/jobs/{job.pk}/").content.decode()


def _share(job: Job, made: Made) -> float:
    return next(float(part["share"]) for part in job.made_of if part["blob"] == made.oid)


def test_sources_that_a_program_names_are_proven_by_their_share(
    printer: Machine, settings: Any, tmp_path: Path
) -> None:
    """By the shapes where they are found, by the volumes of the meshes where not."""
    settings.MEDIA_ROOT = tmp_path
    agent, maker = Agent(printer), person()
    one, two = design(maker, b"one", facts={"volume_mm3": 3000}), design(maker, b"two", facts={"volume_mm3": 1000})
    header = f"; lc-source=sha256:{one.sha256}\n; lc-source=sha256:{two.sha256}"
    job = plate_of(agent, "notes", SHAPES["stairs"], beside("angle", 60), header=header)
    assert {part["blob"]: (part["share"], part["provenance"]) for part in job.made_of} == {
        one.oid: (0.75, "proven"), two.oid: (0.25, "proven"),
    }  # fmt: skip
    assert (job.provenance, job.provenance_method, job.design) == ("proven", "source-note", one.design)
    described(one, "stairs")
    described(two, "angle")
    seen = plate_of(agent, "both", SHAPES["stairs"], beside("angle", 60), header=header)
    assert {part["provenance"] for part in seen.made_of} == {"proven"}
    assert sum(part["share"] for part in seen.made_of) == pytest.approx(1)
    assert _share(seen, one) != 0.75, "what was laid down is measured"
    lying = "; lc-source=sha256:{}\n; lc-source=sha256:{}".format(one.sha256, "9" * 64)
    part = plate_of(agent, "lying", SHAPES["stairs"], beside("angle", 60), header=lying)
    assert {p["blob"]: p["provenance"] for p in part.made_of} == {one.oid: "proven", two.oid: "probable"}
    agent.made({"sha256": one.sha256}, job="file itself")
    assert Job.objects.get(device_job="file itself").made_of == []


def test_parts_of_one_design_on_a_plate_speak_for_it_together(printer: Machine, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    stairs, angle = design(person(), b"stairs"), design(person(), b"angle")
    described(stairs, "stairs")
    described(angle, "angle")
    FileVersion.objects.filter(design=angle.design).update(design=stairs.design)
    job = plate_of(Agent(printer), "set", SHAPES["stairs"], beside("ring", 60), beside("angle", 120))
    assert len(job.made_of) == 2
    assert (job.provenance, job.provenance_method, job.design) == ("probable", "geometry", stairs.design)


def test_what_is_not_the_jobs_file_is_refused(printed_job: tuple[Job, Agent, bytes], client: Client) -> None:
    job, agent, body = printed_job
    wrong = sent_by_device(agent, body + b"\n")
    assert (wrong.status_code, wrong.json()["code"]) == (422, OtherFile.code)
    assert sent_by_device(agent, body, "nothing").status_code == 404
    with pytest.raises(FileNotTaken):
        files.take_file(job=job, chunks=itertools.repeat(b"x" * 2**20, 65))
    with pytest.raises(FileNotTaken):
        files.take_file(job=job, chunks=[])
    with pytest.raises(NotYourJob):
        files.take_file(job=job, chunks=[body], by=person())
    FilePolicy.objects.create(lab=job.machine.lab, takes_files=False)
    with pytest.raises(FileNotTaken):
        files.take_file(job=job, chunks=[body])
    assert not JobFile.objects.exists()
    assert not [one for one in files.store().rglob("*") if one.is_file()], "nothing is left behind"


def test_a_maker_sends_the_file_only_where_the_machine_told_its_hash(
    printer: Machine, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    manager, agent = person(), Agent(printer)
    Membership.objects.create(organisation=printer.lab.organisation, user=manager, role="manager")
    silent = agent.made({"name": "x.gcode"}, job="silent")
    with pytest.raises(FileNotTaken):
        files.take_file(job=silent, chunks=[b"G1"], by=manager)
    job = agent.made(told(b"G1 X1 E1"), job="told")
    FilePolicy.objects.create(lab=printer.lab, keep_days=3)
    sent = files.take_file(job=job, chunks=[b"G1 X1", b" E1"], by=manager)
    with pytest.raises(HasFile):
        files.take_file(job=job, chunks=[b"G1 X1 E1"], by=manager)
    run_all("labs.read_print")
    assert files.path_of(sent).exists(), "the lab keeps it"
    assert files.let_go_of_old(now=timezone.now() + dt.timedelta(days=2)) == 0
    assert files.let_go_of_old(now=timezone.now() + dt.timedelta(days=4)) == 1


def test_a_hostile_file_fails_alone(printer: Machine, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    agent = Agent(printer)
    for number, body in enumerate((b"\0\xff" * 900, b"G1 " + b"9" * 300_000, b"M83\n" + b"G1 X1 Y1 E1\n" * 3)):
        agent.made(told(body), job=f"bad{number}")
        assert sent_by_device(agent, body, f"bad{number}").status_code == 201
    run_all("labs.read_print")
    assert {one.state for one in JobFile.objects.all()} == {"failed"}
    assert all(one.reason for one in JobFile.objects.all())


# --- slices ------------------------------------------------------------------------------------------------------


def test_a_receipt_proves_to_those_who_may_see_the_design(printer: Machine) -> None:
    owner = person()
    secret, agent = design(owner, b"solid", public=False), Agent(printer)
    booked = bookings.create_booking(machine=printer, user=owner, start=timezone.now(), end=timezone.now() + HOUR)
    Slice.objects.create(
        booking=booked, machine=printer, design=secret.design, path="body.stl", commit=secret.commit, blob=secret.oid,
        source_sha256=secret.sha256, state="done", gcode_sha256=hashlib.sha256(b"prog").hexdigest(),
    )  # fmt: skip
    agent.tells(agent.says("started", timezone.now(), "mine", file=told(b"prog")))
    mine = Job.objects.get(device_job="mine")
    assert (mine.provenance, mine.provenance_method, mine.design) == ("proven", "slice-receipt", secret.design)
    theirs = Agent(machine(printer.lab)).made(told(b"prog"), start=START)
    assert (theirs.provenance, theirs.slice) == ("unknown", None)
