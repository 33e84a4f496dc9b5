"""The site as a process of the test's own, to be killed or put on a full disk, and tables for a server of its own."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError

from django.conf import settings

from livingcity.dev.processes import Child, spawn, stop
from livingcity.dev.pytest_plugin import TEMPLATE
from livingcity.dev.services import DATABASE, Postgres, postgres_binaries
from livingcity.dev.web import web_argv
from tests.conftest import LiveCity, free_port


def start_site(environment: dict[str, str], log: Path, *, workers: int = 1, **more: str) -> LiveCity:
    """Serve the site as `manage.py up` does, and wait until it answers."""
    port = free_port()
    url = f"http://localhost:{port}"
    env = {**environment, "PORT": str(port), "PUBLIC_URL": url, **more}
    child = spawn(web_argv(port=port, workers=workers), death_signal=signal.SIGKILL, log=log, env=env)
    until = time.monotonic() + 90
    while not answers(url):
        assert child.poll() is None and time.monotonic() < until, log.read_text()[-3000:]
        time.sleep(0.1)
    return LiveCity(url, child)


@contextmanager
def site(environment: dict[str, str], log: Path, *, workers: int = 1, **more: str) -> Iterator[LiveCity]:
    """The same for as long as the block lasts."""
    served = start_site(environment, log, workers=workers, **more)
    try:
        yield served
    finally:
        stop(served.process, signal.SIGKILL)


def answers(url: str) -> bool:
    """Whether the site answers, whatever it says."""
    try:
        urllib.request.urlopen(f"{url}/healthz", timeout=20).close()
    except HTTPError:
        return True
    except OSError:
        return False
    return True


def kill_9(child: Child) -> None:
    """SIGKILL, to it alone; what it has started must see to itself."""
    with suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGKILL)
    child.wait()


def lay_out(server: Postgres, scratch: Path) -> None:
    """Copy the tables of this run of tests, with nobody in them, to a server that runs."""
    clients, here, tables = postgres_binaries(None), settings.DATABASES["default"], scratch / "tables.sql"
    server.ensure_database()
    dump = [clients / "pg_dump", "-h", here["HOST"], "-U", here["USER"], "-d", TEMPLATE, "-f", tables]
    subprocess.run(dump, check=True)
    load = [clients / "psql", "-q", "-h", server.sockets, "-U", "postgres", "-d", DATABASE, "-f", tables]
    subprocess.run(load, check=True, stdout=subprocess.DEVNULL)
