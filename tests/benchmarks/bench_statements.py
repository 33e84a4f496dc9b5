# ruff: noqa: T201 a benchmark prints its figures
"""Statements of a month: members by quarter hours, from readings in the database to statements in the database.

    python tests/benchmarks/bench_statements.py [--members 1000] [--days 30]

CPU seconds of this process, each part by itself: reading the curves, working the month out, writing it down. The rival
has the readings in memory already as a table of pandas (member, step, use, fed in), shares the surplus by a groupby
over steps, and then goes from member to member by groupby, as a script would; it makes neither lines by days nor cents
that add up. Both must agree on what everybody gets and owes.
"""

import argparse
import datetime as dt
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.servers import city

FIRST = dt.date(2026, 6, 1)
QUARTERS = 96
PRICES = {
    "energy_price": Decimal("0.092"), "grid_fee": Decimal("0.048"), "levies": Decimal("0.028"),
    "base_fee": Decimal("4.90"), "tax_pct": Decimal("25.5"), "feed_in_price": Decimal("0.05"),
}  # fmt: skip


def curves(members: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Use and feed-in, members by days by quarters, in whole watt-hours; every second member has a roof."""
    dice = np.random.default_rng(7)
    load = dice.gamma(1.5, 0.08, (members, days, QUARTERS))
    sun = np.maximum(0, np.sin((np.arange(QUARTERS) - 24) / 48 * np.pi)) * dice.uniform(0, 1, (members, days, 1))
    net = load - sun * (np.arange(members) % 2)[:, None, None]
    return np.round(np.maximum(net, 0), 3), np.round(np.maximum(-net, 0), 3)


def seed(use: np.ndarray, fed: np.ndarray) -> Any:
    """A community whose members have these readings."""
    from commons.places import services as places
    from energy import series
    from energy.models import Community, MeterDay, MeterPoint, Participant
    from energy.services import tariffs

    town = places.ensure_city(slug="town", name="Town", timezone="Europe/Helsinki", country="FI", demo=False)
    place = places.ensure_neighbourhood(slug="street", name="Street", city=town, demo=False)
    community = Community.objects.create(slug="street", name="Street", place=place)
    since = dt.date(2026, 1, 1)
    people = Participant.objects.bulk_create(
        Participant(community=community, name=f"Home {i}", joined_on=since) for i in range(len(use))
    )
    meters = {
        way: MeterPoint.objects.bulk_create(
            MeterPoint(participant=p, number=f"M{p.pk}", direction=way, proof="steward", valid_from=since)
            for p in people
        )
        for way in ("use", "feed_in")
    }
    for way, values in (("use", use), ("feed_in", fed)):
        rows = (
            MeterDay(
                meter=meter, day=FIRST + dt.timedelta(days=d), step_minutes=15, packed=series.pack(values[i, d]),
                kwh=float(values[i, d].sum()), missing=0, source="file",
            )
            for i, meter in enumerate(meters[way])
            for d in range(values.shape[1])
        )  # fmt: skip
        MeterDay.objects.bulk_create(rows, batch_size=2000)
    tariffs.add_tariff_version(community=community, name="City power", currency="EUR", valid_from=since, **PRICES)
    tariffs.add_scheme_version(
        community=community, law="at-local", key="dynamic", price=Decimal("0.075"), valid_from=since
    )
    return community


def rival(table: pd.DataFrame) -> dict[int, tuple[float, float, float]]:
    """What each draws, gets and owes, by groupby over steps and then member after member."""
    steps = table.groupby("step")[["use", "fed"]].sum()
    traded = steps.min(axis=1)
    table = table.assign(
        got=table["use"] * table["step"].map((traded / steps["use"]).fillna(0)),
        gave=table["fed"] * table["step"].map((traded / steps["fed"]).fillna(0)),
    )
    p = {name: float(value) for name, value in PRICES.items()}
    found = {}
    for member, rows in table.groupby("member"):
        use, got, fed, gave = (float(rows[name].sum()) for name in ("use", "got", "fed", "gave"))
        net = (use - got) * (p["energy_price"] + p["grid_fee"] + p["levies"]) + p["base_fee"]
        net += got * (0.075 + p["grid_fee"] * 0.43 + p["levies"])
        earned = gave * 0.075 + (fed - gave) * p["feed_in_price"]
        found[int(member)] = (use, got, net * (1 + p["tax_pct"] / 100) - earned)
    return found


def main() -> int:
    """Seed, measure, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--days", type=int, default=30)
    asked = parser.parse_args()
    use, fed = curves(asked.members, asked.days)
    with city():
        from energy import settling
        from energy.queries import measured as readings
        from energy.services import statements

        community, until = seed(use, fed), FIRST + dt.timedelta(days=asked.days)

        def timed(what: str, work: Any) -> tuple[Any, float]:
            begun, wall = time.process_time(), time.perf_counter()
            found = work()
            took, wall = time.process_time() - begun, time.perf_counter() - wall
            print(f"{what:24} {took:8.2f} s CPU, {wall:7.2f} s by the clock, {asked.members / took:8,.0f} members/s")
            return found, took

        print(f"{asked.members:,} members, {asked.days} days of quarters: {2 * use.size:,} readings")
        _curves, read = timed("reading the curves", lambda: readings.curves(community, start=FIRST, end=until))
        settled, whole = timed("reading and working out", lambda: settling.work_out(community, FIRST, until))
        _kept, writing = timed("writing statements", lambda: statements.keep(settled=settled))
        print(f"{'all of it':24} {whole + writing:8.2f} s CPU, {asked.members / (whole + writing):8,.0f} members/s")
        count = asked.days * QUARTERS
        table = pd.DataFrame({
            "member": np.repeat(np.arange(asked.members), count),
            "step": np.tile(np.arange(count), asked.members),
            "use": use.reshape(-1),
            "fed": fed.reshape(-1),
        })  # fmt: skip
        theirs, took = timed("pandas, from memory", lambda: rival(table))
        print(f"working out alone: {took / max(whole - read, 1e-9):.1f} x faster than the table of pandas")
        bills = sorted(settled.bills, key=lambda bill: bill.participant.pk)
        apart = max(abs(bill.received / 1e6 - theirs[i][1]) for i, bill in enumerate(bills))
        owed = [s.gross for s in community.statements.order_by("participant_id")]
        money = max(abs(float(gross) - theirs[i][2]) for i, gross in enumerate(owed))
        print(f"apart at most {apart:.6f} kWh of what is received and {money:.3f} of what is owed")
    return 0 if apart < 0.01 and money < 0.2 else 1


if __name__ == "__main__":
    sys.exit(main())
