"""How fast readings go in over HTTP, beside the raw COPY into the same table, and how fast ten million answer.

    python tests/benchmarks/bench_ingest.py [--short] [--rows 10000000] [--only batches,singles,queries]

A city of its own: PostgreSQL with fsync and synchronous commit on, the web server as `manage.py up` starts it (two
processes), the process `ingest`, all rooms. The clients are one more process on the same processors.

1. Batches: 8 devices send 1,000 readings at a time over keep-alive connections, each the next batch when the one before
   is acknowledged, which means committed, with rollups and last values. The rival is PostgreSQL's own COPY BINARY of
   ready buffers into the same partitioned table on one connection: 100,000 rows a commit (its best), and 1,000; it
   is measured before and after and the mean counts, since other work on the machine comes and goes.
2. Singles: 64 devices send one reading at a time.
3. Queries over ten million readings (`--rows`) of 20 machines in a month (power and counter, every 10 s), loaded by the
   product's own COPY and rollups in the order of time as they would have come. The rival is the same question put to
   the raw rows.
After 1 and 2 the sums in the database are compared with what was acknowledged.
"""

import argparse
import datetime as dt
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT), str(ROOT / "tests" / "benchmarks")]

from servers import city  # noqa: E402

LIMIT_BATCHES, LIMIT_RATIO, LIMIT_SINGLES = 100_000, 0.4, 2_000
LIMITS_MS = {"month": 20.0, "job": 10.0, "day": 50.0}
STEP_US = 1_000_000
MACHINES, DAYS = 20, 30


def say(line: str) -> None:
    """A line of the report."""
    print(line, flush=True)  # noqa: T201 what it is for


def verdict(found: float, limit: float, *, least: bool) -> str:
    """In words."""
    return "holds" if (found >= limit) == least else "MISSES"


# --- the city ----------------------------------------------------------------------------------------------------


@contextmanager
def served() -> Iterator[tuple[int, dict[str, int]]]:
    """The web server and the ingest process; the port, and the processes by name."""
    import socket

    from livingcity.dev.processes import child_environment, spawn, stop
    from livingcity.dev.web import web_argv

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env = child_environment(PORT=str(port))
    ingest = spawn([sys.executable, str(ROOT / "manage.py"), "ingest"], env=env)
    web = spawn(web_argv(port=port, workers=2), env=env)
    try:
        from commons.devices import wire

        until = time.monotonic() + 120
        while not (wire.address().exists() and answers(port)):
            if time.monotonic() > until or ingest.poll() is not None:
                raise TimeoutError("the city does not answer")
            time.sleep(0.2)
        yield port, {"web": web.pid, "ingest": ingest.pid}
    finally:
        stop(web)
        stop(ingest)


