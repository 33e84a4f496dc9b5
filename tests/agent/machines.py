"""Real programs of machines, each in an environment of its own that is kept between runs: they cannot share ours."""

import contextlib
import fcntl
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.agent.klippy import Klippy, klippy


def environment(package: str, version: str) -> Path:
    """The Python of an environment with exactly this program; skips where it cannot be installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "livingcity"
    name = f"{package}-{version}-py{sys.version_info.major}.{sys.version_info.minor}"
    folder, python = cache / name, cache / name / "bin" / "python"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be at it
        if not (folder / "complete").exists():
            _install(package, version, folder, python)
    return python


def _install(package: str, version: str, folder: Path, python: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    words = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{package}=={version}"]
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=120)
        subprocess.run(words, check=True, capture_output=True, timeout=300)
    except (subprocess.SubprocessError, OSError) as error:
        detail = (getattr(error, "stderr", b"") or b"")[-300:].decode(errors="replace")
        pytest.skip(f"{package} {version} cannot be installed here: {detail or error}")
    (folder / "complete").touch()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(argv: list[Any], log: Path, url: str, *, seconds: float = 90.0, **more: Any) -> Iterator[None]:
    """A server that answers at `url`; its whole process group is ended."""
    with log.open("wb") as out:
        child = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True, **more)
    try:
        end = time.monotonic() + seconds
        while not answers(url):
            if child.poll() is not None or time.monotonic() > end:
                pytest.fail(f"{argv[0]} does not answer: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        child.kill()
        child.wait(10)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, http.client.HTTPException):
        return False
    return True


OCTOPRINT = """
server:
  firstRun: false
  onlineCheck: {{enabled: false}}
  pluginBlacklist: {{enabled: false}}
  host: 127.0.0.1
  port: {port}
serial: {{port: VIRTUAL, baudrate: 0, autoconnect: true}}
plugins:
  virtual_printer: {{enabled: true, simulateReset: false, throttle: 0.001}}
  _disabled: [announcements, tracking, softwareupdate, backup, discovery, pluginmanager, errortracking]
"""


@dataclass(frozen=True)
class RealOctoPrint:
    url: str
    key: str

    def asks(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Api-Key": self.key, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def upload(self, name: str, content: bytes, *, start: bool) -> Any:
        edge = b"lc-edge"
        parts = [
            b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s'
            % (edge, name.encode(), content)
        ]
        if start:
            parts += [
                b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\ntrue' % (edge, k)
                for k in (b"select", b"print")
            ]
        request = urllib.request.Request(
            f"{self.url}/api/files/local",
            data=b"\r\n".join(parts) + b"\r\n--%s--\r\n" % edge,
            headers={"X-Api-Key": self.key, "Content-Type": "multipart/form-data; boundary=lc-edge"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())


@contextmanager
def octoprint(folder: Path) -> Iterator[RealOctoPrint]:
    """The real OctoPrint with its virtual printer and an application key."""
    python, port = environment("octoprint", "1.11.8"), free_port()
    (folder / "config.yaml").write_text(OCTOPRINT.format(port=port))
    program = [python, "-m", "octoprint"]
    user = ["user", "add", "admin", "--password", "labspass", "--admin"]
    done = subprocess.run([*program, "--basedir", folder, *user], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    serve = ["serve", "--basedir", folder, "--host", "127.0.0.1", "--port", str(port), "--iknowwhatimdoing"]
    url = f"http://127.0.0.1:{port}"
    with running([*program, *serve], folder / "out.log", f"{url}/online.txt"):
        yield RealOctoPrint(url, _application_key(url, port))


def _application_key(url: str, port: int) -> str:
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(f"{url}/", timeout=30).close()
    for path, body in (
        ("/api/login", {"user": "admin", "pass": "labspass"}),
        ("/api/plugin/appkeys", {"command": "generate", "app": "living-city", "user": "admin"}),
    ):
        token = next(cookie.value for cookie in jar if cookie.name == f"csrf_token_P{port}")
        headers = {"X-CSRF-Token": str(token), "Content-Type": "application/json"}
        request = urllib.request.Request(url + path, data=json.dumps(body).encode(), headers=headers)
        with opener.open(request, timeout=30) as answer:
            found = json.loads(answer.read())
    return str(found["api_key"])


MOONRAKER = """
[server]
host: 127.0.0.1
port: {port}
klippy_uds_address: {socket}
[authorization]
trusted_clients: 127.0.0.1
[machine]
provider: none
validate_service: False
validate_config: False
[history]
[announcements]
"""


@dataclass(frozen=True)
class RealMoonraker:
    url: str
    printer: Klippy

    def upload(self, name: str, content: bytes, *, start: bool) -> Any:
        edge = b"lc-edge"
        file = b'Content-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s' % (name.encode(), content)
        word = b'Content-Disposition: form-data; name="print"\r\n\r\n' + (b"true" if start else b"false")
        request = urllib.request.Request(
            f"{self.url}/server/files/upload",
            data=b"--%s\r\n" % edge + file + b"\r\n--%s\r\n" % edge + word + b"\r\n--%s--\r\n" % edge,
            headers={"Content-Type": "multipart/form-data; boundary=lc-edge"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def asks(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return json.loads(answer.read())["result"]


@contextmanager
def moonraker(folder: Path) -> Iterator[RealMoonraker]:
    """The real Moonraker with our look-alike of Klipper behind it."""
    python, port = environment("moonraker", "0.11.0"), free_port()
    for name in ("config", "gcodes", "logs"):
        (folder / name).mkdir(parents=True)
    with TemporaryDirectory(prefix="klippy") as short:  # a UNIX socket's path has at most 107 characters
        socket = Path(short) / "klippy.sock"
        (folder / "config" / "moonraker.conf").write_text(MOONRAKER.format(port=port, socket=socket))
        url = f"http://127.0.0.1:{port}"
        argv = [python, "-m", "moonraker", "-d", folder]
        with klippy(socket, folder / "gcodes") as printer, running(argv, folder / "out.log", f"{url}/server/info"):
            found = RealMoonraker(url, printer)
            end = time.monotonic() + 30
            while found.asks("/server/info")["klippy_state"] != "ready":
                assert time.monotonic() < end, (folder / "out.log").read_text()[-2000:]
                time.sleep(0.1)
            yield found
