"""Devices that do nothing but send over MQTT, in one process: `python mqtt_load.py < plan.json`.

The plan is that of `ingest_load.py` with {"devices": [[id, token]…], "window"}: each device has `window` bodies on
their way, and sends the next when the city has acknowledged one. The same line of JSON comes out.
"""

import asyncio
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import aiomqtt
import orjson

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.ingest_load import bodies


async def device(plan: dict, name: str, token: str, requests: list[bytes], spent: list[float]) -> int:
    """Send all; how many readings were stored."""
    stored, sent_at, left = 0, {}, list(requests)
    topic = f"city/v1/{name}"
    async with aiomqtt.Client(
        "127.0.0.1",
        plan["port"],
        username=name,
        password=token,
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as line:
        await line.subscribe(f"{topic}/ack", qos=1)
        line.pending_calls_threshold = 1000

        def send() -> None:
            if left:
                n = len(left)
                sent_at[n] = time.perf_counter()
                line._client.publish(f"{topic}/telemetry", left.pop(), qos=1)

        for _ in range(plan["window"]):
            send()
        heard = 0
        async for message in line.messages:
            told = orjson.loads(message.payload)
            if "acked" not in told:
                sys.exit(f"refused: {told}")
            stored += told["stored"]
            heard += 1
            spent.append(time.perf_counter() - sent_at[len(requests) - heard + 1])
            if heard == len(requests):
                return stored
            send()
    return stored


async def main() -> None:
    """All at once."""
    plan = json.load(sys.stdin)
    made = [[request.partition(b"\r\n\r\n")[2] for request in bodies(plan, token)] for _name, token in plan["devices"]]
    spent: list[float] = []
    used = resource.getrusage(resource.RUSAGE_SELF)
    begin = time.perf_counter()
    stored = await asyncio.gather(
        *(device(plan, *who, requests, spent) for who, requests in zip(plan["devices"], made, strict=True))
    )
    seconds = time.perf_counter() - begin
    now = resource.getrusage(resource.RUSAGE_SELF)
    quantiles = statistics.quantiles(spent, n=100)
    told = {
        "seconds": seconds, "readings": sum(stored), "requests": len(spent),
        "cpu_s": now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime,
        "median_ms": quantiles[49] * 1000, "p99_ms": quantiles[98] * 1000,
    }  # fmt: skip
    print(json.dumps(told))  # noqa: T201 what it is for


if __name__ == "__main__":
    asyncio.run(main())
