"""Fixtures that every package's tests may use, and the rule about skipped tests.

`shared`     the folder of reference data (LIVINGCITY_SHARED); skips where it is not there
`worker`     a real Celery worker on the test database; a test that uses it is transactional
`live_city`  the site as it is really served, with a worker; for Playwright and for git clients
"""

import asyncio
import fnmatch
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pytest
from celery import Task
from django.core.cache import cache
from django.core.management.commands import flush as flush_command
from django.db import OperationalError, connection
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg.errors import DeadlockDetected

from livingcity.dev.command_line import worker_answers, worker_argv
from livingcity.dev.processes import Child, child_environment, spawn, stop
from livingcity.dev.pytest_plugin import TEMPLATE

ROOT = Path(__file__).resolve().parents[1]
ALLOWED_SKIPS = ROOT / "tests" / "allowed_skips.txt"

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs a loop in the thread of the test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Outside the browser no loop runs in the thread of the test, although Playwright keeps one there.

    A test may so start a loop of its own. It is taken away for the whole of setup, call and teardown, because a
    database connection belongs to who asks with a running loop, or to who asks without one (asgiref's `Local`).
    """
    if item.path.is_relative_to(ROOT / "tests" / "browser"):
        return (yield)
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return (yield)
    finally:
        asyncio._set_running_loop(running)


#: Files of half a minute and more, longest first. Whole files are dealt to the workers of xdist in the order of
#: collection: a long one dealt last would leave the other worker idle while it runs.
LONG_FILES = (
    "backups/test_restoring.py",
    "owndata/test_closing.py",
    "authz/test_access.py",
    "fuzz/test_document.py",
    "energy/test_differencing.py",
    "designs/test_authz_matrix.py",
    "ground/test_services.py",
    "site/test_every_address.py",
    "site/test_headers.py",
    "designs/test_authz_leaks.py",
    "browser/test_walks.py",
    "browser/test_labs.py",
    "designs/test_okh.py",
    "designs/test_licences.py",
    "designs/test_releases.py",
    "designs/test_hostile.py",
    "designs/test_demo.py",
    "designs/test_previews.py",
    "engines/test_designs_engine.py",
    "engines/test_energy_reference.py",
    "engines/test_energy_engine.py",
    "engines/test_labs_recurrence.py",
    "devices/test_api.py",
    "devices/test_ingest.py",
    "browser/test_refusals.py",
    "browser/test_twin.py",
    "loop/test_loop.py",
    "loop/test_bad_input.py",
    "faults/test_ingest_survives_kill.py",
    "labs/test_jobs.py",
    "web/test_api_rules.py",
    "designs/test_api_schema.py",
    "people/test_people.py",
    "ground/test_layout.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long files first where files are dealt to workers; the rest as collected."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        place = {ROOT / "tests" / name: number for number, name in enumerate(LONG_FILES)}
        items.sort(key=lambda item: place.get(item.path, len(place)))


# --- reference data ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data."""
    folder = Path(os.environ["LIVINGCITY_SHARED"])
    if not folder.is_dir():
        pytest.skip(f"the reference data are not at {folder}; set LIVINGCITY_SHARED")
    return folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Test databases are copies of the migrated one (`livingcity.dev.pytest_plugin`)."""
    connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Nobody drops a test database: the whole cluster goes with the run."""
    return True


FLUSHES_AT_MOST = 10


def _through_deadlocks(work: Callable[[], None]) -> None:
    """Empty tables although a worker or the served site still ends what a test began.

    It takes every table's lock, a running transaction takes them in its own order; PostgreSQL ends one of the two, and
    if it is ours nothing was emptied, so it is asked again.
    """
    for attempt in range(FLUSHES_AT_MOST):
        try:
            return work()
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected) or attempt == FLUSHES_AT_MOST - 1:
                raise
            time.sleep(0.2)


#: Rows that come with the code. Django writes them anew after each flush if they are flushed too.
OF_THE_CODE = {"django_content_type", "auth_permission"}


def _emptying(names: Sequence[str]) -> list[str]:
    """Statements of one transaction that empty tables: the locks wait for whoever still writes, then rows are deleted
    without looking at references. TRUNCATE makes each table and index anew, of which there are hundreds: 0.3 s.
    """
    tables = [f'"{name}"' for name in names if name not in OF_THE_CODE]
    return [
        "SET LOCAL session_replication_role = replica",
        f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE",
        "; ".join(f"DELETE FROM {table}" for table in tables),  # noqa: S608 names of our own tables
    ]


@pytest.fixture(scope="session", autouse=True)
def flushes_are_quick_and_outlast_deadlocks() -> Iterator[None]:
    """How Django empties the database after a test that commits."""
    flush = DatabaseOperations.execute_sql_flush

    def patient(self: DatabaseOperations, sql_list: list[str]) -> None:
        _through_deadlocks(lambda: flush(self, sql_list))

    def quick(self: DatabaseOperations, style: Any, tables: list[str], **how: Any) -> list[str]:
        assert not how["reset_sequences"], "tests do not count on numbers of rows"
        return _emptying(tables)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", patient)
        patch.setattr(DatabaseOperations, "sql_flush", quick)
        patch.setattr(flush_command, "emit_post_migrate_signal", lambda *_args, **_more: None)
        yield


