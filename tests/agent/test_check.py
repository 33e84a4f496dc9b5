"""`enrol`, `--check` and `install-unit` of the real program against a real city: what is wrong is a sentence."""

import datetime as dt
import sqlite3
from email.utils import format_datetime
from pathlib import Path

import pytest

from commons.devices import services as devices
from labs.models import Circuit, Machine, PowerMeter
from labs.services import catalogue, meters
from livingcity_agent.sending import filling
from tests.agent.adapters.plugs import Plug, Shelly2
from tests.agent.adapters.stage import Quiet, serving
from tests.agent.conftest import Process, until
from tests.conftest import LiveCity
from tests.labs.conftest import enrolled, lab, machine

PLUG = '[[device]]\nname = "{name}"\n[[device.source]]\ntype = "shelly"\nurl = "{address}"\n'


class Late(Quiet):
    """A city whose clock is an hour off."""

    def get(self) -> None:
        self.send({"alive": True})

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(dt.datetime.now(dt.UTC) - dt.timedelta(hours=1), usegmt=True)


def test_from_nothing_to_well_and_back_to_wrong(agent: Process, live_city: LiveCity, printer: Machine) -> None:
    missing = agent.does("--check")
    assert missing.returncode == 1 and "cannot be read: No such file" in missing.stderr
    agent.config.write_text("[[devic]]\n")
    assert "“devic” is not known here" in agent.does("--check").stderr
    with serving(Shelly2, Plug(power_w=5)) as plug:
        agent.config.write_text(f'url = "{live_city.url}"\n' + PLUG.format(name="Plug", address=plug))
        alone = agent.does("--check")
        assert alone.returncode == 1 and "WRONG Plug is not enrolled. Ask the lab's manager for a code" in alone.stdout
        assert f"ok    The city at {live_city.url} answers." in alone.stdout
        assert "ok    The clock is right within" in alone.stdout
        refused = agent.does("enrol", "AAAA-AAAA")
        assert refused.returncode == 1 and "did not let the device in: This code is unknown" in refused.stderr
        done = agent.does("enrol", str(catalogue.enrolment_code(machine=printer)))
        assert done.returncode == 0 and "Plug is enrolled at" in done.stdout
        well = agent.does("--check")
        assert well.returncode == 0, well.stdout
        assert "Plug is enrolled; the city has everything up to number 0." in well.stdout
        printer.refresh_from_db()
        assert printer.device is not None
        devices.revoke_device(device=printer.device)
        gone = agent.does("--check")
        assert gone.returncode == 1 and "WRONG Plug: the city does not know its token any more" in gone.stdout
        feeds = PLUG.format(name="Bench plug", address=plug) + 'circuit = "Bench"\n'
        agent.config.write_text(f'url = "{live_city.url}"\n' + feeds)
        Circuit.objects.create(lab=printer.lab, name="Bench", limit_w=2300)
        _device, code = meters.add_plug(lab=printer.lab, name="Bench plug")
        tied = agent.does("enrol", str(code))
        assert "It feeds the circuit “Bench”." in tied.stdout, tied.stderr
        assert PowerMeter.objects.get().circuit == Circuit.objects.get()
        assert "ok    Bench plug feeds the circuit “Bench”." in agent.does("--check").stdout
        Circuit.objects.update(name="Cellar")
        lost = agent.does("--check").stdout
        assert "WRONG Bench plug: The city does not tie it to the circuit “Bench”: The lab has no circuit" in lost
        agent.config.write_text(f'url = "{live_city.url}"\n' + PLUG.format(name="Plug", address=plug))
    dead = agent.does("--check")
    assert dead.stdout.count("WRONG") == 2 and "Plug · shelly: " in dead.stdout
    database = agent.folder / "state" / "journal.db"
    assert database.stat().st_mode & 0o077 == 0, "the token is in it"
    assert "lcd_" not in dead.stdout + dead.stderr + well.stdout


def test_a_city_that_is_away_and_a_clock_that_is_wrong(agent: Process) -> None:
    agent.config.write_text('url = "http://127.0.0.1:9"\n' + PLUG.format(name="Plug", address="http://127.0.0.1:9"))
    away = agent.does("--check")
    assert away.returncode == 1
    assert "WRONG http://127.0.0.1:9 cannot be reached: Connection refused." in away.stdout
    with serving(Late, None) as url:
        agent.config.write_text(f'url = "{url}"\n' + PLUG.format(name="Plug", address=url))
        late = agent.does("--check")
    assert "s ahead of the city's: run timedatectl set-ntp true." in late.stdout
    assert "3600" in late.stdout or "3599" in late.stdout or "3601" in late.stdout


def test_which_device_must_be_said_where_there_are_several(agent: Process) -> None:
    two = PLUG.format(name="A", address="http://127.0.0.1:9") + PLUG.format(name="B", address="http://127.0.0.1:9")
    agent.config.write_text(two)
    assert "Say which with --device: A, B." in agent.does("enrol", "X").stderr
    assert "has no device “C”; it has A, B." in agent.does("enrol", "X", "--device", "C").stderr
    assert "Say where the city is" in agent.does("enrol", "X", "--device", "A").stderr


def test_the_unit_is_printed_or_written_and_two_agents_never_share_a_journal(agent: Process, tmp_path: Path) -> None:
    agent.config.write_text(PLUG.format(name="A", address="http://127.0.0.1:9"))
    printed = agent.does("install-unit", "--user", "pi")
    assert printed.returncode == 0 and "User=pi" in printed.stdout and f"--config {agent.config} run" in printed.stdout
    place = tmp_path / "livingcity-agent.service"
    assert agent.does("install-unit", "--user", "pi", "--write", str(place)).returncode == 0
    assert place.read_text() == printed.stdout
    agent.start()
    until(lambda: any("is not enrolled" in line for line in agent.lines), what="a first line")
    second = agent.does("run")
    assert second.returncode == 1 and "Another livingcity-agent works with" in second.stderr
    assert agent.kill(15) == 0
    assert sqlite3.connect(agent.folder / "state" / "journal.db").execute("SELECT name FROM device").fetchall() == [
        ("A",)
    ]


@pytest.mark.django_db
def test_the_city_settles_numbers_that_are_told_as_lost() -> None:
    device, _token = enrolled(machine(lab()))
    ack = devices.ingest(device=device, readings=devices.read_body(filling(range(1, 8))))
    assert (ack.acked, ack.stored, len(ack.rejected)) == (7, 0, 7)
