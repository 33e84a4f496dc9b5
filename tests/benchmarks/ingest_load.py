"""Devices that do nothing but send, in one process: `python ingest_load.py < plan.json`.

The plan: {"port", "tokens", "first", "batch", "each", "start", "step_us"}: each token is a keep-alive connection that
sends `each` bodies of `batch` readings, one after the other, each when the one before is acknowledged. Bodies are made
before the clock starts, so that the clients take little of the processors that they share with the city. Prints one
line of JSON: seconds, readings acknowledged, own CPU seconds, and the latencies in ms.
"""

import contextlib
import json
import resource
import selectors
import socket
import statistics
import sys
import time
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Device:
    """One connection."""

    line: socket.socket
    requests: list[bytes]
    out: memoryview = field(default_factory=lambda: memoryview(b""))
    came: bytearray = field(default_factory=bytearray)
    begun: float = 0.0
    acknowledged: int = 0


def bodies(plan: dict, token: str) -> list[bytes]:
    """The requests of one device."""
    made = []
    batch = plan["batch"]
    for n in range(plan["each"]):
        first = plan["first"] + n * batch
        seqs = np.arange(first, first + batch)
        stamps = np.datetime_as_string(np.datetime64(plan["start"], "us") + seqs * plan["step_us"], unit="ms")
        items = ",".join(
            f'{{"seq":{seq},"ts":"{ts}Z","channel":"energy_wh_total","value":{seq * 0.5}}}'
            for seq, ts in zip(seqs.tolist(), stamps.tolist(), strict=True)
        )
        body = f'{{"readings":[{items}]}}'.encode()
        head = (
            f"POST /api/v1/telemetry/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made[::-1]


def answer_of(came: bytearray) -> bytes | None:
    """The body of a complete answer."""
    head, split, rest = bytes(came).partition(b"\r\n\r\n")
    if not split:
        return None
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    if len(rest) < length:
        return None
    if not head.startswith(b"HTTP/1.1 200"):
        sys.exit(f"refused: {came!r}")
    return rest[:length]


def main() -> None:
    """Send all, as fast as it is acknowledged."""
    plan = json.load(sys.stdin)
    devices = []
    for token in plan["tokens"]:
        line = socket.create_connection(("127.0.0.1", plan["port"]))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setblocking(False)
        devices.append(Device(line, bodies(plan, token)))
    watch = selectors.DefaultSelector()
    spent: list[float] = []
    used = resource.getrusage(resource.RUSAGE_SELF)
    begin = time.perf_counter()

    def go_on(one: Device) -> None:
        if not one.out:
            one.out, one.begun = memoryview(one.requests.pop()), time.perf_counter()
        with contextlib.suppress(BlockingIOError):
            one.out = one.out[one.line.send(one.out) :]
        watch.modify(one.line, selectors.EVENT_WRITE if one.out else selectors.EVENT_READ, one)

    for one in devices:
        watch.register(one.line, selectors.EVENT_READ, one)
        go_on(one)
    busy = len(devices)
    while busy:
        for key, _events in watch.select():
            one = key.data
            if one.out:
                go_on(one)
                continue
            one.came += one.line.recv(65536)
            body = answer_of(one.came)
            if body is None:
                continue
            one.came.clear()
            spent.append(time.perf_counter() - one.begun)
            told = json.loads(body)
            one.acknowledged += told["stored"]
            if told["acked"] < plan["first"] + plan["batch"] - 1:
                sys.exit(f"not acknowledged: {told}")
            if one.requests:
                go_on(one)
            else:
                watch.unregister(one.line)
                busy -= 1
    seconds = time.perf_counter() - begin
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    quantiles = statistics.quantiles(spent, n=100)
    print(  # noqa: T201 what it is for
        json.dumps(
            {
                "seconds": seconds,
                "readings": sum(one.acknowledged for one in devices),
                "requests": len(spent),
                "cpu_s": cpu_s,
                "median_ms": quantiles[49] * 1000,
                "p99_ms": quantiles[98] * 1000,
            }
        )
    )


if __name__ == "__main__":
    main()