def answers(port: int) -> bool:
    """Whether the site is up."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/readings/", timeout=20).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its living children."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(folder.name) == pid or int(fields[1]) == pid:
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def devices(count: int) -> list[str]:
    """Tokens of new devices."""
    from commons.devices import services

    found = []
    for n in range(count):
        device = services.create_device(name=f"bench {n}", kind="meter")
        found.append(services.enrol(code=str(services.create_enrolment_code(device=device)))[1])
    return found


def load(port: int, tokens: list[str], *, batch: int, each: int, first: int = 1) -> dict[str, Any]:
    """What a run of the clients came to."""
    start = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    plan = {
        "port": port, "tokens": tokens, "batch": batch, "each": each, "first": first,
        "start": (start - dt.timedelta(days=5)).isoformat(), "step_us": STEP_US,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("ingest_load.py"))],
        input=json.dumps(plan), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def settled(pid: int, patience_s: float = 60.0) -> None:
    """Wait until the process has loaded what it loads when there is much to do (`commons.devices.reading`)."""
    until, quiet = time.monotonic() + patience_s, 0
    while quiet < 3 and time.monotonic() < until:
        before = cpu_s(pid)
        time.sleep(0.5)
        quiet = quiet + 1 if cpu_s(pid) - before < 0.05 else 0


def budget(found: dict[str, Any]) -> str:
    """CPU of each process."""
    each = found["readings"]
    parts = (("web", "web_cpu_s"), ("ingest", "ingest_cpu_s"), ("PostgreSQL", "postgres_cpu_s"), ("clients", "cpu_s"))
    told = ", ".join(f"{name} {found[key] / each * 1e6:.2f}" for name, key in parts)
    total = sum(found[key] for _name, key in parts) / each * 1e6
    return f"  CPU a reading in µs: {told}; together {total:.2f}, in {found['seconds'] / each * 1e6:.2f} µs of time"


# --- 1 and 2 -----------------------------------------------------------------------------------------------------


def raw_copy(rows: int, commits: int) -> float:
    """Rows a second of COPY BINARY of ready buffers, each committed."""
    import numpy as np
    from django.db import connection, transaction

    from commons.devices.engine.parse import COPY_COLUMNS, copy_binary

    day = int(dt.datetime.now(dt.UTC).timestamp()) // 86_400 * 86_400_000_000 - 5 * 86_400_000_000
    at = np.arange(rows, dtype=np.int64) * STEP_US // 2 + day
    zero = np.zeros(rows, dtype=np.int16)
    ready = copy_binary(
        seq=at, ts=at, value=at * 1.0, channel=zero + np.int16(2), flags=zero, device=2_000_000, received_us=int(at[0])
    )
    sql = f"COPY devices_reading ({COPY_COLUMNS}) FROM STDIN (FORMAT binary)"
    begin = time.perf_counter()
    for _ in range(commits):
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy(sql) as out:
            out.write(ready)
    return rows * commits / (time.perf_counter() - begin)


def rivals(short: bool) -> tuple[float, float]:
    """COPY at its best, and with 1,000 rows a commit."""
    return raw_copy(100_000, 5 if short else 10), raw_copy(1000, 100 if short else 300)


def measured(port: int, pids: dict[str, int], tokens: list[str], *, batch: int, each: int) -> dict[str, Any]:
    """A run, and what it cost whom."""
    from django.db import connection

    load(port, tokens, batch=batch, each=max(each // 10, 2))
    settled(pids["ingest"])
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SELECT pg_backend_pid()")
        postmaster = int(Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rpartition(")")[2].split()[1])
    pids = {**pids, "postgres": postmaster}
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    found = load(port, tokens, batch=batch, each=each, first=max(each // 10, 2) * batch + 1)
    for name, pid in pids.items():
        found[f"{name}_cpu_s"] = cpu_s(pid) - before[name]
    found["rate"] = found["readings"] / found["seconds"]
    return found


def batches(port: int, pids: dict[str, int], short: bool) -> float:
    """8 clients with 1,000 readings a batch."""
    from django.utils import timezone

    from commons.devices import services

    services.ensure_days((timezone.now() - dt.timedelta(days=n)).date() for n in range(7))
    before = rivals(short)
    found = measured(port, pids, devices(8), batch=1000, each=60 if short else 250)
    after = rivals(short)
    best, small = (statistics.mean(pair) for pair in zip(before, after, strict=True))
    say(
        f"batches of 1,000 from 8 clients: {found['rate']:,.0f} readings/s acknowledged "
        f"({verdict(found['rate'], LIMIT_BATCHES, least=True)} {LIMIT_BATCHES:,}); a batch {found['median_ms']:.0f} ms "
        f"in the median, {found['p99_ms']:.0f} ms at the 99th percentile"
    )
    say(budget(found))
    say(f"  raw COPY BINARY into the same table: {best:,.0f} rows/s (100,000 a commit), {small:,.0f} (1,000 a commit)")
    say(
        f"  ratio to COPY of the same batches, a commit each: {found['rate'] / small:.2f} "
        f"({verdict(found['rate'] / small, LIMIT_RATIO, least=True)} {LIMIT_RATIO}); to COPY of 100,000 rows a commit, "
        f"without HTTP, JSON, rollups: {found['rate'] / best:.2f} "
        f"({verdict(found['rate'] / best, LIMIT_RATIO, least=True)} {LIMIT_RATIO})"
    )
    check()
    return float(found["rate"])


def singles(port: int, pids: dict[str, int], short: bool) -> None:
    """64 clients with one reading a request."""
    found = measured(port, pids, devices(64), batch=1, each=60 if short else 400)
    say(
        f"single readings from 64 clients: {found['rate']:,.0f} requests/s "
        f"({verdict(found['rate'], LIMIT_SINGLES, least=True)} {LIMIT_SINGLES:,}); {found['median_ms']:.0f} ms in the "
        f"median, {found['p99_ms']:.0f} ms at the 99th percentile"
    )
    say(budget(found))
    check()


def check() -> None:
    """What was acknowledged stands there once, and the rollups are its sums."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FILTER (WHERE sent = n AND sent = seqs AND wh = 0.5 * (n - 1)), count(*) FROM (
                SELECT d.number, (SELECT sum(upper(r) - lower(r)) FROM unnest(d.seen) r) AS sent,
                    (SELECT count(*) FROM devices_reading WHERE device = d.number) AS n,
                    (SELECT count(DISTINCT seq) FROM devices_reading WHERE device = d.number) AS seqs,
                    (SELECT sum(energy_wh) FROM devices_rollup WHERE device_id = d.number AND step_s = 3600) AS wh
                FROM devices_device d WHERE d.kind = 'meter'
            ) AS t"""
        )
        good, all_ = cursor.fetchone()
    say(f"  checked: {good} of {all_} devices have each acknowledged reading once and the sum of its Wh")
    if good != all_:
        raise SystemExit("readings are missing or twice there")


# --- 3 -----------------------------------------------------------------------------------------------------------


def fill(per_day: int) -> list[Any]:
    """Machines and their readings of a month until last midnight, so many a day of each channel, day by day, as the
    ingest would lay them."""
    import numpy as np
    from django.db import connection, transaction
    from django.utils import timezone

    from commons.devices import channels, services
    from commons.devices.queries import raw

    ingest = importlib.import_module("commons.devices.services.ingest")  # the package's own name is the function
    machines = [services.create_device(name=f"machine {n}", kind="printer") for n in range(MACHINES)]
    of_number = {machine.number: machine for machine in machines}
    midnight = raw.to_us(timezone.now().replace(hour=0, minute=0, second=0, microsecond=0))
    days = DAYS
    services.ensure_days(raw.from_us(midnight - n * ingest.DAY_US).date() for n in range(1, days + 1))
    for n in range(days, 0, -1):
        at = midnight - n * ingest.DAY_US + np.arange(per_day, dtype=np.int64) * (ingest.DAY_US // per_day)
        count = per_day * MACHINES * 2
        ts = np.repeat(at, MACHINES * 2)
        device = np.tile(np.repeat(np.array(list(of_number)), 2), per_day)
        channel = np.tile(np.array([channels.POWER_W, channels.ENERGY_WH_TOTAL]), per_day * MACHINES)
        seq = np.arange(count, dtype=np.int64) + (days - n) * count
        power = 100.0 + 50.0 * np.sin(ts / 6e9 + device)
        value = np.where(channel == channels.POWER_W, power, (ts - midnight + days * ingest.DAY_US) / 36e6)
        with transaction.atomic():
            ingest._copy(
                midnight, seq=seq, ts=ts, value=value, device=device,
                channel=channel.astype(np.int16), flags=np.zeros(count, dtype=np.int16),
            )  # fmt: skip
            ids = [machine.pk for machine in machines]
            _devices, (ends,) = ingest.lock_many(ids, (ingest.rollups.ENDS, [raw.array(ids)]))
            ingest._roll_up(ingest.Believed(of_number, ts, seq, value, channel, device), machines, ends)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE devices_reading")
        cursor.execute("VACUUM ANALYZE devices_rollup")
    return machines


def best_ms(work: Callable[[], Any], times: int = 7) -> float:
    """The median of some, after one that does not count."""
    work()
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begin) * 1000)
    return statistics.median(spent)


def queries(rows: int) -> None:
    """Curves and energies over all of it."""
    from django.db import connection
    from django.utils import timezone

    from commons.devices import queries as asked

    days = DAYS
    per_day = max(rows // (days * MACHINES * 2), 288)
    begin = time.perf_counter()
    machines = fill(per_day)
    spent = time.perf_counter() - begin
    count = days * per_day * MACHINES * 2
    say(
        f"{count:,} readings of {MACHINES} machines in {days} days, of each channel every {86_400 / per_day:.0f} s, "
        f"loaded with rollups in {spent:.0f} s"
    )
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    one, start = machines[7], midnight - dt.timedelta(days=days)

    def raw_rows(sql: str, *values: Any) -> Callable[[], Any]:
        def ask() -> Any:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall()

        return ask

    hourly = """SELECT date_bin('1 hour', ts, 'epoch') AS h, avg(value) FROM devices_reading
        WHERE device = %s AND channel = 1 AND flags = 0 AND ts >= %s AND ts < %s GROUP BY h"""
    month_ms = best_ms(lambda: asked.series(one, "power_w", start, midnight, 3600))
    rival = best_ms(raw_rows(hourly, one.number, start, midnight), 2)
    report("a month's hourly curve of one machine", month_ms, LIMITS_MS["month"], rival)
    for name, first, last in (
        (
            "a job of 3 h 20 min",
            midnight - dt.timedelta(hours=9, minutes=7),
            midnight - dt.timedelta(hours=5, minutes=47),
        ),
        ("a job of 17 min", midnight - dt.timedelta(hours=9, minutes=3), midnight - dt.timedelta(hours=8, minutes=46)),
        ("a job of 40 h", midnight - dt.timedelta(hours=47, minutes=3), midnight - dt.timedelta(hours=7, minutes=1)),
    ):
        job_ms = best_ms(lambda a=first, b=last: asked.energy(one, a, b))
        window = "SELECT ts, value FROM devices_reading WHERE device = %s AND channel = 2 AND ts >= %s AND ts < %s"
        report(f"the energy of {name}", job_ms, LIMITS_MS["job"], best_ms(raw_rows(window, one.number, first, last), 3))
        found = asked.energy(one, first, last)
        assert abs(found.kwh - (last - first).total_seconds() / 36 / 1000) < 1e-6, found
    day = midnight - dt.timedelta(days=1)
    day_ms = best_ms(lambda: asked.hours_of(machines, "power_w", day, midnight))
    all_sql = """SELECT device, date_bin('1 hour', ts, 'epoch') AS h, avg(value) FROM devices_reading
        WHERE channel = 1 AND flags = 0 AND ts >= %s AND ts < %s GROUP BY device, h"""
    report("all machines' day by the hour", day_ms, LIMITS_MS["day"], best_ms(raw_rows(all_sql, day, midnight), 2))


def report(what: str, ms: float, limit: float, rival_ms: float) -> None:
    """One line."""
    say(
        f"{what}: {ms:.1f} ms ({verdict(ms, limit, least=False)} {limit:.0f} ms), from the raw rows {rival_ms:.0f} ms "
        f"({rival_ms / ms:.0f} x)"
    )


def main() -> None:
    """All of it in one run."""
    words = argparse.ArgumentParser()
    words.add_argument("--short", action="store_true", help="a tenth of it")
    words.add_argument("--rows", type=int, default=0, help="readings of the month that is asked (10,000,000)")
    words.add_argument("--only", default="batches,singles,queries")
    asked = words.parse_args()
    parts = asked.only.split(",")
    with city():
        if {"batches", "singles"} & set(parts):
            with served() as (port, pids):
                if "batches" in parts:
                    batches(port, pids, asked.short)
                if "singles" in parts:
                    singles(port, pids, asked.short)
        if "queries" in parts:
            queries(asked.rows or (1_000_000 if asked.short else 10_000_000))
    say(f"load average {os.getloadavg()[0]:.1f}, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB here")


if __name__ == "__main__":
    main()
