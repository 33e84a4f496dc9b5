"""A backup becomes a city again: from one server to another and back, after a kill, never over a city that is there.

Oracles: MD5 over all rows by SQL itself on both servers, and git and sha256sum on the files.
"""

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from allauth.account.models import EmailAddress
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from commons.notices import mail
from commons.notices.models import MailChoice, Notice
from commons.people.services import create_user
from commons.runs.work import inline
from commons.watching import gauges
from livingcity.backups import drills, making, shelf, tasks
from livingcity.backups.manifest import Backup
from livingcity.backups.telling import health, state
from livingcity.dev.processes import child_environment
from livingcity.dev.services import Postgres
from tests.backups.conftest import ROOT, City, definition, here, oracle, silent
from tests.figures_said import figure

PATIENCE_S = 400


@dataclass(frozen=True)
class Machine:
    """A machine that may have a city one day."""

    data: Path
    database: str = ""
    secret: str = "only for tests " * 4

    def environ(self) -> dict[str, str]:
        """For its commands."""
        found = child_environment(LIVINGCITY_DATA=str(self.data), LIVINGCITY_DEMO="0", SECRET_KEY=self.secret)
        found.pop("BACKUP_TO", None)
        for name, value in {"DATABASE_URL": self.database, "REDIS_URL": ""}.items():
            found.pop(name, None)
            if value:
                found[name] = value
        return found

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """A command."""
        argv = [sys.executable, str(ROOT / "manage.py"), *words]
        return subprocess.Popen(
            argv,
            env=self.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        """Its status, what it answered and what it said."""
        child = self.start(*words)
        answer, said = child.communicate(timeout=PATIENCE_S)
        return child.returncode, answer, said

    def restore(self, backup: Backup) -> dict[str, Any]:
        """Bring a backup back; it must work."""
        status, answer, said = self.run("restore", str(backup.folder), "--json")
        assert status == 0, said[-3000:]
        found: dict[str, Any] = json.loads(answer)
        return found

    def sums(self) -> dict[str, tuple[int, str]]:
        """Of its own database."""
        return {name: tuple(found) for name, found in self._asked(oracle).items()}

    def definition(self) -> list[list[str]]:
        """Of its tables."""
        found: list[list[str]] = self._asked(definition)
        return found

    def _asked(self, question: Callable[[str], Any]) -> Any:
        if self.database:
            return question(self.database)
        code = f"import json, tests.backups.conftest as c; print(json.dumps(c.{question.__name__}(c.here())))"
        status, answer, said = self.run("shell", "-v", "0", "-c", code)
        assert status == 0, said[-3000:]
        return json.loads(answer.splitlines()[-1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def second_server(tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL that is reached over TCP, like one that a city rents, and an empty database of a plain account."""
    home = Path("/tmp") / f"lc-second-{os.getpid()}"
    home.mkdir(mode=0o711)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])

    class Reached(Postgres):
        def _options(self) -> list[str]:
            return [*super()._options(), "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}"]

        def connect(self, database: str = "postgres") -> Any:
            return psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname=database, autocommit=True)

    server = Reached(home / "postgres", home / "sockets", home / "log", durable=False)
    try:
        server.start()
        with server.connect() as asked:
            asked.execute("CREATE ROLE city LOGIN")
            asked.execute("CREATE DATABASE livingcity OWNER city TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
        yield f"postgresql://city@127.0.0.1:{port}/livingcity"
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine with nothing on it, where the city would bring its own PostgreSQL."""
    data = Path("/tmp") / f"lc new city {os.getpid()}-{time.monotonic_ns()}"
    yield Machine(data)
    shutil.rmtree(data, ignore_errors=True)


def make(folder: Path, **how: Any) -> Backup:
    return making.make(folder, **{"keep": 7, "say": silent, **how})[0]


def files_of(data: Path) -> dict[str, bytes]:
    """What a person would miss, by its path."""
    return {
        str(path.relative_to(data)): path.read_bytes()
        for name in ("repositories", "lfs", "media")
        for path in (data / name).rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def not_understood(backup: Path) -> None:
    """As an older server would find the definition of tables: after most of it a setting that it does not know."""
    path, manifest = backup / "schema" / "before.sql", backup / "manifest.json"
    former = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(path.read_text() + "SET of_a_later_server = 0;\n")
    text = manifest.read_text()
    assert former in text
    manifest.write_text(text.replace(former, hashlib.sha256(path.read_bytes()).hexdigest()))


def test_from_one_server_to_another_and_back(
    city: City, folder: Path, machine: Machine, second_server: str, tmp_path: Path
) -> None:
    """Named server → killed → embedded one → named one over TCP, as a plain account: the same city each time."""
    made, want, files, tables = make(folder), oracle(here()), files_of(city.data), definition(here())
    assert want["devices_reading_20260301"][0] == 2000

    child = machine.start("restore", str(made.folder))
    assert child.stderr is not None
    for line in child.stderr:
        if "%" in line and int(line.partition("%")[0]) >= 45:  # in the middle of the rows
            break
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert (machine.data / "restoring.json").exists()
    status, _answer, said = machine.run("shell", "-v", "0", "-c", "print(1)")
    assert status == 1
    assert "once more" in said

    found = machine.restore(made)
    assert found["ok"]
    assert found["checked"]["tables_differing"] == 0
    assert found["checked"]["commits"] == 2
    assert found["checked"]["large_files"] == 1
    assert not found["notes"], "the same SECRET_KEY"
    assert not (machine.data / "restoring.json").exists()
    assert files_of(machine.data) == files
    back = machine.sums()
    figure("backup_tables_unlike", sum(back.get(table) != told for table, told in want.items()), f"of {len(want)}")
    assert back == want
    assert machine.definition() == tables
    quick_s = found["took_s"]

    again = tmp_path / "again"
    status, _answer, said = machine.run("backup", "--to", str(again), "--json")
    assert status == 0, said[-3000:]
    not_understood(shelf.backups(again)[0].folder)
    other = Machine(tmp_path / "other", second_server, secret="another one " * 5)
    found = other.restore(shelf.backups(again)[0])
    assert found["ok"]
    assert any("SECRET_KEY" in note for note in found["notes"])
    assert other.sums() == want
    assert other.definition() == tables
    assert files_of(other.data) == files
    print(f"restored in {quick_s} s; by migrations, without the definition of tables, in {found['took_s']} s")  # noqa: T201

    status, _answer, said = other.run("restore", str(made.folder))
    assert status == 1
    assert "needs an empty one" in said
    assert other.sums() == want, "a city that is there is never touched"


def test_a_drill_finds_what_is_wrong_and_staff_is_told(city: City, folder: Path, settings: Any, client: Client) -> None:
    settings.BACKUP_TO = str(folder)
    create_user(username="niko")
    assert health().data["alarm"]
    assert tasks.look() == tasks.MAKE
    assert not Notice.objects.exists()
    run = inline(kind=tasks.MAKE, inputs={})
    assert run.status == "done", run.error
    run = inline(kind=tasks.DRILL, inputs={})
    assert run.status == "done", run.error
    assert run.result is not None
    assert run.result["checked"]["tables_differing"] == 0
    assert run.result["checked"]["commits"] == 2
    assert not health().data["alarm"], state().alarms
    assert not list(folder.glob(".drill-*/"))

    newest = shelf.backups(folder)[-1]
    found = next((newest.folder / "files" / "repositories").rglob("objects/??/*"))
    found.chmod(0o600)
    found.write_bytes(found.read_bytes()[:-1] + b"?")
    run = inline(kind=tasks.DRILL, inputs={})
    assert run.status == "failed"
    assert found.name in run.error
    assert health().data["alarm"]
    assert health().ok, "the city serves all the same"
    assert ("city_check_alarm", {"check": "backups"}, 1.0) in list(gauges.look()), "who watches is told"
    told = Notice.objects.filter(kind="city.backup", person=city.person, read_at=None)
    assert told.count() == 1
    assert not Notice.objects.filter(kind="city.backup", person__username="niko").exists()
    EmailAddress.objects.create(user=city.person, email="aila@city.example", verified=True, primary=True)
    MailChoice.objects.create(person=city.person, when="weekly", last_sent_at=timezone.now())
    assert mail.send_due(now=timezone.now() + 2 * mail.GATHER) == 1
    [letter] = outbox.outbox
    assert letter.to == ["aila@city.example"]
    assert "Backups need you" in str(letter.body)
    client.force_login(city.person)
    page = client.get("/backups/").content.decode()
    assert found.name in page
    assert newest.name in page


def test_a_table_that_is_damaged_is_no_city(city: City, folder: Path, machine: Machine) -> None:
    made = make(folder)
    table = made.folder / "tables" / "people_user.gz"
    table.write_bytes(table.read_bytes()[:-20])
    found = drills.drill(made, say=silent)
    assert not found["ok"]
    assert "people_user.gz" in found["sentence"]
    with contextlib.suppress(FileNotFoundError):
        assert "people_user.gz" in json.loads(next((folder / "drills").glob("*.json")).read_text())["sentence"]


def test_every_damage_of_files_is_named(city: City, folder: Path) -> None:
    """At once: a commit that the database names and the repository lost, a byte that changed, a file that is gone."""
    head = city.design.head
    lost = city.repository.path / "objects" / head[:2] / head[2:]
    kept = lost.read_bytes()
    lost.unlink()  # before the backup is made: its files are as the manifest says, and yet the city is not whole
    made = make(folder)
    lost.write_bytes(kept)
    pictures = made.folder / "files" / "media" / "pictures"
    changed = pictures / "old.png"
    changed.chmod(0o600)
    changed.write_bytes(b"OLD")
    (pictures / "ä b\\c.png").unlink()
    found = drills.drill(made, say=silent)
    assert not found["ok"]
    faults = "\n".join(found["faults"])
    for what in (head, "old.png", "ä b\\c.png"):
        assert what in faults, faults
    figure("backup_damaged_files_named", 3, f"kinds of 3, {len(found['faults'])} faults")


def _without_a_row(text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    return b"".join(lines[:-1])


def _with_another_byte(text: bytes) -> bytes:
    at = text.index(b"0.")
    return text[:at] + b"1" + text[at + 1 :]


def _twice(text: bytes) -> bytes:
    return text + text.splitlines(keepends=True)[-1]


@pytest.mark.drill
@pytest.mark.parametrize("damage", [_without_a_row, _with_another_byte, _twice])
def test_every_damage_of_rows_is_found(city: City, folder: Path, damage: Callable[[bytes], bytes]) -> None:
    """A row that is missing, one that changed and one too many, in files that unpack without a complaint."""
    made = make(folder)
    table = made.folder / "tables" / "devices_reading_20260302.gz"
    rows = damage(gzip.decompress(table.read_bytes()))
    table.unlink()
    table.write_bytes(gzip.compress(rows, 1))
    found = drills.drill(made, say=silent)
    assert not found["ok"]
    assert table.name in found["sentence"]
