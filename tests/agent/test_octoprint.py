"""The whole way with the real OctoPrint and its virtual printer: cloned here, printed there, the job's page tells the
design and the kWh of the plug; and the machine is steered from the booking's page.
"""

import datetime as dt
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons.devices.models import Command
from commons.people.models import User
from commons.people.services import create_user
from designs.models import Design
from designs.services import create_design, index_now, releases, write_files
from labs.models import Booking, Job, Machine
from labs.services import bookings, catalogue, equipment
from livingcity_agent.adapters.base import Name
from livingcity_agent.adapters.octoprint import OctoPrint
from tests.agent.adapters.plugs import Plug, Shelly2
from tests.agent.adapters.stage import serving
from tests.agent.conftest import Process, until
from tests.agent.hearing import at_work
from tests.agent.machines import RealOctoPrint, octoprint
from tests.conftest import LiveCity

MOVES = b"".join(b"G1 X%d Y10 E%d F9000\n" % (n * 5, n) for n in range(30))
CUBE = b"; a cube without heating\nG28\n" + MOVES + b"G4 P2500\n" + MOVES
LONG = b"; a longer one\nG28\n" + MOVES + b"G4 P500\n" * 120
WATTS = 3600.0


class Drawing(Plug):
    """A plug through which always the same flows: 1 Wh a second."""

    began = time.monotonic()

    @property  # type: ignore[override]
    def energy_wh(self) -> float:
        return 5000.0 + (time.monotonic() - self.began) * WATTS / 3600

    @energy_wh.setter
    def energy_wh(self, _value: float) -> None:
        """It counts by itself."""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOctoPrint]:
    with octoprint(tmp_path_factory.mktemp("octoprint")) as started:
        yield started


@pytest.fixture
def plug() -> Iterator[str]:
    with serving(Shelly2, Drawing(power_w=WATTS)) as address:
        yield address


