"""The city's own servers: they come for whoever needs them, and go with the last one, killed or not."""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from livingcity.dev import services, supervisor
from livingcity.dev.processes import child_environment, die_with_parent
from livingcity.dev.services import ServiceError, private_folder

ROOT = Path(__file__).resolve().parents[2]
COUNT = "from commons.people.models import User; print('people:', User.objects.count())"


@contextmanager
def own_city() -> Iterator[dict[str, str]]:
    """The environment of a city of its own, in a folder whose name has a space."""
    data = Path("/tmp") / f"lc city {os.getpid()}-{time.monotonic_ns()}"
    environ = child_environment(LIVINGCITY_DATA=str(data), PORT="0", LIVINGCITY_DEMO="0")
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        environ.pop(name, None)
    try:
        yield environ
    finally:
        for pid in processes_of(data):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def city() -> Iterator[dict[str, str]]:
    """A city that has nothing yet."""
    with own_city() as environ:
        yield environ


@dataclass(frozen=True)
class Laid:
    """A city whose first command has ended, and what that said."""

    environ: dict[str, str]
    said: str


@pytest.fixture(scope="module")
def laid() -> Iterator[Laid]:
    """A city that a command has laid out: the tables take half a minute, so others start from a copy."""
    with own_city() as environ:
        yield Laid(environ, said(manage(environ, "shell", "-v", "0", "-c", COUNT)))


@pytest.fixture
def city_with_tables(city: dict[str, str], laid: Laid) -> dict[str, str]:
    """A city that has its tables and nobody in it; its servers do not run."""
    data = Path(laid.environ["LIVINGCITY_DATA"])
    assert eventually(lambda: not processes_of(data), 5)
    subprocess.run(["cp", "-a", str(data), city["LIVINGCITY_DATA"]], check=True)
    return city


def manage(city: dict[str, str], *words: str) -> "subprocess.Popen[str]":
    """A command of that city."""
    argv = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.Popen(
        argv,
        env=city,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: die_with_parent(signal.SIGTERM),  # noqa: PLW1509 a killed test run leaves no city behind
    )


def said(process: "subprocess.Popen[str]", timeout_s: float = 300) -> str:
    """Everything it printed, once it has ended."""
    return process.communicate(timeout=timeout_s)[0]


def processes_of(data: Path) -> list[int]:
    """Processes with that data folder, or its sockets' folder, in their environment or on their command line."""
    name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]
    marks = (str(data).encode(), f"/tmp/lc-{os.getuid()}-{name}".encode())
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if any(mark in words for mark in marks) and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def alive() -> dict[int, tuple[int, str]]:
    """Every living process: its parent and its command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(folder.name)] = (int(parent), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def family(pid: int) -> dict[int, str]:
    """The process and all that descend from it: servers rewrite their environment, so only this finds every one."""
    living = alive()
    found = {pid: living[pid][1]} if pid in living else {}
    for child, (parent, _line) in living.items():
        if parent == pid:
            found |= family(child)
    return found


def eventually(true: Callable[[], bool], within_s: float) -> bool:
    """Whether it becomes true in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.1)
    return true()


def test_a_command_brings_its_services_and_leaves_nothing(laid: Laid) -> None:
    """The first makes database and tables; two at once share the servers; afterwards nothing runs."""
    city = laid.environ
    data = Path(city["LIVINGCITY_DATA"])
    assert "people: 0" in laid.said, laid.said
    assert eventually(lambda: not processes_of(data), 5)
    assert (data / "postgres").stat().st_mode & 0o777 == 0o700
    pair = [manage(city, "shell", "-v", "0", "-c", COUNT) for _ in range(2)]
    assert ["people: 0" in said(process) for process in pair] == [True, True]
    assert eventually(lambda: not processes_of(data), 5)


def test_kill_9_of_the_last_user_ends_the_servers(city_with_tables: dict[str, str]) -> None:
    city = city_with_tables
    data = Path(city["LIVINGCITY_DATA"])
    process = manage(
        city, "shell", "-v", "0", "-c", f"{COUNT}\nimport time; print('here', flush=True); time.sleep(300)"
    )
    assert process.stdout is not None
    while "here" not in (line := process.stdout.readline()):
        assert line, "it ended"
    assert len(processes_of(data)) > 2
    process.kill()
    assert eventually(lambda: not processes_of(data), 10), processes_of(data)


def test_commands_that_need_no_database_start_nothing(city: dict[str, str]) -> None:
    data = Path(city["LIVINGCITY_DATA"])
    assert "No changes" in said(manage(city, "makemigrations", "--check", "--dry-run"))
    assert not (data / "postgres").exists()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(ServiceError, match="belongs to somebody else"):
        private_folder(folder, None)


def test_a_link_in_place_of_the_socket_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "sockets").symlink_to(tmp_path / "real")
    with pytest.raises(ServiceError, match="belongs to somebody else"):
        private_folder(tmp_path / "sockets", None)


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(services.shutil, "disk_usage", lambda _path: usage._replace(free=12 * 2**20))
    with pytest.raises(ServiceError, match="is full: 12 MB are free and the city needs 200 MB"):
        services.check_room(tmp_path)


