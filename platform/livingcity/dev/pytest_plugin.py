"""A throw-away PostgreSQL and Valkey for one run of pytest.

They start before pytest-django reads the settings, live in shared memory if there is room, write nothing to disk that
must last, and end with the run, also when it is killed. The workers of xdist inherit the servers; each has its own test
database, its own Valkey databases and its own data folder. DATABASE_URL, REDIS_URL and LIVINGCITY_DATA point at them,
so every process that a test starts finds the same ones.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

from livingcity.dev.places import ROOT
from livingcity.dev.processes import unprivileged
from livingcity.dev.services import Postgres, Valkey

MARK = "LIVINGCITY_TEST_SERVERS"
ROOM_NEEDED_MB = 2000
PREFIX = f"lc-test-{os.getuid()}-"


class Servers:
    """The servers of this run and their folder."""

    def __init__(self) -> None:
        shm = Path("/dev/shm")  # noqa: S108 a private folder is made in it
        roomy = shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > ROOM_NEEDED_MB * 2**20
        base = shm if roomy else Path("/tmp")  # noqa: S108
        _sweep(base)
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        self.lock = _locked(self.folder)
        self.folder.chmod(0o711 if unprivileged() else 0o700)  # the servers' account walks through, and cannot list
        sockets = self.folder / "s"
        self.postgres = Postgres(self.folder / "postgres", sockets, self.folder / "postgres.log", durable=False)
        self.valkey = Valkey(self.folder / "valkey", sockets, self.folder / "valkey.log", durable=False)

    def start(self) -> None:
        """Start both and point the environment at them."""
        self.postgres.start()
        self.valkey.start()
        os.environ["DATABASE_URL"] = f"postgresql://postgres@/livingcity?host={self.postgres.sockets}"
        os.environ["REDIS_URL"] = f"unix://{self.valkey.socket}?db=0"
        os.environ["LIVINGCITY_DATA"] = str(self.folder / "data")
        os.environ[MARK] = str(self.folder)

    def stop(self) -> None:
        """Stop both and remove everything."""
        self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.close()


def _locked(folder: Path) -> IO[str]:
    lock = (folder / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _sweep(base: Path) -> None:
    """Remove what killed runs have left: their lock is free."""
    for folder in base.glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


_servers: Servers | None = None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Start the servers, unless this is a worker of a run that has them, or nothing is run."""
    global _servers  # noqa: PLW0603 one run, one set of servers
    os.environ.setdefault("SECRET_KEY", "only for tests " * 4)
    os.environ.setdefault("LIVINGCITY_SHARED", str(ROOT.parent / "shared"))
    os.environ["LIVINGCITY_DEMO"] = "0"
    for name in ("PUBLIC_URL", "USER_CONTENT_URL", "EMAIL_URL", "MQTT_URL", "ALLOWED_HOSTS"):
        os.environ.pop(name, None)
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        _own_corner(worker)
    elif not early_config.known_args_namespace.help:
        _servers = Servers()
        try:
            _servers.start()
        except BaseException:
            _servers.stop()
            raise
    yield


def _own_corner(worker: str) -> None:
    """Valkey databases and a data folder of this xdist worker's own."""
    number = int(worker.removeprefix("gw")) + 1
    base, _query, _db = os.environ["REDIS_URL"].partition("?db=")
    os.environ["REDIS_URL"] = f"{base}?db={number * 3}"
    os.environ["LIVINGCITY_DATA"] = str(Path(os.environ[MARK]) / f"data-{worker}")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop the servers of this run."""
    global _servers  # noqa: PLW0603
    if _servers is not None:
        _servers.stop()
        _servers = None