@dataclass
class Stage:
    """A person with a released design, a machine with its agent at work."""

    city: LiveCity
    person: User
    design: Design
    machine: Machine
    agent: Process
    client: Client

    def job(self, number: int = 0) -> Job | None:
        """The job of that number, when it is over and its file is known."""
        rows = Job.objects.filter(machine=self.machine).order_by("started_at")
        over = [job for job in rows if job.finished_at and job.sha256]
        return over[number] if len(over) > number else None

    def shows(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", answer.content.decode())


@pytest.fixture
def stage(live_city: LiveCity, printer: Machine, agent: Process, real: RealOctoPrint, plug: str) -> Stage:
    person = create_user(username="aila", name="Aila")
    design = create_design(
        owner=person.handle, name="Plain cube", licence="CERN-OHL-S-2.0", by=person, visibility="public"
    )
    files = {"cube.gcode": CUBE, "long.gcode": LONG, "README.md": b"# Plain cube\n"}
    write_files(design=design, files=files, message="First", author=person, by=person)
    design = index_now(design=design, by=person)
    releases.publish(design=design, version="1.0", notes="", by=person)
    agent.config.write_text(
        f'url = "{live_city.url}"\n[sending]\nevery_s = 0.3\n'
        '[[device]]\nname = "Virtual"\ncommands = ["send", "start", "pause", "resume", "cancel"]\n'
        f'[[device.source]]\ntype = "octoprint"\nurl = "{real.url}"\nkey = "{real.key}"\n'
        f'[[device.source]]\ntype = "shelly"\nurl = "{plug}"\nevery_s = 1.0\n'
    )
    enrolled = agent.does("enrol", str(catalogue.enrolment_code(machine=printer)))
    assert enrolled.returncode == 0, enrolled.stderr
    checked = agent.does("--check")
    assert checked.returncode == 0, checked.stdout
    agent.start()
    printer.refresh_from_db()
    until(lambda: printer.device.last_values.filter(channel=3).exists(), what="a first word of the printer")
    client = Client()
    client.force_login(person)
    return Stage(live_city, person, design, printer, agent, client)


def test_a_cloned_file_is_printed_and_its_page_names_design_and_energy(
    stage: Stage, real: RealOctoPrint, tmp_path: Path
) -> None:
    address = f"{stage.city.url}/designs/{stage.design.owner.name}/{stage.design.slug}.git"
    subprocess.run(["git", "clone", "--quiet", address, tmp_path / "clone"], check=True, timeout=60)
    real.upload("cube.gcode", (tmp_path / "clone" / "cube.gcode").read_bytes(), start=True)
    job = until(stage.job, what="the job")
    assert (job.outcome, job.provenance, job.design) == ("finished", "proven", stage.design)
    assert (job.design_path, job.file_name) == ("cube.gcode", "cube.gcode")
    length_s = (job.finished_at - job.started_at).total_seconds()
    expected = WATTS / 1000 * length_s / 3600
    job = until(lambda: (j := stage.job()) and j.energy_quality == "measured" and j, what="the plug's kWh")
    assert length_s > 2 and job.energy_kwh == pytest.approx(expected, rel=0.15)
    page = stage.shows(f"/jobs/{job.pk}/")
    assert "Plain cube" in page and "kWh" in page and "Proven" in page


def booked(stage: Stage) -> Booking:
    """The machine is Aila's, from a minute ago."""
    equipment.change_machine(machine=stage.machine, unattended=True, takes_commands=True)
    start = timezone.now() + dt.timedelta(minutes=1)
    booking = bookings.create_booking(
        machine=stage.machine, user=stage.person, start=start, end=start + dt.timedelta(hours=1), design=stage.design
    )
    return bookings.check_in(booking=booking, by=stage.person)


def test_the_machine_is_steered_from_the_page_of_its_booking(stage: Stage) -> None:
    booking = booked(stage)
    page = stage.shows(f"/b/{booking.pk}/")
    assert "Send it and start" in page and "long.gcode" in page
    sha256 = re.search(r'value="([0-9a-f]{64})"[^>]*>\s*long.gcode', page)
    assert sha256 is not None

    def asked(do: str, **more: Any) -> Command:
        stage.client.post(f"/b/{booking.pk}/machine/", {"do": do, **more})
        made = Command.objects.filter(about=str(booking.pk), kind=do).latest("asked_at")
        return until(lambda: (c := Command.objects.get(pk=made.pk)).answered_at and c, what=do)

    def goes_on(outcome: str) -> Any:
        return lambda: Job.objects.filter(machine=stage.machine, outcome=outcome).first()

    sent = asked("send", file=sha256[1])
    assert (sent.state, sent.asked_by) == ("done", stage.person), sent.sentence
    job = until(goes_on("running"), what="the job")
    assert "Pause" in stage.shows(f"/b/{booking.pk}/")
    assert asked("pause").sentence == "The print waits."
    until(goes_on("paused"), what="the pause")
    assert "Go on" in stage.shows(f"/b/{booking.pk}/")
    stage.agent.kill(signal.SIGKILL)  # nothing that was asked is lost or done twice by that
    stage.agent.start()
    assert asked("resume").state == "done"
    until(goes_on("running"), what="going on")
    assert asked("cancel").state == "done"
    until(goes_on("cancelled"), what="the end")
    job = until(stage.job, what="the hashes")
    assert (job.booking, job.provenance, job.design_path) == (booking, "proven", "long.gcode")
    assert Job.objects.filter(machine=stage.machine).count() == 1


def test_an_end_that_nobody_heard_is_told_once_with_its_time(real: RealOctoPrint) -> None:
    adapter = OctoPrint(Name("Virtual"), real.url, real.key)
    with at_work(adapter) as first:
        until(lambda: first.sink.readings, what="a first word")
        real.upload("away.gcode", CUBE, start=True)
        until(lambda: first.sink.file(first.sink.jobs[0].job) if first.sink.jobs else None, what="the start")
    until(lambda: real.asks("GET", "/api/job")["state"] == "Operational", what="the end of the print")
    ended = dt.datetime.now(dt.UTC)
    time.sleep(1.5)
    with at_work(adapter, dict(first.sink.memory)) as second:
        until(second.sink.events, what="the end")
    assert second.sink.events() == ["finished"]
    told = second.sink.jobs[-1]
    assert told.job == first.sink.jobs[0].job and told.at is not None
    assert abs((told.at - ended).total_seconds()) < 1.5
