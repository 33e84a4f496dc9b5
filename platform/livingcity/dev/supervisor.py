"""Runs the whole city in the foreground: services, tables, web, workers, ingest and clock, until it is told to stop.

A child that dies is started again, more slowly each time it dies young, and said so. Ctrl-C, TERM and HUP end all of it
within seconds; `kill -9` leaves nothing either, for each child asks the kernel to end with us (`dev.processes`) and the
services end when their last user has gone (`dev.keeper`).
"""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError

import redis
from django.conf import settings
from django.core.management import get_commands
from django.db import connection

from commons.errors import CityError
from livingcity.dev import keeper, schema
from livingcity.dev.command_line import HEAVY_NICE, HEAVY_QUEUES, QUICK_QUEUES, worker_argv
from livingcity.dev.processes import Child, child_environment, spawn, stop_all
from livingcity.dev.services import ServiceError
from livingcity.dev.web import LOCAL, web_argv

STEWARD = "steward"
YOUNG_S = 20.0
LONGEST_PAUSE_S = 30.0
STOP_S = 8.0


class PortInUse(CityError):
    """Somebody else listens where the city wants to."""

    code = "city:port-in-use"
    status = 409


@dataclass
class Part:
    """A child that is kept alive."""

    name: str
    argv: Sequence[str]
    death_signal: int
    stop_signal: int = signal.SIGTERM
    nice: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    child: Child | None = None
    started: float = 0.0
    pause_s: float = 0.5
    again_at: float = field(default=0.0)

    def start(self) -> None:
        """Start it."""
        self.child = spawn(self.argv, death_signal=self.death_signal, env=child_environment(**self.env), nice=self.nice)
        self.started = time.monotonic()

    def look_after(self, say: Callable[[str], None]) -> None:
        """Start it again if it has died and its pause is over."""
        if self.child is None or self.child.poll() is None:
            return
        now = time.monotonic()
        if not self.again_at:
            young = now - self.started < YOUNG_S
            self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S) if young else 0.5
            self.again_at = now + self.pause_s
            ended = self.child.returncode
            how = f"was killed by signal {-ended}" if ended < 0 else f"ended with status {ended}"
            say(f"The {self.name} {how}; it is started again in {self.pause_s:g} s.")
        elif now >= self.again_at:
            self.again_at = 0.0
            self.start()


def parts() -> list[Part]:
    """What runs besides the services."""
    beat = [sys.executable, "-m", "celery", "-A", "livingcity", "--quiet", "beat", "-l", "WARNING", "--pidfile="]
    heavy = worker_argv(name="heavy", queues=HEAVY_QUEUES, processes=max(2, (os.cpu_count() or 2) - 1))
    # Workers are killed when we are: while Celery still connects it does not hear a QUIT, and nothing is lost, since a
    # run belongs to whom its lease says and each child dies with its worker.
    found = [
        Part("web server", web_argv(port=settings.PORT, workers=min(2, os.cpu_count() or 1)), signal.SIGKILL),
        Part("worker", worker_argv(queues=QUICK_QUEUES, processes=1), signal.SIGKILL),
        # A preview or a simulation may take minutes: it must neither hold up the quick work nor slow the pages down.
        Part("heavy worker", heavy, signal.SIGKILL, nice=HEAVY_NICE, env={"WARM_WORKERS": "1"}),
        Part("clock", beat, signal.SIGTERM),
        Part("ingest", [sys.executable, str(settings.ROOT / "manage.py"), "ingest"], signal.SIGKILL),
    ]
    return found


