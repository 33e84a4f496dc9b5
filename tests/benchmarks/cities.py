"""A whole city as `manage.py up` starts it, for benchmarks and drills of it; and what its processes take."""

import http.client
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]

from tests.figures_said import figure  # noqa: E402 the path must be set first

__all__ = ["City", "cpu_s", "descriptors", "figure", "main_pages", "p95", "rss_mb", "running", "say"]

PARTS = {
    "web": "granian",
    "worker": "worker@",
    "heavy worker": "heavy@",
    "clock": " beat ",
    "ingest": "manage.py ingest",
    "postgres": "postgres",
    "valkey": "valkey-server",
}
"""What tells the processes of a city apart, by their command lines."""
START_S, DEMO_S, SETTLE_S = 240.0, 1500.0, 180.0


def say(line: str) -> None:
    """A line of the report."""
    print(line, flush=True)  # noqa: T201 what it is for


@dataclass
class City:
    """A city that runs."""

    port: int
    folder: Path
    pid: int
    said: list[str] = field(default_factory=list)

    def pids(self) -> dict[str, list[int]]:
        """Its processes by part: what was started by `manage.py up`, and the servers that its keeper holds."""
        lines, parents = _processes()
        ours = {self.pid} | {pid for pid in lines if _has_folder(pid, self.folder)}
        while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
            ours |= more
        found: dict[str, list[int]] = {name: [] for name in PARTS}
        for pid in sorted(ours & lines.keys()):
            part = next((name for name, word in PARTS.items() if word in lines[pid]), None)
            if part:
                found[part].append(pid)
        return found

    def get(self, path: str) -> tuple[int, str]:
        """The status and body of a page."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            line.request("GET", path)
            answer = line.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            line.close()


def _processes() -> tuple[dict[int, str], dict[int, int]]:
    """Of every process of the machine its command line, and its parent."""
    lines, parents = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        lines[int(folder.name)], parents[int(folder.name)] = line, int(stat[1])
    return lines, parents


def _has_folder(pid: int, folder: Path) -> bool:
    """Whether the process was started on this data folder; one that has renamed itself has lost its environment."""
    try:
        return f"LIVINGCITY_DATA={folder}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes() + b"\0"
    except OSError:
        return False


@contextmanager
def running(folder: str | None, *, demo: bool = True) -> Iterator[City]:
    """The city of a folder (or a new one, with the demo) while the block runs; Django is set up on it."""
    own = None if folder else Path(tempfile.mkdtemp(prefix="lc-bench-"))
    home = Path(folder).resolve() if folder else own
    assert home is not None
    home.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    mine = {"PORT": str(port), "LIVINGCITY_DATA": str(home), "LIVINGCITY_DEMO": "1" if demo else "0"}
    mine |= {"LOG_LEVEL": "WARNING", "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    up = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "up"],
        env=os.environ | mine,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    city = City(port, home, up.pid)
    threading.Thread(target=_listen, args=(up, city.said), daemon=True).start()
    try:
        _wait(city, up, "Living City is ready", START_S)
        if demo and not (home / "demo.done").exists():
            _wait(city, up, "The demo city is there", DEMO_S)
        os.environ |= mine | {"DJANGO_SETTINGS_MODULE": "livingcity.settings"}
        import django

        django.setup()
        _settle()
        yield city
    finally:
        up.terminate()
        up.wait(60)
        if own:
            shutil.rmtree(own, ignore_errors=True)


def _listen(up: "subprocess.Popen[str]", said: list[str]) -> None:
    assert up.stdout is not None
    said.extend(up.stdout)


def _wait(city: City, up: "subprocess.Popen[str]", words: str, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while not any(words in line for line in city.said):
        if up.poll() is not None or time.monotonic() > until:
            raise TimeoutError(f"“{words}” was not said:\n{''.join(city.said[-30:])}")
        time.sleep(0.2)


def _settle() -> None:
    """Wait until what the start has set off is done: forecasts, pictures. What then comes belongs to a day."""
    from commons.runs.models import Run

    going, until, quiet = Run.objects.filter(status__in=["queued", "running"]), time.monotonic() + SETTLE_S, 0
    while quiet < 5 and time.monotonic() < until:
        quiet = 0 if going.exists() else quiet + 1
        time.sleep(1)


# --- what the processes take -------------------------------------------------------------------------------------


def cpu_s(pids: list[int]) -> float:
    """CPU seconds of processes so far."""
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def descriptors(pid: int) -> int:
    """Open files and sockets of a process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def p95(values: list[float]) -> float:
    """The value that 95 of 100 do not pass."""
    return statistics.quantiles(values, n=20)[18] if len(values) > 1 else sum(values)


# --- its main pages ----------------------------------------------------------------------------------------------


def main_pages(city: City) -> dict[str, str]:
    """The ten main pages by name, each an address that answers in this city. Raises LookupError."""
    from designs.models import Design
    from energy.models import Community
    from labs.models import Machine
    from twin.models import District

    design = Design.objects.filter(visibility="public").order_by("pk").first()
    machine = Machine.objects.select_related("lab").filter(state="ok").order_by("pk").first()
    community, district = Community.objects.order_by("pk").first(), District.objects.order_by("pk").first()
    if not (design and machine and community and district):
        raise LookupError("this city has no design, machine, community or district; seed it with `manage.py demo`")
    pages = {
        "home": "/",
        "designs": "/designs/",
        "design": design.get_absolute_url(),
        "labs": "/labs/",
        "lab": f"/labs/{machine.lab.slug}/",
        "booking": f"/labs/{machine.lab.slug}/{machine.slug}/book/",
        "energy": f"/energy/{community.slug}/",
        "twin": f"/twin/{district.slug}/",
        "decisions": "/decisions/",
        "search": "/search/?q=lamp",
    }
    answers = {name: city.get(path)[0] for name, path in pages.items()}
    if bad := {pages[name]: status for name, status in answers.items() if not 200 <= status < 400}:
        raise LookupError(f"pages that do not answer: {bad}")
    return pages
