"""The last migration of each room is taken back and applied again on a filled city while four clients use the site.

No answer is a fault of ours, and nobody waits long for a lock. The clients use pages and doors that do not stand on the
newest tables, as those of the version before would not: what they share with the migration is the large tables.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError

import psycopg
import pytest
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from livingcity.dev.processes import child_environment, spawn, stop
from livingcity.dev.pytest_plugin import TEMPLATE
from livingcity.dev.web import web_argv
from tests.conftest import ROOT, _answers, free_port
from tests.figures_said import figure

pytestmark = pytest.mark.drill

FILL = """
import datetime as dt
from django.db import connection
from django.utils import timezone
from commons.devices.services import partitions
from commons.notices.models import Notice
from commons.people.services import create_token
from designs.models import Make
from designs.services import create_design, index_now, write_files
from labs.models import Booking
from tests.labs.conftest import lab, machine, person

n = {rows}
aila = person("aila")
design = create_design(owner=aila.handle, name="Cube", licence="MIT", by=aila)
write_files(design=design, files={{"README.md": b"# Cube"}}, message="First", author=aila, by=aila)
index_now(design=design, by=aila)
Make.objects.bulk_create([Make(design=design, author=aila, text=str(i)) for i in range(n)], batch_size=5000)
Notice.objects.bulk_create([Notice(person=aila, kind="designs.star", text=str(i), url="/") for i in range(n)], 5000)
printer, start = machine(lab("guild")), timezone.now() - dt.timedelta(days=3000)
rows = []
for i in range(n):
    at = start + dt.timedelta(hours=i)
    span = (at, at + dt.timedelta(minutes=50))
    rows.append(Booking(machine=printer, user=aila, start=span[0], end=span[1], blocked=span, status="done"))
Booking.objects.bulk_create(rows, batch_size=5000)
partitions.ensure_days([dt.date(2026, 3, 1)])
with connection.cursor() as cursor:
    cursor.execute('''INSERT INTO devices_reading
        SELECT i, '2026-03-01'::timestamptz + i * interval '0.1 s', now(), i, 1, 1, 0
        FROM generate_series(1, %s) i''', [4 * n])
print(create_token(user=aila, name="traffic", scopes=["designs:write"])[1])
"""
PAGES = (
    "/designs/",
    "/api/v1/designs/",
    "/people/aila/",
    "/labs/",
    "/api/v1/labs/",
    "/healthz",
    "/search/?q=cube",
    "/",
)
#: What people wait for, and how long, as the server sees it.
WAITING = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - s.state_change)), 0) FROM pg_stat_activity s
WHERE s.datname = current_database() AND s.wait_event_type = 'Lock'
"""
LONGEST_S = 1.0


@dataclass
class Traffic:
    """What clients asked and were answered."""

    url: str
    pages: tuple[str, ...]
    statuses: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    lock_s: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)

    def read(self, first: int) -> None:
        """Page after page."""
        number = first
        while not self.ended.is_set():
            number += 1
            self.ask(self.pages[number % len(self.pages)])

    def write(self, token: str) -> None:
        """A star given and taken back, again and again."""
        while not self.ended.is_set():
            for method in ("PUT", "DELETE"):
                self.ask("/api/v1/designs/aila/cube/star/", method, token)

    def ask(self, path: str, method: str = "GET", token: str = "") -> int:
        """One answer; its status."""
        began = time.monotonic()
        status = status_of(f"{self.url}{path}", method, token)
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status >= 500 or not status:
            self.faults.append(f"{path}: {status}")
        return status

    def watch(self, address: str) -> None:
        """How long anybody waits for a lock."""
        with psycopg.connect(address, autocommit=True) as connection:
            while not self.ended.wait(0.02):
                row = connection.execute(WAITING).fetchone()
                self.lock_s = max(self.lock_s, float(row[0]) if row else 0.0)


def status_of(url: str, method: str = "GET", token: str = "") -> int:
    """What the site answers; 0 where it does not."""
    asked = urllib.request.Request(url, method=method, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            answer.read()
            return int(answer.status)
    except HTTPError as refused:
        return refused.code
    except (URLError, OSError):
        return 0


@dataclass
class Served:
    """A filled city of its own, and how it is reached."""

    url: str
    address: str
    env: dict[str, str]
    tokens: list[str] = field(default_factory=list)

    def manage(self, *words: str) -> str:
        """What a command of it prints."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words], env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A copy of the migrated database, filled, with the site on it."""
    named, folder = settings.DATABASES["default"], Path("/tmp") / f"lc-migrations-{os.getpid()}"
    name, port = f"traffic_{os.getpid()}_{request.param}", free_port()
    address = f"postgresql://{named['USER']}@/{{}}?host={named['HOST']}".format
    url = f"http://localhost:{port}"
    with psycopg.connect(address("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}".encode())
    env = child_environment(
        DATABASE_URL=address(name), LIVINGCITY_DATA=str(folder), PORT=str(port), PUBLIC_URL=url, LOG_LEVEL="ERROR"
    )
    city = Served(url, address(name), env)
    web = None
    try:
        folder.mkdir()
        city.tokens += city.manage("shell", "-v", "0", "-c", FILL.format(rows=request.param)).split()
        web = spawn(web_argv(port=port), env=env, log=folder / "web.log")
        until = time.monotonic() + 90
        while not _answers(url):
            assert web.poll() is None and time.monotonic() < until, (folder / "web.log").read_text()[-2000:]
            time.sleep(0.1)
        yield city
    finally:
        if web is not None:
            stop(web)
        shutil.rmtree(folder, ignore_errors=True)


def last_of(room: str) -> tuple[str, str]:
    """The newest migration of a room, and the one before it."""
    graph = MigrationLoader(None).graph
    newest = graph.leaf_nodes(room)[0]
    before = [parent.key for parent in graph.node_map[newest].parents if parent.key[0] == room]
    return newest[1], before[0][1]


@pytest.mark.parametrize("served", [3_000, pytest.param(50_000, marks=pytest.mark.drill)], indirect=True)
def test_nobody_sees_a_migration(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert all(status_of(f"{served.url}{page}") == 200 for page in PAGES), "the pages are there at all"
    figures = []
    for room in ("designs", "energy", "labs", "twin"):
        newest, before = last_of(room)
        served.manage("migrate", room, before, "-v", "0", "--skip-checks")
        pages = tuple(page for page in PAGES if status_of(f"{served.url}{page}") == 200)
        served.manage("migrate", room, newest, "-v", "0", "--skip-checks")
        assert len(pages) >= 3, f"{room}: hardly a page stood before its last migration"
        traffic = Traffic(served.url, pages)
        threads = [threading.Thread(target=traffic.read, args=(number * 3,)) for number in range(3)]
        threads.append(threading.Thread(target=traffic.write, args=(served.tokens[-1],)))
        threads.append(threading.Thread(target=traffic.watch, args=(served.address,)))
        for thread in threads:
            thread.start()
        try:
            served.manage("migrate", room, before, "-v", "0", "--skip-checks")
            served.manage("migrate", room, newest, "-v", "0", "--skip-checks")
        finally:
            traffic.ended.set()
            for thread in threads:
                thread.join()
        figures.append(
            f"{room} {newest}: {sum(traffic.statuses.values())} answers, longest {traffic.slowest_s:.2f} s, "
            f"longest wait for a lock {traffic.lock_s:.3f} s"
        )
        figure("migration_errors", f"+{len(traffic.faults)}", "answers")
        assert traffic.faults == [], room
        assert traffic.lock_s < LONGEST_S, room
        assert traffic.statuses.get(200, 0) > 10
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(figures) + "\n")
