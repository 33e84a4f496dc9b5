"""The site as a process of the test's own, to be killed or put on a full disk."""

import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError

from livingcity.dev.processes import Child, spawn, stop
from livingcity.dev.web import web_argv
from tests.conftest import LiveCity, free_port


def start_site(environment: dict[str, str], log: Path, **more: str) -> LiveCity:
    """Serve the site as `manage.py up` does, and wait until it answers."""
    port = free_port()
    url = f"http://localhost:{port}"
    env = {**environment, "PORT": str(port), "PUBLIC_URL": url, **more}
    child = spawn(web_argv(port=port), death_signal=signal.SIGKILL, log=log, env=env)
    until = time.monotonic() + 90
    while not answers(url):
        assert child.poll() is None and time.monotonic() < until, log.read_text()[-3000:]
        time.sleep(0.1)
    return LiveCity(url, child)


@contextmanager
def site(environment: dict[str, str], log: Path, **more: str) -> Iterator[LiveCity]:
    """The same for as long as the block lasts."""
    served = start_site(environment, log, **more)
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
