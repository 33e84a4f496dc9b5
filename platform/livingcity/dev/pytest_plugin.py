"""A throw-away PostgreSQL and Valkey for one run of pytest.

They start before pytest-django reads the settings, live in shared memory if there is room, write nothing to disk that
must last, and end with the run, also when it is killed. The workers of xdist inherit the servers; each has its own test
database, its own Valkey databases and its own data folder. DATABASE_URL, REDIS_URL and LIVINGCITY_DATA point at them,
so every process that a test starts finds the same ones.

Migrations run once for all workers, into a template that test databases are copied from; the cluster with it is kept in
the user's cache for the next run with the same migrations. So is the bytecode of a machine that wants none beside the
sources: hundreds of processes start in one run, and each would compile Django and the whole city anew (3 s).
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import psycopg
import pytest

from livingcity.dev.places import ROOT
from livingcity.dev.processes import unprivileged
from livingcity.dev.services import Postgres, Valkey

MARK = "LIVINGCITY_TEST_SERVERS"
TEMPLATE = "livingcity_template"
CLUSTERS_KEPT = 12
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
        self.valkey.start()
        kept = _kept_cluster()
        if kept.is_dir():
            shutil.copytree(kept, self.postgres.home, symlinks=True, copy_function=_with_owner)
            _give_folders(kept, self.postgres.home)
            os.utime(kept)
        self.postgres.start()
        if not kept.is_dir():
            self._migrate()
            self.postgres.stop()
            _keep(self.postgres.home, kept)
            self.postgres.start()
        os.environ["DATABASE_URL"] = self._address("livingcity")
        os.environ["REDIS_URL"] = f"unix://{self.valkey.socket}?db=0"
        os.environ["LIVINGCITY_DATA"] = str(self.folder / "data")
        os.environ[MARK] = str(self.folder)

    def _address(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.postgres.sockets}"

    def _migrate(self) -> None:
        """Bring an empty database to where the migrations lead."""
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        here = {
            "DATABASE_URL": self._address(TEMPLATE),
            "REDIS_URL": f"unix://{self.valkey.socket}?db=0",
            "LIVINGCITY_DATA": str(self.folder / "data"),
        }
        argv = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0", "--skip-checks"]
        subprocess.run(argv, env=os.environ | here, check=True)

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


def _kept_cluster() -> Path:
    """Where a cluster with these very migrations is kept, whether or not it is there."""
    digest = hashlib.sha256()
    rooms = [ROOT / name for name in ("platform", "designs", "energy", "labs", "twin")]
    migrations = [file for room in rooms for file in room.glob("**/migrations/*.py")]
    for file in sorted([*migrations, ROOT / "requirements.lock", ROOT / "platform/livingcity/settings.py"]):
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return _cache() / "tests" / digest.hexdigest()[:32]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "livingcity"


def _share_bytecode() -> None:
    """Let this process and all that it starts compile a module once, elsewhere if not beside the sources."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(_cache() / "bytecode"))
        sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"]
        sys.dont_write_bytecode = False


def _keep(cluster: Path, kept: Path) -> None:
    """Keep a stopped cluster, whole or not at all, and let the oldest go."""
    with suppress(OSError):  # no room, or another run was faster: the next one migrates again
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            copy = Path(scratch) / "cluster"
            shutil.copytree(cluster, copy, symlinks=True, copy_function=_with_owner)
            _give_folders(cluster, copy)
            copy.rename(kept)
        others = sorted(kept.parent.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for old in others[CLUSTERS_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)


def _with_owner(source: str, target: str) -> None:
    shutil.copy2(source, target)
    _give(Path(source), Path(target))


def _give_folders(source: Path, target: Path) -> None:
    for folder in [source, *(found for found in source.rglob("*") if found.is_dir())]:
        _give(folder, target / folder.relative_to(source))


def _give(source: Path, target: Path) -> None:
    if os.getuid() == 0:
        found = source.stat()
        os.chown(target, found.st_uid, found.st_gid)


_servers: Servers | None = None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Start the servers, unless this is a worker of a run that has them, or nothing is run."""
    global _servers  # noqa: PLW0603 one run, one set of servers
    os.environ.setdefault("SECRET_KEY", "only for tests " * 4)
    os.environ.setdefault("LIVINGCITY_SHARED", str(ROOT.parent / "shared"))
    os.environ["LIVINGCITY_DEMO"] = "0"
    _share_bytecode()
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
