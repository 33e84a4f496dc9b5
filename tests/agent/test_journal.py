"""The journal keeps, numbers, thins and forgets as it says it does."""

import json
import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from livingcity_agent import sending
from livingcity_agent.city import Ack
from livingcity_agent.journal import Batch, Busy, Enrolled, Item, Journal
from livingcity_agent.sending import Lane, body_of

DAY = 86_400


class Clock:
    """A clock that tests wind on."""

    def __init__(self) -> None:
        self.at, self.set_by = 1_790_000_000.0, 0.0

    def now(self) -> float:
        return self.at

    def shift(self) -> float:
        return self.set_by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db", most_bytes=5_500_000, now=clock.now, shift=clock.shift)
    made.enrol("A", id="a" * 8, url="http://127.0.0.1:1", token="lcd_x", next_seq=1, mqtt={})
    yield made
    made.close()


def reading(value: float, at: float, channel: str = "power_w") -> Item:
    return Item(1, "r", at, channel, json.dumps({"channel": channel, "value": value}))


def event(name: str, at: float, job: str = "j") -> Item:
    return Item(1, "j", at, name, json.dumps({"event": name, "job": job}))


def seqs(batch: Batch | None) -> list[int]:
    return [] if batch is None else [item.seq for item in batch.items]


def test_a_batch_keeps_its_numbers_until_it_is_answered(journal: Journal, clock: Clock) -> None:
    journal.add([reading(n, clock.at) for n in range(5)] + [event("started", clock.at)])
    first = journal.take(1, "r", 3)
    assert first is not None and first.fresh and seqs(first) == [1, 2, 3]
    again = journal.take(1, "r", 3)
    assert again is not None and not again.fresh and seqs(again) == [1, 2, 3]
    assert seqs(journal.take(1, "j", 9)) == [4]
    journal.settled(first, 3)
    assert seqs(journal.take(1, "r", 3)) == [5, 6]
    assert (journal.acked(1), journal.waiting()[0]) == (3, 3)


