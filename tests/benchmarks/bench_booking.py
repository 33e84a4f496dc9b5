"""Booking under fire: one winner, no deadlock; and what the constraint costs where nobody conflicts.

    python tests/benchmarks/bench_booking.py [--seconds 4] [--rounds 13]

It starts a PostgreSQL of its own with fsync and synchronous commit on, as in a real city. Three parts:

1. 200 inserts of the same hour on 40 connections at once, by the very statements of the service, in 13 rounds. Beside
   it the same without the locks (ON CONFLICT DO NOTHING alone), and what peers do: look, then insert.
2. Bookings that do not conflict, on 4 connections: the statements of the service (lock the person, lock the machine,
   insert by ON CONFLICT DO NOTHING under the exclusion constraint) against a plain INSERT into the same table without
   the constraint, both with a commit each, taking turns so that a busy machine is busy for both.
3. The whole service with all its rules, on 4 threads.

The rival is the plain INSERT; ratios count, seconds are the machine's.
"""

import argparse
import datetime as dt
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]

CONNECTIONS, INSERTS, WORKERS = 40, 200, 4
START = dt.datetime(2027, 3, 1, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Service:
    """The statements that a booking is, as the service sends them, with their parameters."""

    def __init__(self) -> None:
        from django.db import connection, transaction
        from django.test.utils import CaptureQueriesContext

        from commons.people.models import Organisation
        from commons.people.services import create_organisation, create_user
        from labs.models import Booking
        from labs.queries import rulebook
        from labs.services import catalogue
        from labs.services.bookings import rows

        organisation = create_organisation(handle="bench", name="Bench", kind=Organisation.Kind.LAB)
        self.lab = catalogue.open_lab(organisation=organisation, name="Bench")
        self.lab.open_bookings_max = 30_000
        self.lab.save()
        self.machines = [catalogue.add_machine(lab=self.lab, name=f"M{n}", cls="3d-printer") for n in range(64)]
        self.people = [create_user(username=f"bench{n}") for n in range(INSERTS)]
        with CaptureQueriesContext(connection) as sent, transaction.atomic():
            rows.lock_person(self.people[0])
            rows.lock_machines([self.machines[0]])
        self.locks = [q["sql"] for q in sent.captured_queries if "FOR NO KEY UPDATE" in q["sql"]]
        assert len(self.locks) == 2, sent.captured_queries
        self.locks[0] = self.locks[0].replace(f"= {self.people[0].pk} ", "= %s ")
        self.locks[1] = self.locks[1].replace(f"IN ({self.machines[0].pk})", "IN (%s)")
        assert all(sql.count("%s") == 1 for sql in self.locks), self.locks
        self.rules = rulebook.read(self.lab)
        self.insert = rows._insert(1)
        self.fields = Booking._meta.concrete_fields
        self.table = Booking._meta.db_table

    def values(self, machine: int, person: int, start: dt.datetime) -> list[Any]:
        """A row, in the order of the columns."""
        from django.db import connection

        from labs.engine.hours import Span
        from labs.models import Booking
        from labs.services.bookings import rows

        booking = Booking(user=self.people[person])
        rows.place(booking, self.machines[machine], Span(start, start + HOUR), self.rules)
        return [f.get_db_prep_save(f.pre_save(booking, add=True), connection) for f in self.fields]

    def book(self, connection: Any, machine: int, person: int, values: Sequence[Any]) -> bool:
        """One booking by the statements of the service; whether it was taken."""
        with connection.transaction():
            connection.execute(self.locks[0], [self.people[person].pk])
            connection.execute(self.locks[1], [self.machines[machine].pk])
            return connection.execute(self.insert, values).fetchone() is not None

    def unlocked(self, connection: Any, machine: int, person: int, values: Sequence[Any]) -> bool:
        """The insert alone."""
        with connection.transaction():
            return connection.execute(self.insert, values).fetchone() is not None


def connect() -> Any:
    """A connection of its own, without Django."""
    import psycopg
    from django.db import connection

    named = connection.settings_dict
    opened = psycopg.connect(host=named["HOST"], dbname=named["NAME"], user=named["USER"], autocommit=True)
    from django.db.backends.postgresql.psycopg_any import get_adapters_template

    opened.adapters.__dict__.update(get_adapters_template(True, dt.UTC).__dict__)
    return opened


def storm(service: Service, way: Callable[..., bool], rounds: int) -> list[tuple[int, int, float, float]]:
    """Rounds of conflicting inserts: (rows left, errors, seconds, median ms of one)."""
    from labs.models import Booking

    connections = [connect() for _ in range(CONNECTIONS)]
    found = []
    for nth in range(rounds):
        start = START + nth * 2 * HOUR
        rows = [service.values(0, n, start) for n in range(INSERTS)]
        errors: Counter[str] = Counter()
        spent: list[float] = []
        barrier = threading.Barrier(CONNECTIONS)

        def work(
            which: int, rows: Any = rows, errors: Any = errors, spent: Any = spent, barrier: Any = barrier
        ) -> None:
            barrier.wait()
            for n in range(which, INSERTS, CONNECTIONS):
                begin = time.perf_counter()
                try:
                    way(connections[which], 0, n, rows[n])
                except Exception as fault:
                    errors[type(fault).__name__] += 1
                spent.append(time.perf_counter() - begin)

        begin = time.perf_counter()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(work, range(CONNECTIONS)))
        took = time.perf_counter() - begin
        left = Booking.objects.filter(start=start).count()
        found.append((left, errors.total(), took, statistics.median(spent) * 1000))
    for opened in connections:
        opened.close()
    Booking.objects.all().delete()
    return found


