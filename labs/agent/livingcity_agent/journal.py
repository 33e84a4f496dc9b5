"""The journal: everything that was heard and is not yet acknowledged, on disk, in order, with its sequence number.

A number is given when an item first goes into a batch, not when it is heard: so what is thinned before it was ever sent
leaves no hole, and the city's `acked` never waits for what will not come. A batch keeps its numbers until it is
answered; sent again after a kill, the city knows them and stores nothing twice.

SQLite in WAL mode with synchronous=FULL: what `add` has returned from outlasts `kill -9` and a power cut.
"""

import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["r", "j"]
"""Readings and job events: two lanes of one counter."""

KEPT = ("energy_wh_total", "state")
"""Channels that are never thinned, besides those that end in `_total`: steps of a counter cannot be guessed."""

STEPS = ((60, 0.5), (60, 1.0), (240, 0.5), (240, 1.0))
"""How telemetry is thinned, step after step until it fits: one reading in so many seconds, in the oldest part.
240 s is below the five minutes over which the city still joins readings of power."""

STEPPED_S = 2.0
"""A clock that moved by more than this against the time since boot was set, not merely disciplined."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS device (
    key INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, id TEXT, url TEXT, token TEXT, mqtt TEXT,
    next_seq INTEGER NOT NULL DEFAULT 1, acked INTEGER NOT NULL DEFAULT 0, enrolled_at REAL);
CREATE TABLE IF NOT EXISTS item (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device INTEGER NOT NULL, kind TEXT NOT NULL, seq INTEGER,
    at REAL NOT NULL, boot TEXT NOT NULL, shift REAL, channel TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS item_lane ON item (device, kind, id);
CREATE UNIQUE INDEX IF NOT EXISTS item_seq ON item (device, seq) WHERE seq IS NOT NULL;
CREATE TABLE IF NOT EXISTS memory (
    device INTEGER NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (device, source, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS command (
    id TEXT PRIMARY KEY, device INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, sentence TEXT NOT NULL,
    at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class Busy(Exception):
    """Another agent has this journal."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device of the city that this agent speaks for."""

    key: int
    name: str
    id: str
    url: str
    token: str = field(repr=False)
    mqtt: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """Something heard. `at`: seconds since 1970; `body` is what the city gets, without seq and ts."""

    device: int
    kind: Kind
    at: float
    channel: str
    body: str
    own_clock: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """An item with its number, as it goes out."""

    seq: int
    at: float
    body: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one lane that go out together; `fresh`: they have their numbers since now and were never sent."""

    device: int
    kind: Kind
    items: tuple[Sent, ...]
    fresh: bool

    @property
    def last(self) -> int:
        """The highest number in it."""
        return self.items[-1].seq


@dataclass(frozen=True, slots=True)
class Thinned:
    """What a thinning cost."""

    device: int
    dropped: int


def boot_id() -> str:
    """Which start of this computer it is."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def boot_shift() -> float | None:
    """Clock minus time since boot: it stays the same unless somebody sets the clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return None if clock is None else time.time() - time.clock_gettime(clock)


class Journal:
    """One file. `now` and `shift` may be given by tests."""

    def __init__(
        self,
        path: Path,
        *,
        most_bytes: int = 200_000_000,
        now: Callable[[], float] = time.time,
        shift: Callable[[], float | None] = boot_shift,
    ) -> None:
        self.path, self._most, self._now, self._shift = path, most_bytes, now, shift
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        if new:
            path.chmod(0o600)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._boot = boot_id()
        self._lock: int | None = None

    # --- its life ----------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Be the only agent that hears and sends with it, until closed. Raises Busy."""
        self._lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            self._lock = None
            raise Busy(f"Another livingcity-agent works with {self.path}; stop it first.") from None

    def close(self) -> None:
        """Let go of it."""
        self._db.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- devices -----------------------------------------------------------------------------------------------

    def device_key(self, name: str) -> int:
        """The number of a device of the configuration; it may be heard before it is enrolled."""
        self._db.execute("INSERT INTO device (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
        found: int = self._db.execute("SELECT key FROM device WHERE name = ?", (name,)).fetchone()[0]
        return found

    def enrolled(self, name: str) -> Enrolled | None:
        """The device as the city knows it; None before enrolment."""
        row = self._db.execute(
            "SELECT key, name, id, url, token, mqtt FROM device WHERE name = ? AND token IS NOT NULL", (name,)
        ).fetchone()
        if row is None:
            return None
        key, label, id, url, token, mqtt = row
        return Enrolled(key, label, id, url, token, json.loads(mqtt))

    def enrol(self, name: str, *, id: str, url: str, token: str, next_seq: int, mqtt: Mapping[str, Any]) -> None:
        """Write down what enrolment answered. The counter goes on at the higher of both; as another device of the
        city, what is on its way gets new numbers."""
        key = self.device_key(name)
        with self._transaction():
            before = self._db.execute("SELECT id FROM device WHERE key = ?", (key,)).fetchone()[0]
            if before == id:
                own = self._db.execute("SELECT next_seq FROM device WHERE key = ?", (key,)).fetchone()[0]
                next_seq = max(own, next_seq)
            else:
                self._db.execute("UPDATE item SET seq = NULL WHERE device = ?", (key,))
            self._db.execute(
                "UPDATE device SET id = ?, url = ?, token = ?, mqtt = ?, next_seq = ?, enrolled_at = ? WHERE key = ?",
                (id, url, token, json.dumps(dict(mqtt)), next_seq, self._now(), key),
            )

    # --- in ----------------------------------------------------------------------------------------------------

    def add(
        self, items: Sequence[Item], *, remember: Mapping[tuple[int, str], Mapping[str, Any]] | None = None
    ) -> None:
        """Keep items and facts to remember, all or none; on disk when it returns."""
        shift = self._shift()
        rows = [(i.device, i.kind, i.at, self._boot, shift if i.own_clock else None, i.channel, i.body) for i in items]
        with self._transaction():
            self._db.executemany(
                "INSERT INTO item (device, kind, at, boot, shift, channel, body) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
            )
            for (device, source), facts in (remember or {}).items():
                self._remember(device, source, facts)

    def _remember(self, device: int, source: str, facts: Mapping[str, Any]) -> None:
        for name, value in facts.items():
            if value is None:
                self._db.execute(
                    "DELETE FROM memory WHERE device = ? AND source = ? AND name = ?", (device, source, name)
                )
            else:
                self._db.execute(
                    "INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?)", (device, source, name, json.dumps(value))
                )

    def recall(self, device: int, source: str, name: str) -> Any:
        """A fact that was remembered, or None."""
        row = self._db.execute(
            "SELECT value FROM memory WHERE device = ? AND source = ? AND name = ?", (device, source, name)
        ).fetchone()
        return json.loads(row[0]) if row else None

    # --- out ---------------------------------------------------------------------------------------------------

    def take(self, device: int, kind: Kind, most: int) -> Batch | None:
        """The batch to send: the one on its way, or else the oldest items, which get their numbers now."""
        rows = self._db.execute(
            "SELECT seq, at, boot, shift, body FROM item WHERE device = ? AND kind = ? AND seq IS NOT NULL"
            " ORDER BY seq LIMIT ?",
            (device, kind, most),
        ).fetchall()
        fresh = not rows
        if fresh:
            rows = self._number(device, kind, most)
        if not rows:
            return None
        shift = self._shift()
        sent = tuple(Sent(seq, self._right(at, boot, was, shift), body) for seq, at, boot, was, body in rows)
        return Batch(device, kind, sent, fresh)

    def _number(self, device: int, kind: Kind, most: int) -> list[Any]:
        with self._transaction():
            ids = self._db.execute(
                "SELECT id FROM item WHERE device = ? AND kind = ? AND seq IS NULL ORDER BY id LIMIT ?",
                (device, kind, most),
            ).fetchall()
            if not ids:
                return []
            first = self._db.execute("SELECT next_seq FROM device WHERE key = ?", (device,)).fetchone()[0]
            self._db.executemany(
                "UPDATE item SET seq = ? WHERE id = ?", [(first + n, row[0]) for n, row in enumerate(ids)]
            )
            self._db.execute("UPDATE device SET next_seq = ? WHERE key = ?", (first + len(ids), device))
        found: list[Any] = self._db.execute(
            "SELECT seq, at, boot, shift, body FROM item WHERE device = ? AND seq >= ? AND kind = ? ORDER BY seq",
            (device, first, kind),
        ).fetchall()
        return found

    def _right(self, at: float, boot: str, was: float | None, now: float | None) -> float:
        """The time stamp, moved with the clock if that was set since, in the same start of the computer: a Raspberry Pi
        has no clock of its own and learns the time only when the network is there."""
        if was is None or now is None or boot != self._boot or abs(now - was) < STEPPED_S:
            return at
        return at + now - was

    def settled(self, batch: Batch, acked: int) -> None:
        """The city answered this batch: each of its items is committed or refused for good."""
        with self._transaction():
            self._db.executemany(
                "DELETE FROM item WHERE device = ? AND seq = ?", [(batch.device, i.seq) for i in batch.items]
            )
            self.told_acked(batch.device, acked)

    def told_acked(self, device: int, acked: int) -> None:
        """The city said how far it has everything."""
        self._db.execute("UPDATE device SET acked = max(acked, ?) WHERE key = ?", (acked, device))

    def again(self, batch: Batch, first: int) -> None:
        """These numbers were used before this journal was restored from a copy: others, from `first` on."""
        with self._transaction():
            self._db.execute(
                "UPDATE item SET seq = NULL WHERE device = ? AND kind = ? AND seq IS NOT NULL",
                (batch.device, batch.kind),
            )
            self._db.execute("UPDATE device SET next_seq = max(next_seq, ?) WHERE key = ?", (first, batch.device))

    def hole(self, device: int, acked: int) -> range:
        """Numbers after `acked` that this journal does not hold and never will: it was lost once."""
        row = self._db.execute(
            "SELECT min(seq), (SELECT next_seq FROM device WHERE key = ?) FROM item WHERE device = ?", (device, device)
        ).fetchone()
        first = row[0] if row[0] is not None else row[1]
        return range(acked + 1, first)

    def waiting(self, device: int | None = None) -> tuple[int, float | None]:
        """How many items wait, and the stamp of the oldest."""
        where, values = ("", ()) if device is None else (" WHERE device = ?", (device,))
        row = self._db.execute(f"SELECT count(*), min(at) FROM item{where}", values).fetchone()  # noqa: S608 constant
        return row[0], row[1]

    def acked(self, device: int) -> int:
        """Up to where the city has said that everything is settled."""
        row = self._db.execute("SELECT acked FROM device WHERE key = ?", (device,)).fetchone()
        return row[0] if row else 0

    # --- commands ----------------------------------------------------------------------------------------------

    def command_begun(self, id: str, device: int, kind: str) -> tuple[str, str] | None:
        """Write down that a command is being carried out; what became of it where it was known before."""
        with self._transaction():
            row = self._db.execute("SELECT state, sentence FROM command WHERE id = ?", (id,)).fetchone()
            if row is None:
                self._db.execute(
                    "INSERT INTO command VALUES (?, ?, ?, 'begun', '', ?)", (id, device, kind, self._now())
                )
                self._db.execute("DELETE FROM command WHERE at < ?", (self._now() - 30 * 86_400,))
        return (str(row[0]), str(row[1])) if row else None

    def command_over(self, id: str, state: str, sentence: str) -> None:
        """What became of it, so that a command that is asked again gets the same answer."""
        self._db.execute("UPDATE command SET state = ?, sentence = ? WHERE id = ?", (state, sentence, id))

    # --- size --------------------------------------------------------------------------------------------------

    def size(self) -> int:
        """Bytes in use."""
        pages, free, page = (
            self._db.execute(f"PRAGMA {word}").fetchone()[0] for word in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * page)

    def fits(self) -> bool:
        """Whether it is within its limit."""
        return self.size() <= self._most

    def thin(self) -> list[Thinned]:
        """Make it fit: telemetry that was never sent becomes sparser, the oldest first. Job events, counters and states
        stay whole, and so it may stay too large. What was dropped is told to the city as `x_readings_dropped`."""
        dropped: dict[int, int] = {}
        for seconds, part in STEPS:
            if self.size() <= self._most * 0.9:
                break
            for device, count in self._thin(seconds, part).items():
                dropped[device] = dropped.get(device, 0) + count
        told = [
            Item(device, "r", self._now(), "x_readings_dropped",
                 json.dumps({"channel": "x_readings_dropped", "value": count}))
            for device, count in dropped.items()
        ]  # fmt: skip
        if told:
            self.add(told)
        return [Thinned(device, count) for device, count in dropped.items()]

    def _thin(self, seconds: int, part: float) -> dict[int, int]:
        row = self._db.execute("SELECT min(id), max(id) FROM item WHERE kind = 'r' AND seq IS NULL").fetchone()
        if row[0] is None:
            return {}
        until = row[0] + int((row[1] - row[0] + 1) * part)
        which = (
            "kind = 'r' AND seq IS NULL AND id < :until AND channel NOT LIKE '%\\_total' ESCAPE '\\'"
            " AND channel NOT IN ('state', 'x_readings_dropped')"
        )
        keep = f"SELECT min(id) FROM item WHERE {which} GROUP BY device, channel, CAST(at / :seconds AS INTEGER)"  # noqa: S608
        values = {"until": until, "seconds": seconds}
        with self._transaction():
            counts = self._db.execute(
                f"SELECT device, count(*) FROM item WHERE {which} AND id NOT IN ({keep}) GROUP BY device",  # noqa: S608
                values,
            ).fetchall()
            self._db.execute(f"DELETE FROM item WHERE {which} AND id NOT IN ({keep})", values)  # noqa: S608
        return dict(counts)
