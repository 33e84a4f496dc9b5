"""Two hundred people look at a lab's board while its machines report every second.

    python tests/benchmarks/bench_live.py [--viewers 200] [--machines 12] [--seconds 30]

Prints how long after its commit a reading is seen (it waits for the board's next second), what the streams cost the web
processes in memory and CPU time, and how the lab's page answers meanwhile, beside the same page with no stream open.
Ends with 1 when a viewer misses the end, or a page does not answer.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.bench_ingest import cpu_s, say, served
from tests.benchmarks.servers import city


def seed(count: int) -> tuple[str, list[Any]]:
    """A lab with so many machines, each with its device."""
    from commons.devices import services
    from commons.people.models import Organisation
    from commons.people.services import create_organisation
    from commons.places.models import Place
    from labs.services import catalogue

    place = Place.objects.create(slug="kamppi", name="Kamppi", timezone="Europe/Helsinki")
    organisation = create_organisation(handle="big-lab", name="Big lab", kind=Organisation.Kind.LAB)
    lab = catalogue.open_lab(organisation=organisation, name="Big lab", place=place)
    devices = []
    for n in range(count):
        device = services.create_device(name=f"d{n}", kind="printer", organisation=organisation)
        machine = catalogue.add_machine(lab=lab, name=f"Machine {n}", cls="3d-printer")
        machine.device = device
        machine.save()
        devices.append(device)
    return lab.slug, devices


def report(devices: list[Any], seq: int) -> float:
    """Each machine draws `seq` watts; when that of the first was committed."""
    from django.utils import timezone

    from commons.devices import services

    stamp = timezone.now().isoformat().replace("+00:00", "Z")
    first = 0.0
    for device in devices:
        services.ingest(device=device, readings=[{"seq": seq, "ts": stamp, "channel": "power_w", "value": seq}])
        first = first or time.monotonic()
    return first


class Viewer:
    """One open stream."""

    def __init__(self) -> None:
        self.seen: dict[int, float] = {}
        self.bytes = 0

    async def look(self, port: int, path: str, opened: asyncio.Semaphore) -> None:
        """Read until cancelled; when which watts were first seen."""
        async with opened:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head.partition(b"\r\n")[0], head
        async for raw in reader:
            self.bytes += len(raw)
            line = raw.decode()
            if '"machine-0"' in line and '"watts": "' in line:
                watts = line.partition('"machine-0": {"watts": "')[2].partition("\\u00a0")[0].partition(" ")[0]
                if watts.isdecimal():
                    self.seen.setdefault(int(watts), time.monotonic())


def rss_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    pids = [
        pid,
        *map(
            int, subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
        ),
    ]
    total = 0.0
    for one in pids:
        text = Path(f"/proc/{one}/status").read_text()
        total += int(text.partition("VmRSS:")[2].split()[0]) / 1024
    return total


def page_ms(port: int, slug: str, times: int) -> float:
    """Median time of the lab's page."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        urllib.request.urlopen(f"http://127.0.0.1:{port}/labs/{slug}/", timeout=30).read()
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


async def watch(
    port: int, slug: str, devices: list[Any], viewers: int, seconds: int
) -> tuple[list[Viewer], dict[int, float], float]:
    """Open the streams, report for a while, ask for pages meanwhile."""
    opened = asyncio.Semaphore(20)
    everybody = [Viewer() for _ in range(viewers)]
    path = f"/api/v1/live/lab/{slug}/?lang=en"
    tasks = [asyncio.create_task(one.look(port, path, opened)) for one in everybody]
    await asyncio.sleep(5)
    told: dict[int, float] = {}
    pages = asyncio.create_task(asyncio.to_thread(page_ms, port, slug, max(seconds // 2, 5)))
    for seq in range(1001, 1001 + seconds):
        told[seq - 1000] = await asyncio.to_thread(report, devices, seq - 1000)
        await asyncio.sleep(1)
    await asyncio.sleep(3)
    busy_ms = await pages
    for task in tasks:
        task.cancel()
    failed = [r for r in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(r, AssertionError)]
    if failed:
        raise failed[0]
    return everybody, told, busy_ms


def main() -> None:
    """Start a city, look, take it away."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--machines", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=30)
    asked = parser.parse_args()
    with city():
        slug, devices = seed(asked.machines)
        with served() as (port, pids):
            page_ms(port, slug, 6)
            quiet_ms, before_mb, before_s = page_ms(port, slug, 10), rss_mb(pids["web"]), cpu_s(pids["web"])
            everybody, told, busy_ms = asyncio.run(watch(port, slug, devices, asked.viewers, asked.seconds))
            after_mb, after_s = rss_mb(pids["web"]), cpu_s(pids["web"])
    late = [viewer.seen[n] - at for viewer in everybody for n, at in told.items() if n in viewer.seen]
    last = max(told)
    missed = sum(last not in viewer.seen for viewer in everybody)
    quantiles = statistics.quantiles(late, n=100)
    seen = len(late) / (len(told) * len(everybody))
    size = sum(viewer.bytes for viewer in everybody) / len(everybody) / (asked.seconds + 8)
    say(f"{asked.viewers} viewers of {asked.machines} machines for {asked.seconds} s; {missed} missed the end")
    say(f"seen after its commit: median {quantiles[49]:.2f} s, p99 {quantiles[98]:.2f} s; {seen:.0%} of all values")
    say(
        f"web memory {before_mb:.0f} MB before, {after_mb:.0f} MB with the streams; CPU {after_s - before_s:.1f} s, {size:.0f} bytes/s each"
    )
    say(f"the lab's page: {quiet_ms:.0f} ms without streams, {busy_ms:.0f} ms meanwhile (median)")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