def told(name: str, found: list[tuple[int, int, float, float]]) -> bool:
    """Print rounds; whether each had one winner and no fault."""
    clean = sum(left == 1 and not errors for left, errors, _s, _ms in found)
    left = sorted({row[0] for row in found})
    seconds = [row[2] for row in found]
    say(
        f"{name:34} {clean:2} of {len(found)} rounds with 1 row and no fault; rows left {left}, "
        f"round {statistics.median(seconds):.2f} s (worst {max(seconds):.2f}), one insert p50 "
        f"{statistics.median(row[3] for row in found):.1f} ms"
    )
    return clean == len(found)


def look_then_insert(service: Service) -> Callable[..., bool]:
    """What peers do, on a table without the constraint, as theirs are."""
    plain = service.insert.replace(f'"{service.table}"', '"bench_plain"')
    column = [f.column for f in service.fields].index("blocked")

    def way(connection: Any, machine: int, person: int, values: Sequence[Any]) -> bool:
        with connection.transaction():
            sql = "SELECT count(*) FROM bench_plain WHERE machine_id = %s AND blocked && %s"
            if connection.execute(sql, [service.machines[machine].pk, values[column]]).fetchone()[0]:
                return False
            return connection.execute(plain, values).fetchone() is not None

    return way


def peers(service: Service, rounds: int) -> None:
    """Look, then insert: how many rows each round leaves."""
    connection = connect()
    way, left = look_then_insert(service), []
    found = storm(service, way, rounds)
    for nth in range(rounds):
        sql = "SELECT count(*) FROM bench_plain WHERE start = %s"
        left.append(connection.execute(sql, [START + nth * 2 * HOUR]).fetchone()[0])
    connection.execute("TRUNCATE bench_plain")
    connection.close()
    say(f"{'look, then insert (as peers do)':34} rows left {sorted(left)} in {len(found)} rounds")


