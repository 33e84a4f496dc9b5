"""The week page of a lab with 60 machines and 5,000 bookings, every one of them in the week that is shown.

    python tests/benchmarks/bench_week.py [--machines 60] [--bookings 5000] [--rounds 20]

Limits: 15 SQL queries and 150 ms on the server (median, Django's test client, signed in as one of the lab's people). It
ends with 1 when one is not held.
"""

import argparse
import datetime as dt
import gzip
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.servers import city

MOST_QUERIES, MOST_MS = 15, 150.0
HOURS = (8, 20)


def seed(machines: int, bookings: int) -> str:
    """A lab in a place with bookings of the same length one after another, each with its own person in turn."""
    from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

    from commons.people.models import Organisation
    from commons.people.services import create_organisation, create_user
    from commons.places.models import Place
    from labs.models import Booking
    from labs.services import catalogue

    place = Place.objects.create(slug="kamppi", name="Kamppi", timezone="Europe/Helsinki")
    organisation = create_organisation(handle="big-lab", name="Big lab", kind=Organisation.Kind.LAB)
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    lab = catalogue.open_lab(
        organisation=organisation, name="Big lab", place=place,
        opening_hours={day: [[f"{HOURS[0]:02}:00", f"{HOURS[1]:02}:00"]] for day in days},
    )  # fmt: skip
    people = [create_user(username=f"person{n}") for n in range(50)]
    stand = [catalogue.add_machine(lab=lab, name=f"Machine {n}", cls="3d-printer") for n in range(machines)]
    each = -(-bookings // (machines * 7))
    length = dt.timedelta(hours=HOURS[1] - HOURS[0]) / each
    today = dt.datetime.now(lab.zone).date()
    first = today - dt.timedelta(days=today.weekday())
    rows = []
    for n in range(bookings):
        machine, rest = stand[n % machines], n // machines
        day = dt.datetime.combine(first + dt.timedelta(days=rest // each), dt.time(HOURS[0]), lab.zone)
        start = day + length * (rest % each)
        end = start + length * 0.9
        rows.append(
            Booking(machine=machine, user=people[n % 50], start=start, end=end, blocked=DateTimeTZRange(start, end))
        )
    Booking.objects.bulk_create(rows, 1000)
    return lab.slug


def measure(lab: str, view: str, rounds: int, profile: bool) -> bool:
    """Ask the page, print its figures, and say whether the limits were held."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from commons.people.models import User

    client = Client()
    client.force_login(User.objects.get(username="person1"))
    address, times = f"/labs/{lab}/week/?view={view}", []
    client.get(address)
    with CaptureQueriesContext(connection) as held:
        body = client.get(address).content
        queries = len(held.captured_queries)
    cpu = time.process_time()
    for _ in range(rounds):
        begin = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - begin) * 1000)
    cpu_ms = (time.process_time() - cpu) * 1000 / rounds
    bars = body.count(b'class="held ')
    median, worst = statistics.median(times), max(times)
    sys.stdout.write(
        f"{view}: {bars:,} bars, {queries} queries (limit {MOST_QUERIES}), "
        f"median {median:.0f} ms, worst {worst:.0f} ms, {cpu_ms:.0f} ms CPU of the process "
        f"(limit {MOST_MS:.0f}, ratio {median / MOST_MS:.2f}), "
        f"{len(body) / 1000:.0f} kB, {len(gzip.compress(body)) / 1000:.0f} kB gzip\n"
    )
    if profile:
        import cProfile

        cProfile.runctx("client.get(address)", {}, {"client": client, "address": address}, sort="tottime")
    return queries <= MOST_QUERIES and median <= MOST_MS


def main() -> None:
    """Seed and measure both views."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--machines", type=int, default=60)
    parser.add_argument("--bookings", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with city():
        lab = seed(options.machines, options.bookings)
        held = [measure(lab, view, options.rounds, options.profile) for view in ("week", "day")]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
