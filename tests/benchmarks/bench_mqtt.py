"""Sustained ingest over MQTT 5 from 8 clients, beside the same bodies over HTTP in the same run.

    python tests/benchmarks/bench_mqtt.py [--short]

The broker is Debian's Mosquitto with the accounts and rights that the city writes; a reading counts when its answer has
come back on the device's own topic, which is after the commit.
"""

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.bench_ingest import STEP_US, cpu_s, load, say, served
from tests.benchmarks.servers import city

CLIENTS = 8


def let_in(count: int) -> list[tuple[str, str]]:
    """New devices and their tokens."""
    from commons.devices import services

    made = [services.create_device(name=f"bench {n}", kind="meter") for n in range(count)]
    found = [services.enrol(code=str(services.create_enrolment_code(device=one))) for one in made]
    return [(str(device.pk), token) for device, token in found]


def load_mqtt(port: int, devices: list[tuple[str, str]], *, batch: int, each: int, window: int) -> dict[str, Any]:
    """What a run of the clients came to."""
    start = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    plan = {
        "port": port, "devices": devices, "batch": batch, "each": each, "first": 1, "window": window,
        "start": (start - dt.timedelta(days=5)).isoformat(), "step_us": STEP_US,
    }  # fmt: skip
    program = str(Path(__file__).with_name("mqtt_load.py"))
    done = subprocess.run(
        [sys.executable, program], input=json.dumps(plan), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def line(what: str, found: dict[str, Any], used: float) -> float:
    """Print a run; its readings per second."""
    rate = found["readings"] / found["seconds"]
    say(
        f"{what:34} {rate:9,.0f} readings/s  median {found['median_ms']:6.1f} ms  p99 {found['p99_ms']:6.1f} ms  "
        f"CPU of ingest {used:5.1f} s, of the clients {found['cpu_s']:5.1f} s"
    )
    return rate


def main() -> None:
    """Start a city with a broker, run, take it away."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    each = 20 if parser.parse_args().short else 150
    with tempfile.TemporaryDirectory() as folder:
        from tests.devices.brokers import Broker

        broker = Broker(Path(folder))
        os.environ |= {"MQTT_URL": broker.url, "MQTT_ACCOUNTS": folder}
        with city():
            devices = let_in(4 * CLIENTS)
            broker.start()
            with served() as (port, pids):
                load(port, [token for _name, token in devices[:CLIENTS]], batch=100, each=2)  # warm
                for batch in (1000, 100):
                    runs = []
                    http, mqtt, many = (let_in(CLIENTS) for _ in range(3))
                    before = cpu_s(pids["ingest"])
                    found = load(port, [token for _name, token in http], batch=batch, each=each)
                    runs.append(
                        line(f"HTTP, {CLIENTS} clients, batches of {batch}", found, cpu_s(pids["ingest"]) - before)
                    )
                    from commons.devices.mqtt import accounts

                    accounts.write(Path(folder))
                    for clients, window in ((mqtt, 1), (many, 4)):
                        before = cpu_s(pids["ingest"])
                        found = load_mqtt(broker.port, clients, batch=batch, each=each, window=window)
                        name = f"MQTT, {CLIENTS} clients, {window} at once, {batch}"
                        runs.append(line(name, found, cpu_s(pids["ingest"]) - before))
                    say(f"MQTT is {runs[1] / runs[0]:.2f} x and with four at once {runs[2] / runs[0]:.2f} x HTTP")
        broker.stop()


if __name__ == "__main__":
    main()
