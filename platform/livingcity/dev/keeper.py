"""Keeps the services of one data folder for as long as anybody works in it.

`up`, every `manage.py` command and the shell are users alike. A user holds a shared lock on `services.users`; the first
one starts a keeper, a small process of its own that holds `services.lock`, runs PostgreSQL and Valkey, and starts one
again that dies. The keeper waits for the exclusive lock on `services.users`: the kernel grants it the moment that the
last user has gone, killed or not, and then it stops the servers. A user who comes while it stops waits for it, and
starts the next. So there is no counter that could go wrong, and no process that outlives its use.
"""

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from livingcity.dev.places import data_dir, socket_dir
from livingcity.dev.processes import Child, child_environment, spawn
from livingcity.dev.services import Postgres, ServiceError, Valkey, check_room

READY = "ready"
FAILED = "failed: "
PATIENCE_S = 90.0


def wanted() -> list[str]:
    """Which services are ours to run: those that no setting points elsewhere."""
    named = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
    return [service for service, variable in named.items() if not os.environ.get(variable)]


def log_path(name: str) -> Path:
    """A log in the data folder; one that has grown past 20 MB starts anew."""
    path = data_dir() / "log" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > 20 * 2**20:
        path.replace(path.with_suffix(".log.1"))
    return path


class Stay:
    """Somebody's use of the services; `leave` ends it, and so does the end of the process."""

    def __init__(self) -> None:
        self.users: IO[str] | None = None
        self.keeper: Child | None = None

    @property
    def was_first(self) -> bool:
        """Whether this use started the services."""
        return self.keeper is not None

    def join(self) -> "Stay":
        """Wait until the services of this data folder answer, and start them if nobody has. Raises ServiceError."""
        self.enter()
        if self.users:
            self.wait_until_ready()
        return self

    def enter(self) -> None:
        """Become a user of the services, wherever they are; look for room first. Raises ServiceError."""
        folder = data_dir()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            sentence = f"The data folder {folder} cannot be made: {fault.strerror}. Set LIVINGCITY_DATA."
            raise ServiceError(sentence) from None
        if not kept():  # a city that runs may be needed to make room: `demo --remove`
            check_room(folder)
        if wanted():
            self.users = (folder / "services.users").open("a")
            fcntl.flock(self.users, fcntl.LOCK_SH)  # waits for a keeper that is stopping

    def wait_until_ready(self) -> None:
        """Start a keeper if there is none, then wait for its servers."""
        until, log = time.monotonic() + PATIENCE_S, log_path("services")
        while not ready():
            if self.keeper and self.keeper.poll() == 1 and not kept():
                raise ServiceError(state().removeprefix(FAILED) or f"The services did not start (log: {log}).")
            if not kept() and (self.keeper is None or self.keeper.poll() is not None):
                self.keeper = start_keeper()
            if time.monotonic() > until:
                raise ServiceError(f"The services did not answer within {PATIENCE_S:.0f} s (log: {log}).")
            time.sleep(0.03)

    def leave(self) -> None:
        """End this use; whoever leaves last waits until the servers have stopped."""
        if self.users is None:
            return
        users, self.users = self.users, None
        fcntl.flock(users, fcntl.LOCK_UN)
        time.sleep(0.02)
        until = time.monotonic() + 25.0
        while not _try_lock(users, fcntl.LOCK_SH) and time.monotonic() < until:
            time.sleep(0.02)  # the keeper holds it: it is stopping
        users.close()

    def __enter__(self) -> "Stay":
        return self.join()

    def __exit__(self, *_exc: object) -> None:
        self.leave()


def start_keeper() -> Child:
    """The keeper; it must outlive us if others still work here, so no death signal ties it to us."""
    argv = [sys.executable, "-m", "livingcity.dev.keeper"]
    return spawn(argv, death_signal=0, log=log_path("services"), env=child_environment())


def kept() -> bool:
    """Whether a keeper is at work."""
    with contextlib.suppress(FileNotFoundError), (data_dir() / "services.lock").open() as lock:
        return not _try_lock(lock, fcntl.LOCK_SH)
    return False


def state() -> str:
    """What the keeper last said."""
    with contextlib.suppress(FileNotFoundError):
        return (data_dir() / "services.lock").read_text()
    return ""


def ready() -> bool:
    """Whether the services answer now."""
    if not (state() == READY and kept()):
        return False
    servers = _servers()
    return all(server.answers() for server in servers)


def _try_lock(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _servers() -> list[Postgres | Valkey]:
    makers: dict[str, Callable[[], Postgres | Valkey]] = {
        "postgres": lambda: Postgres(data_dir() / "postgres", socket_dir(), log_path("postgres")),
        "valkey": lambda: Valkey(data_dir() / "valkey", socket_dir(), log_path("valkey")),
    }
    return [makers[name]() for name in wanted()]


# --- the keeper itself -------------------------------------------------------------------------------------------


def say(sentence: str) -> None:
    """A line in `log/services.log`; `up` shows it."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {sentence}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def _lock() -> Iterator[IO[str] | None]:
    with (data_dir() / "services.lock").open("a+") as lock:
        yield lock if _try_lock(lock, fcntl.LOCK_EX) else None


def _tell(lock: IO[str], sentence: str) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(sentence)
    lock.flush()


def keep(lock: IO[str], users: IO[str]) -> int:
    """Run the services until nobody needs them; 0, or 1 with the reason in the lock file."""
    done = threading.Event()

    def wait_for_the_last_user() -> None:
        fcntl.flock(users, fcntl.LOCK_EX)  # kept until this process ends, so that who comes now waits for that
        done.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: done.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    servers = _servers()
    _tell(lock, "starting")
    threading.Thread(target=wait_for_the_last_user, daemon=True).start()
    try:
        for server in servers:
            server.start()
            if isinstance(server, Postgres):
                server.ensure_database()
        _tell(lock, READY)
        while not done.wait(0.25):
            _revive(servers, done)
        _tell(lock, "stopping")
    except ServiceError as error:
        say(str(error.sentence))
        _tell(lock, FAILED + str(error.sentence))
        return 1
    finally:
        for server in reversed(servers):
            server.stop()
    return 0


def _revive(servers: list[Postgres | Valkey], done: threading.Event) -> None:
    """Start a server again that has died, more slowly each time; give up never, for the disk may be cleaned."""
    for server in servers:
        wait_s = 0.5
        while server.child and server.child.poll() is not None and not done.is_set():
            say(f"{server.name} ended with status {server.child.returncode}; it is started again.")
            try:
                server.start()
            except ServiceError as error:
                say(str(error.sentence))
                done.wait(wait_s)
                wait_s = min(wait_s * 2, 30.0)


def main() -> int:
    """Become the keeper of this data folder, unless there is one."""
    with _lock() as lock, (data_dir() / "services.users").open("a") as users:
        return 0 if lock is None else keep(lock, users)


if __name__ == "__main__":
    sys.exit(main())