def test_what_is_added_outlasts_a_kill_and_only_one_agent_has_it(
    journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    journal.hold()
    with pytest.raises(Busy, match="Another livingcity-agent"):
        Journal(tmp_path / "journal.db").hold()
    journal.add([reading(1, clock.at)], remember={(1, "octoprint"): {"job": "x", "gone": None}})
    other = sqlite3.connect(tmp_path / "journal.db")
    assert other.execute("SELECT count(*) FROM item").fetchone() == (1,)
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal.recall(1, "octoprint", "job") == "x"


def test_nine_days_of_loss_thin_power_but_never_jobs_counters_or_states(journal: Journal, clock: Clock) -> None:
    """Power every 10 s, the counter and the state every minute, a job each hour, for nine days, in 5.5 MB."""
    jobs = counters = states = told = 0
    items: list[Item] = []
    for minute in range(9 * 24 * 60):
        clock.at += 60
        items += [reading(100, clock.at - 60 + 10 * n) for n in range(6)]
        items.append(reading(minute, clock.at, "energy_wh_total"))
        counters += 1
        if minute % 30 == 0:
            items += [event("started" if minute % 60 == 0 else "finished", clock.at, f"j{minute // 60}")]
            items.append(Item(1, "r", clock.at, "state", '{"channel":"state","value":"idle"}'))
            jobs, states = jobs + 1, states + 1
        if minute % 120 == 119:
            journal.add(items)
            items = []
            if not journal.fits():
                told += sum(thinned.dropped for thinned in journal.thin())
    rows = journal._db.execute("SELECT kind, channel, count(*) FROM item GROUP BY kind, channel").fetchall()
    kept = {channel: count for kind, channel, count in rows if kind == "r"}
    assert sum(count for kind, _c, count in rows if kind == "j") == jobs
    assert (kept["energy_wh_total"], kept["state"]) == (counters, states)
    assert told > 0 and kept["power_w"] + told == 9 * 24 * 60 * 6, "what was dropped is told"
    said = journal._db.execute("SELECT body FROM item WHERE channel = 'x_readings_dropped'").fetchall()
    assert sum(json.loads(row[0])["value"] for row in said) == told
    stamps = [at for (at,) in journal._db.execute("SELECT at FROM item WHERE channel = 'power_w' ORDER BY at")]
    gaps = [b - a for a, b in pairwise(stamps)]
    assert max(gaps) < 300, "the city still joins what is left"
    assert max(gaps[:100]) >= 60 > max(gaps[-100:]), "the oldest first"
    assert journal.fits()


def test_a_batch_on_its_way_is_never_thinned(journal: Journal, clock: Clock) -> None:
    journal.add([reading(n, clock.at + n) for n in range(60_000)])
    batch = journal.take(1, "r", 1000)
    journal.thin()
    assert journal.take(1, "r", 1000) == Batch(1, "r", batch.items, fresh=False) if batch else False


def test_stamps_move_with_a_clock_that_is_set(journal: Journal, clock: Clock) -> None:
    """A Raspberry Pi that starts without a network believes it is 1970 until it hears otherwise."""
    journal.add([reading(1, 100.0), Item(1, "r", 200.0, "power_w", "{}", own_clock=False)])
    clock.set_by = 1_790_000_000.0
    batch = journal.take(1, "r", 9)
    assert batch is not None and [item.at for item in batch.items] == [1_790_000_100.0, 200.0]


def test_another_device_gets_new_numbers_and_the_same_goes_on(journal: Journal, clock: Clock) -> None:
    journal.add([reading(n, clock.at) for n in range(4)])
    assert seqs(journal.take(1, "r", 2)) == [1, 2]
    journal.enrol("A", id="a" * 8, url="u", token="t2", next_seq=2, mqtt={})
    assert seqs(journal.take(1, "r", 2)) == [1, 2], "the same device: the same numbers, once"
    journal.enrol("A", id="b" * 8, url="u", token="t3", next_seq=50, mqtt={})
    assert seqs(journal.take(1, "r", 9)) == [50, 51, 52, 53]


class Line:
    """A city in memory: what it stored, and what it does next."""

    def __init__(self) -> None:
        self.stored: dict[int, str] = {}
        self.acked = 0

    async def send(self, kind: str, body: bytes) -> Ack:
        document = json.loads(body)
        items = document["readings" if kind == "r" else "events"]
        fresh = [item for item in items if item["seq"] not in self.stored]
        self.stored |= {item["seq"]: json.dumps(item) for item in fresh}
        while self.acked + 1 in self.stored:
            self.acked += 1
        return Ack(self.acked, len(fresh), len(items) - len(fresh))


async def nothing(_s: float) -> None:
    """No pause."""


def lane(journal: Journal, line: Line) -> Lane:
    device = Enrolled(1, "A", "a" * 8, "u", "t")
    return Lane(journal, device, "r", line, most=10, pause=nothing)


def test_a_journal_from_an_old_copy_loses_nothing(journal: Journal, clock: Clock) -> None:
    import asyncio

    line = Line()
    line.stored = dict.fromkeys(range(1, 31), "of the journal that was lost")
    line.acked = 30
    journal.add([reading(n, clock.at) for n in range(5)])
    asyncio.run(drained(lane(journal, line)))
    assert [json.loads(line.stored[n])["value"] for n in range(31, 36)] == [0, 1, 2, 3, 4]
    assert journal.waiting()[0] == 0


def test_numbers_lost_with_a_journal_are_told_so_that_acked_goes_on(journal: Journal, clock: Clock) -> None:
    import asyncio

    line = Line()
    journal.enrol("A", id="a" * 8, url="u", token="t", next_seq=21, mqtt={})
    journal.add([reading(7, clock.at)])
    asyncio.run(drained(lane(journal, line)))
    assert line.acked == 21 and json.loads(line.stored[3]) == {"seq": 3, "lost": True}
    assert journal.acked(1) == 21


async def drained(one: Lane) -> None:
    while await one.once():
        pass


def test_a_batch_on_the_wire_is_what_the_city_reads(journal: Journal, clock: Clock) -> None:
    journal.add([reading(1.5, 1_790_000_000.25)])
    batch = journal.take(1, "r", 1)
    assert batch is not None
    assert json.loads(body_of(batch)) == {
        "readings": [{"seq": 1, "ts": "2026-09-21T14:13:20.250000Z", "channel": "power_w", "value": 1.5}]
    }
    assert sending.stamp(-5).startswith("1970")