def rate(service: Service, work: Callable[[Any, int, int, list[Any]], Any], seconds: float, base: int) -> float:
    """Bookings a second on 4 connections that never meet: each has its own machines, each hour once."""
    connections = [connect() for _ in range(WORKERS)]
    per = len(service.machines) // WORKERS
    many = int(900 * seconds)
    rows = [
        [
            service.values(w * per + n % per, (w * 50 + n % 50) % INSERTS, START + (base + n // per) * HOUR)
            for n in range(many)
        ]
        for w in range(WORKERS)
    ]
    done = [0] * WORKERS
    barrier = threading.Barrier(WORKERS)

    def run(which: int) -> None:
        barrier.wait()
        until = time.perf_counter() + seconds
        for n, values in enumerate(rows[which]):
            if time.perf_counter() > until:
                break
            assert work(connections[which], which * per + n % per, (which * 50 + n % 50) % INSERTS, values) is not False
            done[which] += 1

    begin = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(run, range(WORKERS)))
    took = time.perf_counter() - begin
    for opened in connections:
        opened.close()
    return sum(done) / took


def whole(service: Service, seconds: float, base: int) -> float:
    """Bookings a second of `create_booking` itself on 4 threads."""
    from django.db import connection
    from django.utils import timezone

    from labs.services.bookings import create_booking

    per = len(service.machines) // WORKERS
    first = timezone.now().replace(minute=0, second=0, microsecond=0) + HOUR
    done = [0] * WORKERS

    def run(which: int) -> None:
        until, n = time.perf_counter() + seconds, 0
        while time.perf_counter() < until and n // per < 2000:
            start = first + (base + n // per) * HOUR
            create_booking(
                machine=service.machines[which * per + n % per],
                user=service.people[(which * 50 + n % 50) % INSERTS],
                start=start,
                end=start + HOUR,
            )
            n += 1
        done[which] = n
        connection.close()

    begin = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(run, range(WORKERS)))
    return sum(done) / (time.perf_counter() - begin)


def run(seconds: float, rounds: int) -> bool:
    """Measure and print; whether what must hold held."""
    from django.db import connection

    from labs.models import Booking

    service = Service()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_plain (LIKE {service.table} INCLUDING ALL)")
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'bench_plain' AND indexdef LIKE '%USING gist%'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE bench_plain DROP CONSTRAINT IF EXISTS "{name}"')
            cursor.execute(f'DROP INDEX IF EXISTS "{name}"')
        for column, target in (("machine_id", "labs_machine"), ("user_id", "people_user")):
            cursor.execute(f"ALTER TABLE bench_plain ADD FOREIGN KEY ({column}) REFERENCES {target} (id)")
    say(f"{INSERTS} conflicting inserts on {CONNECTIONS} connections")
    clean = told("the service's statements", storm(service, service.book, rounds))
    told("ON CONFLICT DO NOTHING alone", storm(service, service.unlocked, rounds))
    peers(service, 3)

    plain_sql = service.insert.replace(f'"{service.table}"', '"bench_plain"').replace(" ON CONFLICT DO NOTHING", "")

    def plain(connection: Any, machine: int, person: int, values: list[Any]) -> Any:
        with connection.transaction():
            return connection.execute(plain_sql, values).fetchone()

    rates: dict[str, list[float]] = {"service": [], "plain": [], "insert": []}
    for turn in range(3):
        rates["plain"].append(rate(service, plain, seconds / 3, turn * 10_000))
        rates["service"].append(rate(service, service.book, seconds / 3, turn * 10_000))
        rates["insert"].append(rate(service, service.unlocked, seconds / 3, 50_000 + turn * 10_000))
    mean = {name: statistics.mean(values) for name, values in rates.items()}
    ratio = mean["service"] / mean["plain"]
    say(f"\nno conflicts, {WORKERS} connections, a commit each")
    say(f"{'plain INSERT, no constraint':34} {mean['plain']:8.0f} bookings/s")
    say(f"{'the service’s statements':34} {mean['service']:8.0f} bookings/s, {ratio:.2f} x plain")
    say(f"{'its insert without the locks':34} {mean['insert']:8.0f} bookings/s, {mean['insert'] / mean['plain']:.2f} x")
    Booking.objects.all().delete()
    service_rate = whole(service, seconds, 0)
    say(
        f"{'the whole service, with its rules':34} {service_rate:8.0f} bookings/s, {service_rate / mean['plain']:.2f} x"
    )
    return clean and ratio >= 0.5


def main() -> None:
    """Start a server, run, take it away."""
    from livingcity.dev.services import Postgres

    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=13)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lc-bench-", dir="/tmp"))
    folder.chmod(0o711)
    server = Postgres(folder / "postgres", folder / "s", folder / "postgres.log")
    server.start()
    try:
        server.ensure_database()
        os.environ |= {
            "DATABASE_URL": f"postgresql://postgres@/livingcity?host={server.sockets}",
            "LIVINGCITY_DATA": str(folder / "data"),
            "DJANGO_SETTINGS_MODULE": "livingcity.settings",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        held = run(asked.seconds, asked.rounds)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
