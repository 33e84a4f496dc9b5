"""How fast readings go in: `ingest()` against Django's `bulk_create` and `create`, and against the raw COPY.

    python tests/benchmarks/bench_ingest.py

It starts a PostgreSQL of its own with fsync and synchronous commit on, as in a real city, and no rooms. Each
way stores the same counter readings with a commit for each batch. `bulk_create` and `create` write one flat
table with the unique key (device, seq) and no rollups, which is what is mostly done: `ingest` does more for
each reading. Bodies are parsed in the time that is measured, except for COPY, which gets ready columns.
Ratios count; seconds are the machine's.
"""

import datetime as dt
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]

SECONDS = 4.0
LIMIT = 300_000


def body(first: int, n: int, start: dt.datetime) -> bytes:
    import orjson

    items = [
        {
            "seq": seq,
            "ts": (start + dt.timedelta(seconds=seq)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "channel": "energy_wh_total",
            "value": 0.5 * seq,
        }
        for seq in range(first, first + n)
    ]
    return orjson.dumps({"readings": items})


def rate(work: Callable[[bytes], None], batch: int, start: dt.datetime) -> tuple[float, float]:
    """Readings a second and the median milliseconds of a batch; making the bodies is not counted."""
    spent: list[float] = []
    while sum(spent) < SECONDS and len(spent) * batch < LIMIT:
        made = body(len(spent) * batch + 1, batch, start)
        begin = time.perf_counter()
        work(made)
        spent.append(time.perf_counter() - begin)
    return len(spent) * batch / sum(spent), statistics.median(spent) * 1000


def run() -> None:
    """Measure each way and print it."""
    import numpy as np
    import orjson
    from django.db import connection, models, transaction
    from django.utils import timezone

    from commons.devices import services
    from commons.devices.engine.parse import COPY_COLUMNS, copy_binary
    from commons.devices.models import Device

    class FlatReading(models.Model):
        device = models.IntegerField()
        seq = models.BigIntegerField()
        ts = models.DateTimeField(db_index=True)
        channel = models.SmallIntegerField()
        value = models.FloatField()

        class Meta:
            app_label = "devices"
            db_table = "bench_flat"
            constraints = (models.UniqueConstraint("device", "seq", name="bench_once"),)

        def __str__(self) -> str:
            return f"{self.device}/{self.seq}"

    with connection.schema_editor() as editor:
        editor.create_model(FlatReading)
    start = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=5)

    def rows_of(made: bytes, device: Device) -> list[Any]:
        return [
            FlatReading(
                device=device.number,
                seq=r["seq"],
                ts=dt.datetime.fromisoformat(r["ts"]),
                channel=2,
                value=r["value"],
            )
            for r in orjson.loads(made)["readings"]
        ]

    def ingest(made: bytes, device: Device) -> None:
        services.ingest(device=device, readings=services.read_body(made))

    def bulk_create(made: bytes, device: Device) -> None:
        with transaction.atomic():
            FlatReading.objects.bulk_create(rows_of(made, device), ignore_conflicts=True)

    def create(made: bytes, device: Device) -> None:
        for row in rows_of(made, device):
            row.save(force_insert=True)

    def raw_copy(made: bytes, device: Device) -> None:
        n = made.count(b'"seq"')
        at = np.arange(n, dtype=np.int64) * 1_000_000 + int(start.timestamp()) * 1_000_000
        zero = np.zeros(n, dtype=np.int16)
        rows = copy_binary(
            seq=at,
            ts=at,
            value=at * 1.0,
            channel=zero + np.int16(2),
            flags=zero,
            device=device.number,
            received_us=int(at[0]),
        )
        sql = f"COPY devices_reading ({COPY_COLUMNS}) FROM STDIN (FORMAT binary)"
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy(sql) as out:
            out.write(rows)

    found: dict[tuple[str, int], float] = {}
    for batch in (1, 100, 1000):
        for work in (ingest, bulk_create, raw_copy, create):
            device = services.create_device(name="bench", kind="meter")
            found[work.__name__, batch], median_ms = rate(
                lambda made, w=work, d=device: w(made, d),
                batch,
                start,
            )
            rate_s = found[work.__name__, batch]
            print(  # noqa: T201 what it is for
                f"{work.__name__:12} batches of {batch:4}: {rate_s:9,.0f} readings/s, median {median_ms:7.1f} ms"
            )
        others = ("bulk_create", "create", "raw_copy")
        ratios = {name: found["ingest", batch] / found[name, batch] for name in others}
        print("ingest is " + ", ".join(f"{ratio:.2f} x {name}" for name, ratio in ratios.items()))  # noqa: T201


def main() -> None:
    """Start a server, run, take it away."""
    from livingcity.dev.services import Postgres

    folder = Path(tempfile.mkdtemp(prefix="lc-bench-", dir="/tmp"))
    folder.chmod(0o711)
    server = Postgres(folder / "postgres", folder / "s", folder / "postgres.log")
    server.start()
    try:
        server.ensure_database()
        os.environ |= {
            "DATABASE_URL": f"postgresql://postgres@/livingcity?host={server.sockets}",
            "LIVINGCITY_DATA": str(folder / "data"),
            "LIVINGCITY_ROOMS": "",
            "DJANGO_SETTINGS_MODULE": "livingcity.settings",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        run()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