def check_port(port: int) -> None:
    """Refuse a port that is taken, before anything is started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("HOST") or LOCAL, port))
            probe.listen()
        except OSError as fault:
            if fault.errno == errno.EADDRINUSE:
                raise PortInUse(
                    f"Port {port} is in use by another program; stop it, or choose another: PORT={port + 1} make run"
                ) from None
            raise PortInUse(f"Port {port} cannot be opened: {fault.strerror}; choose another with PORT.") from None


class Supervisor:
    """One `manage.py up`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.stopping = threading.Event()
        self.first_page = threading.Event()
        self.stay = keeper.Stay()
        self.parts: list[Part] = []
        self.news_from = 0

    def run(self) -> None:
        """Start everything, look after it, and stop it in the end. Raises CityError when it cannot start."""
        check_port(settings.PORT)
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # also when SIGINT was inherited as ignored
            signal.signal(name, lambda *_: self.stopping.set())
        try:
            log = keeper.log_path("services")
            self.news_from = log.stat().st_size if log.exists() else 0
            self.stay.enter()
            settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
            self.parts = parts()
            if schema.known():
                self.parts[0].start()  # it takes as long to load as the servers take to start
            self.stay.join()
            self._prepare()
            if self.parts[0].child is None:
                self.parts[0].start()  # the first page comes first; the others wait for it
            threading.Thread(target=self._welcome, daemon=True).start()
            while not self.stopping.wait(0.3):
                self._look_after()
            self.say("Stopping …")
        finally:
            stop_all([(part.child, part.stop_signal) for part in self.parts if part.child], STOP_S)
            connection.close()
            self.stay.leave()

    def _prepare(self) -> None:
        """The tables of this code; quick when there is nothing to do."""
        schema.bring_up_to_date()
        manifest = settings.VITE_DIST / "manifest.json"
        if not manifest.exists():
            self.say("The front end is not built yet (`make run` builds it): pages will come without their looks.")
        connection.close()

    def _look_after(self) -> None:
        for part in self.parts:
            if part.child is None and self.first_page.is_set():
                part.start()  # in this thread: the kernel ties a child's death signal to the thread that forked it
            part.look_after(self.say)
        self._tell_news()
        if keeper.wanted() and not keeper.kept() and not self.stopping.is_set():
            self.say("The services were stopped; they are started again.")
            with contextlib.suppress(ServiceError):
                self.stay.wait_until_ready()

    def _tell_news(self) -> None:
        """Pass on what the keeper has written since."""
        log = Path(keeper.log_path("services"))
        size = log.stat().st_size if log.exists() else 0
        if size > self.news_from:
            with log.open(errors="replace") as file:
                file.seek(self.news_from)
                for line in file.read().splitlines():
                    self.say(line)
        self.news_from = size

    # --- the first page -------------------------------------------------------------------------------------------

    def _welcome(self) -> None:
        """Say that the city is ready once its first page really answers; then fill a new city with the demo."""
        try:
            while not self.stopping.wait(0.1):
                if self._first_page() == 200:
                    break
            self.first_page.set()
            if self.stopping.is_set():
                return
            link = self._link_for_the_steward()
            self.say(f"Living City is ready at http://localhost:{settings.PORT}")
            if link:
                self.say(f"Sign in as “{STEWARD}” once, within a day: {link}")
            self._demo()
        finally:
            connection.close()

    def _first_page(self) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{settings.PORT}/", timeout=30) as answer:
                return int(answer.status)
        except HTTPError as refused:
            if refused.code >= 500:
                self.say(f"The first page answers with {refused.code}; the log above says why.")
                self.stopping.wait(5)
            return refused.code
        except OSError:
            return 0

    def _link_for_the_steward(self) -> str | None:
        """On the first start: an account for who runs the city, and a one-time link into it."""
        from commons.people import services  # noqa: PLC0415 models come after settings
        from commons.people.models import User  # noqa: PLC0415

        if User.objects.filter(is_staff=True).exists():
            return None
        user = services.create_user(username=STEWARD, name="Steward", is_staff=True)
        return f"{settings.PUBLIC_URL}/sign-in/{services.create_sign_in_link(user=user)}/"

    def _demo(self) -> None:
        """Seed the demo city once; a process of its own, so that engines stay out of this one."""
        done = settings.DATA_DIR / "demo.done"
        if not settings.DEMO or "demo" not in get_commands() or done.exists():
            return
        self.say("Filling the demo city; pages show it as it grows (LIVINGCITY_DEMO=0 leaves it out) …")
        self._wait_for_workers()
        argv = [sys.executable, str(settings.ROOT / "manage.py"), "demo"]
        child = spawn(argv, env=child_environment(), nice=HEAVY_NICE)
        while child.poll() is None and not self.stopping.wait(0.3):
            pass
        if self.stopping.is_set():
            stop_all([(child, signal.SIGTERM)], 3.0)
        elif child.returncode == 0:
            done.touch()
            self.say("The demo city is there. `manage.py demo --remove` takes it away.")
        else:
            self.say(f"The demo ended with status {child.returncode}; `manage.py demo` tries again.")

    def _wait_for_workers(self, patience_s: float = 60.0) -> None:
        """The workers load longer than the site; a command that finds none would start one more."""
        from commons.runs import workers  # noqa: PLC0415 it reads the settings

        until = time.monotonic() + patience_s
        while time.monotonic() < until and not self.stopping.wait(0.3):
            with contextlib.suppress(redis.RedisError):
                if not workers.unserved():
                    return


def run(say: Callable[[str], None]) -> None:
    """The whole city, until it is told to stop."""
    with contextlib.suppress(subprocess.SubprocessError):
        Supervisor(say).run()
