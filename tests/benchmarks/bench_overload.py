"""Four times as many requests as the city can serve, for a minute.

    python tests/benchmarks/bench_overload.py [--city FOLDER] [--times 4] [--seconds 60] [--short]

First what the city can do: as many people as there are threads for pages, who open the next page as soon as one has
come (the capacity, and its p95). Then a crowd that comes at four times that rate whether or not answers come, while a
device reports twice a second and one live stream is open. Those who are refused must hear 503 or 429 and when to come
back; who is let in must be served in less than twice the time; the device must lose nothing; and ten seconds after the
crowd has gone pages must come as before. Ends with 1 when any of this does not hold.
"""

import argparse
import asyncio
import datetime as dt
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.cities import City, figure, main_pages, p95, running, say
from tests.benchmarks.visitors import Crowd, Line, Seen, people

PROCESSES, THREADS = 2, 8
RECOVERED_S = 10.0


def a_device() -> str:
    """The token of a new device."""
    from commons.devices import services

    device = services.create_device(name="overload", kind="meter")
    return str(services.enrol(code=str(services.create_enrolment_code(device=device)))[1])


async def reports(city: City, token: str, stopped: asyncio.Event) -> list[Seen]:
    """A reading every half second."""
    line, seen, seq = Line(city.port), [], 0
    head = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    while not stopped.is_set():
        seq += 1
        stamp = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = json.dumps({"readings": [{"seq": seq, "ts": stamp, "channel": "power_w", "value": seq}]}).encode()
        seen.append(await line.ask("device", "/api/v1/telemetry/", head=head, body=body))
        await asyncio.sleep(0.5)
    line.close()
    return seen


async def recovered_s(city: City, path: str, limit_s: float) -> float:
    """How long until pages come as they did, three in a row."""
    began, line, good = time.monotonic(), Line(city.port), 0
    while good < 3 and time.monotonic() - began < 6 * RECOVERED_S:
        answer = await line.ask("after", path)
        good = good + 1 if answer.status == 200 and answer.took_s < limit_s else 0
    line.close()
    return time.monotonic() - began


async def overload(city: City, pages: dict[str, str], token: str, rate: float, seconds: float) -> Any:
    """The crowd, and the device beside it."""
    crowd, stopped = Crowd(city.port, pages), asyncio.Event()
    device = asyncio.create_task(reports(city, token, stopped))
    await crowd.come(rate=rate, seconds=seconds)
    stopped.set()
    return crowd.seen, await device


def main() -> None:
    """Start the city, overrun it, say how it was."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--city")
    parser.add_argument("--times", type=float, default=4.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--short", action="store_true")
    asked = parser.parse_args()
    seconds = 15.0 if asked.short else asked.seconds
    with running(asked.city) as city:
        pages, token = main_pages(city), a_device()
        asyncio.run(people(city.port, pages, count=8, seconds=5, think_s=0, seed=2))
        full = asyncio.run(people(city.port, pages, count=PROCESSES * THREADS, seconds=seconds / 3, think_s=0))
        served = [a.took_s * 1000 for a in full if 200 <= a.status < 400]
        capacity = len(served) / (seconds / 3)
        seen, device = asyncio.run(overload(city, pages, token, capacity * asked.times, seconds))
        back_s = asyncio.run(recovered_s(city, pages["designs"], max(2 * p95(served) / 1000, 0.2)))
    admitted = [a.took_s * 1000 for a in seen if 200 <= a.status < 400]
    shed = [a for a in seen if a.status in {429, 503} and a.retry_after_s]
    others = [a for a in seen if not 200 <= a.status < 400 and a not in shed]
    ratio = p95(admitted) / p95(served)
    say(f"capacity {capacity:.1f} pages/s, p95 {p95(served):.0f} ms with {PROCESSES * THREADS} people who do not read")
    say(f"crowd of {capacity * asked.times:.0f}/s for {seconds:g} s: {len(admitted)} let in, {len(shed)} refused")
    say(f"refused after {p95([a.took_s * 1000 for a in shed]):.0f} ms (p95)")
    lost = [a for a in device if a.status != 200]
    figure("overload_p95_ratio", ratio, "times")
    figure("overload_goodput", len(admitted) / seconds / capacity, "of capacity")
    figure("overload_other_answers", len(others), "answers")
    figure("overload_recovered", back_s, "s")
    figure("overload_device_p95", p95([a.took_s * 1000 for a in device]), "ms")
    figure("overload_device_refused", len(lost), "readings")
    if others:
        say(f"neither served nor refused well: {sorted({a.status for a in others})}")
    sys.exit(1 if ratio >= 2 or others or lost or back_s > RECOVERED_S or not shed else 0)


if __name__ == "__main__":
    main()