@pytest.fixture(autouse=True)
def readings_are_flushed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Django flushes the tables of models; readings are a partitioned table of their own."""
    mark = request.node.get_closest_marker("django_db")
    commits = "transactional_db" in request.fixturenames or (mark is not None and mark.kwargs.get("transaction"))
    yield
    if commits:
        from django.db import connection

        with request.getfixturevalue("django_db_blocker").unblock(), connection.cursor() as cursor:
            _through_deadlocks(lambda: cursor.execute("TRUNCATE devices_reading"))


@pytest.fixture(autouse=True)
def counts_begin_at_nothing(request: pytest.FixtureRequest) -> None:
    """The cache is no part of the database: throttles and what pages keep would go from one test to the next."""
    if {"db", "transactional_db"} & set(request.fixturenames) or request.node.get_closest_marker("django_db"):
        cache.clear()


@pytest.fixture(autouse=True)
def nobody_is_rung(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker or a site that an earlier test left running takes no work of a test that does not ask for one: it
    would do the run at the same time as the test, or see rows that the next test no longer has.
    """
    if "city_environment" not in request.fixturenames:
        monkeypatch.setattr(Task, "apply_async", lambda self, *_args, **_more: self.AsyncResult("not sent"))
        if "designs.api.diffs" in sys.modules:  # nobody waits for shapes that nobody compares
            monkeypatch.setattr("designs.api.diffs.WAIT_S", 0.0)


# --- a real worker, a real site ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def city_environment(django_db_setup: None) -> dict[str, str]:
    """The environment for a process of this city that works on the test database."""
    from django.db import connection

    named = connection.settings_dict
    return child_environment(
        DATABASE_URL=f"postgresql://{named['USER']}@/{named['NAME']}?host={named['HOST']}",
        LOG_LEVEL="WARNING",
    )


@pytest.fixture(scope="session")
def worker_process(city_environment: dict[str, str]) -> Iterator[Child]:
    """The worker of this session; it also imports every `tests/**/worker_kinds.py`, where tests register kinds."""
    kinds = sorted(ROOT.glob("tests/**/worker_kinds.py"))
    include = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in kinds]
    log = Path(os.environ["LIVINGCITY_DATA"]) / "worker.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    child = spawn(
        worker_argv(name=f"tests-{os.getpid()}", include=include),
        death_signal=signal.SIGQUIT,
        log=log,
        env=city_environment,
    )
    until = time.monotonic() + 90
    while not worker_answers():
        if child.poll() is not None or time.monotonic() > until:
            pytest.fail(f"the worker did not start: {log.read_text()[-3000:]}")
    yield child
    stop(child, signal.SIGQUIT, 5.0)


@pytest.fixture
def worker(worker_process: Child, transactional_db: None) -> Child:
    """A worker that does what the test commits."""
    return worker_process


@dataclass(frozen=True, slots=True)
class LiveCity:
    """A served site."""

    url: str
    process: Child

    def __str__(self) -> str:
        return self.url


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def live_city_process(city_environment: dict[str, str], worker_process: Child) -> Iterator[LiveCity]:
    """The site of this session, served as `manage.py up` serves it."""
    from livingcity.dev.web import web_argv

    port = free_port()
    log = Path(os.environ["LIVINGCITY_DATA"]) / "web.log"
    url = f"http://localhost:{port}"
    child = spawn(
        web_argv(port=port),
        death_signal=signal.SIGKILL,
        log=log,
        env={**city_environment, "PORT": str(port), "PUBLIC_URL": url},
    )
    until = time.monotonic() + 90
    while not _answers(url):
        if child.poll() is not None or time.monotonic() > until:
            pytest.fail(f"the site did not start: {log.read_text()[-3000:]}")
        time.sleep(0.1)
    yield LiveCity(url, child)
    stop(child, signal.SIGTERM, 5.0)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/healthz", timeout=20).close()
    except HTTPError:
        return True
    except (URLError, OSError):
        return False
    return True


@pytest.fixture
def live_city(live_city_process: LiveCity, transactional_db: None) -> LiveCity:
    """A served site that shows what the test commits; `live_city.url` is its address."""
    return live_city_process


@pytest.fixture
def manage(city_environment: dict[str, str], transactional_db: None) -> Any:
    """Run a `manage.py` command in a process of its own on the test database: `manage("demo", "--remove")`."""

    def run(*words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, str(ROOT / "manage.py"), *words]
        return subprocess.run(
            argv, env=city_environment, capture_output=True, text=True, check=False, timeout=300, **more
        )

    return run


# --- the browser -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def base_url() -> str:
    """Playwright's base address stays empty: tests write `live_city.url`."""
    return ""


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The system's Chromium, drawing 3D in software, asking nobody outside."""
    flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-gpu-sandbox"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    flags += ["--disable-dev-shm-usage"]
    return {"executable_path": os.environ.get("CHROMIUM", "/usr/bin/chromium"), "args": flags}


# --- skipped tests -----------------------------------------------------------------------------------------------


class SkipRule:
    """A skipped test that is not on the list fails the run."""

    def __init__(self) -> None:
        self.unlisted: dict[str, str] = {}
        lines = [line.partition("#")[0].strip() for line in ALLOWED_SKIPS.read_text().splitlines()]
        self.allowed = [line for line in lines if line]

    def seen(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Remember a skip that nobody has allowed; expected failures are no skips."""
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        name = report.nodeid.partition("[")[0]
        if not any(fnmatch.fnmatchcase(name, allowed) for allowed in self.allowed):
            self.unlisted[name] = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seen(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.seen(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unlisted and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unlisted:
            terminalreporter.section("skipped, and not in tests/allowed_skips.txt: the run fails", red=True)
            for name, why in sorted(self.unlisted.items()):
                terminalreporter.line(f"{name}: {why}")


def pytest_configure(config: pytest.Config) -> None:
    """The rule holds where the run is reported, which is not in a worker of xdist."""
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        config.pluginmanager.register(SkipRule())