def test_a_port_in_use_is_one_sentence_before_anything_starts(city: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(supervisor.PortInUse, match=f"Port {port} is in use"):
            supervisor.check_port(port)
        process = manage({**city, "PORT": str(port)}, "up")
        output = said(process, 60)
    assert process.returncode == 1
    assert output.count("\n") == 1, output
    assert not (Path(city["LIVINGCITY_DATA"]) / "postgres").exists()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/none", "DATABASE_URL names (me@127.0.0.1:1/none) cannot"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:1/0", "REDIS_URL names (127.0.0.1:1/0) cannot be used"),
        ("PORT", "abc", "PORT must be a number from 1 to 65535, not “abc”."),
    ],
)
def test_a_wrong_setting_is_one_sentence(city: dict[str, str], name: str, value: str, sentence: str) -> None:
    process = manage({**city, name: value}, "up")
    output = said(process, 60)
    assert process.returncode != 0
    assert sentence in output
    assert output.count("\n") == 1, output
    assert "secret" not in output


def start_city(city: dict[str, str]) -> tuple["subprocess.Popen[str]", str, str]:
    """`manage.py up` until it says that it is ready; the process, its address and what it said so far."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = manage({**city, "PORT": str(port)}, "up")
    assert process.stdout is not None
    output = ""
    while "Sign in as" not in output:
        line = process.stdout.readline()
        assert line, output
        output += line
    return process, f"http://localhost:{port}", output


def test_the_whole_city_starts_and_stops(city: dict[str, str]) -> None:
    data = Path(city["LIVINGCITY_DATA"])
    process, url, output = start_city(city)
    assert f"Living City is ready at {url}" in output
    assert urllib.request.urlopen(f"{url}/", timeout=30).status == 200
    assert "people: 1" in said(manage(city, "shell", "-v", "0", "-c", COUNT)), "a command joins the running services"
    assert processes_of(data), "and leaves them running"
    everyone = family(process.pid)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    said(process, 30)
    assert time.monotonic() - began < 15
    assert eventually(lambda: not set(everyone) & set(alive()), 5)
    assert not processes_of(data)


def test_kill_9_of_the_supervisor_leaves_nothing(city_with_tables: dict[str, str]) -> None:
    city = city_with_tables
    data = Path(city["LIVINGCITY_DATA"])
    process, _url, _output = start_city(city)
    wanted = ("granian", "worker-1", " -n worker@", " -n heavy@", "beat", "dev.keeper", "valkey-server", "postgres: ")

    def complete() -> bool:
        lines = " ".join(family(process.pid).values())
        return all(part in lines for part in wanted)

    assert eventually(complete, 90), family(process.pid)
    everyone = family(process.pid)
    assert len(everyone) > 15
    workers = {pid: line for pid, line in everyone.items() if "@%h" in line}
    niceness = {" -n heavy@" in line: os.getpriority(os.PRIO_PROCESS, pid) for pid, line in workers.items()}
    assert niceness == {True: 10, False: 0}, "long work gives way to pages"
    process.kill()
    process.wait()
    assert eventually(lambda: not set(everyone) & set(alive()), 15), [everyone[p] for p in set(everyone) & set(alive())]
    assert not processes_of(data)


@pytest.mark.drill
@pytest.mark.parametrize(
    "victim",
    [
        "granian",
        "dev.keeper",
        "postgres -D",
        "valkey-server",
        " beat ",
        " -n worker@",
        " -n heavy@",
        "manage.py ingest",
    ],
)
def test_a_part_that_dies_comes_back(city_with_tables: dict[str, str], victim: str) -> None:
    city = city_with_tables
    data = Path(city["LIVINGCITY_DATA"])
    process, url, _output = start_city(city)

    def living() -> list[int]:
        lines = [
            (pid, Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()) for pid in processes_of(data)
        ]
        return [pid for pid, line in lines if victim in line and "postgres:" not in line]

    killed = min(living())
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: bool(set(living()) - {killed}), 30)

    def answers() -> bool:
        try:
            return bool(urllib.request.urlopen(f"{url}/", timeout=10).status == 200)
        except OSError:
            return False

    assert eventually(answers, 60)
    process.send_signal(signal.SIGTERM)
    assert "again" in said(process, 30)
    assert eventually(lambda: not processes_of(data), 5)


@pytest.mark.drill
def test_below_a_folder_that_is_closed_to_others(city: dict[str, str], tmp_path: Path) -> None:
    """As root PostgreSQL runs as `nobody`, who may not walk down to the data: nothing is opened up for it."""
    closed = Path(f"/tmp/lc-closed-{os.getpid()}")
    closed.mkdir(mode=0o700)
    try:
        inside = {**city, "LIVINGCITY_DATA": str(closed / "data")}
        assert "people: 0" in said(manage(inside, "shell", "-v", "0", "-c", COUNT))
        assert closed.stat().st_mode & 0o777 == 0o700
        assert eventually(lambda: not processes_of(closed), 5)
    finally:
        shutil.rmtree(closed)
