"""A job tells which design was made and with how many kWh, and nobody's private file."""

import datetime as dt
import hashlib
import itertools
import math
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons.devices import queries as device_queries
from commons.devices import services as devices
from commons.devices.models import Device
from labs.engine import fold
from labs.errors import BadJobEvent, NotALabDevice
from labs.models import Job, Machine
from labs.queries import board, figure, jobs
from labs.services import bookings
from labs.services import jobs as services
from tests.labs.conftest import design, enrolled, lab, machine, person

START = (timezone.now() - dt.timedelta(hours=6)).replace(minute=0, second=0, microsecond=0)
HOUR = dt.timedelta(hours=1)


class Agent:
    """A machine's agent: it counts, and speaks through the real services."""

    def __init__(self, machine: Machine) -> None:
        self.device, self.token = enrolled(machine)
        self.seq = itertools.count(1)

    def says(self, event: str, at: dt.datetime, job: str = "j1", **more: Any) -> dict[str, Any]:
        return {"seq": next(self.seq), "ts": at.isoformat(), "event": event, "job": job, **more}

    def tells(self, *messages: dict[str, Any]) -> services.Ack:
        return services.take_events(device=self.device, events=messages)

    def draws(self, watts: float, start: dt.datetime, end: dt.datetime, step_s: int = 60) -> None:
        """Power in a straight line, so that the energy is watts × hours."""
        count = int((end - start).total_seconds() // step_s) + 1
        devices.ingest(
            device=self.device,
            readings=[
                {
                    "seq": next(self.seq),
                    "ts": (start + dt.timedelta(seconds=step_s * n)).isoformat(),
                    "channel": "power_w",
                    "value": watts,
                }
                for n in range(count)
            ],
        )

    def made(self, file: dict[str, str], *, job: str = "j1", start: dt.datetime = START, hours: float = 1.0) -> Job:
        self.tells(self.says("started", start, job, file=file), self.says("finished", start + hours * HOUR, job))
        return Job.objects.get(device=self.device, device_job=job)


def test_a_job_resolves_to_design_path_commit_and_kwh(printer: Machine) -> None:
    made, agent = design(person(), b"solid clamp", path="parts/body.stl"), Agent(printer)
    agent.draws(120.0, START - HOUR, START + 3 * HOUR)
    job = agent.made({"name": "body.stl", "sha256": made.sha256}, hours=1.5)
    assert (job.design, job.design_path, job.design_commit, job.design_blob) == (
        made.design,
        "parts/body.stl",
        made.commit,
        made.oid,
    )
    assert (job.provenance, job.outcome, job.progress) == ("proven", "finished", 1.0)
    assert job.energy_kwh == pytest.approx(0.120 * 1.5, rel=1e-9)
    assert (job.energy_quality, job.energy_coverage) == ("integrated", pytest.approx(1.0))


@pytest.mark.parametrize("names", [{"sha256"}, {"sha1"}, {"blob"}, {"sha256", "sha1"}])
def test_any_name_of_the_bytes_proves_it(printer: Machine, names: set[str]) -> None:
    made = design(person(), b"solid gear")
    hashes = {"sha256": made.sha256.upper(), "sha1": made.sha1, "blob": made.oid}
    job = Agent(printer).made({n: hashes[n] for n in names})
    assert (job.design, job.provenance) == (made.design, "proven")


def test_a_sliced_file_is_proven_by_its_source_and_a_strange_one_unknown(printer: Machine) -> None:
    made, agent = design(person(), b"solid lid"), Agent(printer)
    strange = hashlib.sha256(b"g-code").hexdigest()
    sliced = agent.made({"sha256": strange, "source_sha256": made.sha256}, job="sliced")
    assert (sliced.design, sliced.provenance) == (made.design, "proven")
    unknown = agent.made({"sha256": strange}, job="unknown")
    assert (unknown.design, unknown.provenance) == (None, "unknown")


def test_both_hashes_must_fit(printer: Machine) -> None:
    one, other = design(person(), b"one"), design(person(), b"other")
    job = Agent(printer).made({"sha256": one.sha256, "sha1": other.sha1})
    assert (job.design, job.provenance) == (None, "unknown")


def test_a_private_design_is_not_found_by_its_hash(printer: Machine, client: Client) -> None:
    """Who knows the bytes of another's private file must not learn that the design exists."""
    secret = design(person("owner"), b"solid secret", slug="secret-part", public=False)
    job = Agent(printer).made({"name": "secret.stl", "sha256": secret.sha256})
    assert (job.design, job.provenance) == (None, "unknown")
    for path in (f"/api/v1/jobs/{job.pk}/", "/api/v1/jobs/", f"/jobs/{job.pk}/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert b"secret" not in answer.content
        assert secret.sha256.encode() not in answer.content


def test_the_owner_who_booked_sees_it_and_nobody_else(printer: Machine, client: Client) -> None:
    owner = person("owner")
    secret, agent = design(owner, b"solid secret", slug="secret-part", public=False), Agent(printer)
    now = timezone.now()
    bookings.create_booking(machine=printer, user=owner, start=now, end=now + HOUR, design=secret.design)
    agent.tells(agent.says("started", now, file={"name": "secret.stl", "sha256": secret.sha256}))
    job = Job.objects.get()
    assert (job.design, job.provenance) == (secret.design, "proven")
    assert job.booking is not None
    hidden = client.get(f"/api/v1/jobs/{job.pk}/").json()
    assert (hidden["design"], hidden["provenance"], hidden["file"], hidden["booking"]) == (
        None,
        "unknown",
        None,
        None,
    )
    for path in (
        f"/jobs/{job.pk}/",
        f"/labs/{printer.lab.slug}/",
        f"/labs/{printer.lab.slug}/{printer.slug}/",
    ):
        assert b"ecret" not in client.get(path).content
    client.force_login(owner)
    shown = client.get(f"/api/v1/jobs/{job.pk}/").json()
    assert (shown["design"]["slug"], shown["provenance"], shown["file"]["name"]) == (
        "secret-part",
        "proven",
        "secret.stl",
    )


def test_a_booked_design_whose_file_is_not_known_is_declared(printer: Machine) -> None:
    user, now = person(), timezone.now()
    made, agent = design(user, b"solid shelf"), Agent(printer)
    bookings.create_booking(machine=printer, user=user, start=now, end=now + HOUR, design=made.design)
    agent.tells(agent.says("started", now, file={"name": "x.gcode"}))
    job = Job.objects.get()
    assert (job.design, job.provenance) == (made.design, "declared")


def test_late_readings_change_the_kwh(printer: Machine) -> None:
    agent = Agent(printer)
    job = agent.made({"name": "a.stl"}, hours=2)
    assert (job.energy_kwh, job.energy_quality) == (None, "none")
    agent.draws(200.0, START, START + HOUR)
    job.refresh_from_db()
    assert job.energy_kwh == pytest.approx(0.2)
    assert (job.energy_quality, job.energy_coverage) == ("partial", pytest.approx(0.5))
    agent.draws(200.0, START + HOUR, START + 2 * HOUR)
    job.refresh_from_db()
    assert (job.energy_kwh, job.energy_quality) == (pytest.approx(0.4), "integrated")


def test_readings_elsewhere_leave_the_job_alone(printer: Machine) -> None:
    agent = Agent(printer)
    agent.draws(100.0, START - HOUR, START + 2 * HOUR)
    job = agent.made({"name": "a.stl"})
    before = job.updated_at
    agent.draws(900.0, START - 4 * HOUR, START - 3 * HOUR)
    job.refresh_from_db()
    assert (job.energy_kwh, job.updated_at) == (pytest.approx(0.1), before)


def test_any_order_and_repetition_gives_the_same_job(city_lab: Any) -> None:
    body = {"name": "a.stl", "sha256": "a" * 64}
    told: list[tuple[Any, ...]] = []
    for order in itertools.permutations(range(4)):
        agent = Agent(machine(city_lab))
        messages = [
            agent.says("started", START, file=body),
            agent.says("progress", START + HOUR / 2, progress=0.5),
            agent.says("paused", START + HOUR * 0.7),
            agent.says("finished", START + HOUR, material_g=12.5),
        ]
        for nth in order:
            agent.tells(messages[nth])
            assert agent.tells(messages[nth]).duplicates == 1
        job = Job.objects.get(device=agent.device)
        told.append((job.started_at, job.finished_at, job.outcome, job.progress, job.material_g, job.sha256))
        assert job.events.count() == 4
        assert device_queries.acked(agent.device) == 4
    assert set(told) == {(START, START + HOUR, "finished", 1.0, 12.5, "a" * 64)}


def test_messages_and_readings_share_one_counter(printer: Machine) -> None:
    agent = Agent(printer)
    first = agent.says("started", START)
    agent.tells(first)
    devices.ingest(
        device=agent.device,
        readings=[
            {"seq": 1, "ts": START.isoformat(), "channel": "power_w", "value": 5.0},
            {"seq": 3, "ts": START.isoformat(), "channel": "power_w", "value": 5.0},
        ],
    )
    assert device_queries.acked(agent.device) == 1
    ack = agent.tells({**agent.says("finished", START + HOUR), "seq": 2})
    assert (ack.acked, ack.stored) == (3, 1)


def test_bad_messages_are_refused_one_by_one_and_change_nothing_else(printer: Machine) -> None:
    agent = Agent(printer)
    good = agent.says("started", START)
    bad = [
        {**agent.says("exploded", START)},
        {**agent.says("started", START), "job": ""},
        {**agent.says("started", START), "ts": "yesterday"},
        {**agent.says("started", START), "ts": "2026-06-18T13:50:00"},
        {**agent.says("started", START), "file": {"sha256": "zz"}},
        {**agent.says("progress", START), "progress": 7},
        {**agent.says("started", START), "file": "body.stl"},
    ]
    ack = agent.tells(good, *bad)
    assert (ack.stored, ack.acked, ack.duplicates) == (1, 8, 0)
    assert [r["seq"] for r in ack.rejected] == list(range(2, 9))
    assert all(r["code"].startswith("job:") and r["sentence"] for r in ack.rejected)
    assert Job.objects.count() == 1
    with pytest.raises(BadJobEvent):
        agent.tells({"event": "started"})


def test_a_wrong_clock_is_flagged_and_the_arrival_stands_instead(printer: Machine) -> None:
    agent = Agent(printer)
    ack = agent.tells(agent.says("started", dt.datetime(1970, 1, 1, tzinfo=dt.UTC)))
    assert [(f["seq"], f["code"]) for f in ack.flagged] == [(1, "job:wrong-clock")]
    assert abs(Job.objects.get().started_at - timezone.now()) < dt.timedelta(minutes=1)


def test_a_device_without_a_machine_reports_no_jobs(db: None) -> None:
    stray: Device = devices.create_device(name="plug", kind="plug")
    with pytest.raises(NotALabDevice):
        services.take_events(device=stray, events=[{"seq": 1}])


def test_the_figure_is_computed_from_the_rows(kamppi: Any) -> None:
    """4 h proven open, 1 h not for sale, 2 h probable, 3 h unknown, 5 h failed: 4 of 10, at most 9."""
    owner, place = person(), kamppi
    opened, closed = design(owner, b"open"), design(owner, b"closed", licence="CC-BY-NC-4.0")
    agent = Agent(machine(lab(place=place)))
    agent.made({"sha256": opened.sha256}, job="a", hours=4)
    agent.made({"sha256": closed.sha256}, job="b", hours=1)
    shaped = agent.made({"sha256": "f" * 64}, job="c", hours=2)
    Job.objects.filter(pk=shaped.pk).update(design=opened.design, provenance="probable", provenance_method="geometry")
    agent.made({"sha256": "e" * 64}, job="d", hours=3)
    agent.tells(agent.says("started", START, "e"), agent.says("failed", START + 5 * HOUR, "e"))
    Agent(machine(lab())).made({"sha256": "d" * 64}, job="elsewhere", hours=4)
    found = figure.open_production(place)
    assert (found.numerator, found.denominator) == (pytest.approx(4), pytest.approx(10))
    assert (found.value, found.upper, found.completeness) == (
        pytest.approx(0.4),
        pytest.approx(0.9),
        pytest.approx(0.7),
    )
    assert sum(row["jobs"] for row in found.evidence) == 4
    assert math.isclose(sum(row["machine_hours"] for row in found.evidence if row["open"]), 4.0)


def test_no_jobs_means_no_figure_rather_than_nought(kamppi: Any) -> None:
    found = figure.open_production(kamppi)
    assert (found.value, found.denominator) == (None, None)
    assert "Kamppi" in str(found.sentence)


def test_makes_of_a_design_count_only_what_is_proven_or_probable(printer: Machine) -> None:
    made, agent = design(person(), b"solid hook"), Agent(printer)
    agent.draws(60.0, START - HOUR, START + 3 * HOUR)
    agent.made({"sha256": made.sha256}, job="a", hours=1)
    agent.made({"sha256": made.sha256}, job="b", start=START + HOUR, hours=2)
    agent.made({"sha256": "0" * 64}, job="c", hours=1)
    assert [j.device_job for j in jobs.of_design(made.design)] == ["b", "a"]
    count, kwh = jobs.energy_of_design(made.design)
    assert (count, kwh) == (2, pytest.approx(0.09))


def test_the_events_that_a_device_may_send_are_those_of_the_contract() -> None:
    assert set(fold.EVENTS) == {"started", "progress", "paused", "finished", "failed", "cancelled"}


def test_the_sums_of_a_lab_are_those_of_its_jobs_as_a_visitor_sees_them(kamppi: Any) -> None:
    """Open, closed, private and unknown files; a stranger is not told that a private design is an open one."""
    owner, here = person(), lab(place=kamppi)
    opened, closed = design(owner, b"open"), design(owner, b"closed", licence="CC-BY-NC-4.0")
    hidden = design(owner, b"hidden")
    agent = Agent(machine(here))
    for nth, (sha256, hours) in enumerate(
        [(opened.sha256, 1.0), (opened.sha256, 0.5), (closed.sha256, 2.0), (hidden.sha256, 1.5), ("e" * 64, 1.0)]
    ):
        agent.made({"sha256": sha256}, job=str(nth), hours=hours)
    type(hidden.design).objects.filter(pk=hidden.design.pk).update(visibility="private")
    Job.objects.filter(device_job="0").update(energy_kwh=0.25)
    long_ago = START - 400 * HOUR
    for viewer in (None, owner):
        shown = jobs.shown(jobs.rows().filter(machine__lab=here, finished_at__gt=long_ago), viewer)
        found = board.since(here, long_ago, viewer)
        assert found.jobs == len(shown) == 5
        assert found.hours == pytest.approx(sum(one.hours or 0.0 for one in shown)) == pytest.approx(6.0)
        assert found.energy_kwh == pytest.approx(sum(one.job.energy_kwh or 0.0 for one in shown)) == pytest.approx(0.25)
        proven = sum(one.is_open and one.provenance == "proven" for one in shown)
        assert found.from_open == proven == (3 if viewer else 2)
    nothing = board.since(here, timezone.now() + HOUR, None)
    assert (nothing.jobs, nothing.from_open, nothing.energy_kwh, nothing.hours) == (0, 0, None, 0.0)
