"""The one way in for what devices say, whichever door it came by: HTTP, MQTT, or the city itself.

`Intake.submit` takes a body as it stands on the wire and answers what goes back to the device. An answer of status 200
means: committed in PostgreSQL. Nothing is kept of a body that is answered with anything else, but with 503 it may have
been: the device sends it again, and what is stored already is not stored twice.

Group commit: a body is read where it arrives, and waits for a thread that writes. Whenever one is free it takes all
that waits, of all devices and doors, as one transaction (`services.ingest_many`). So the busier it gets the larger the
groups grow, and a commit costs each body less. Job events are taken together likewise, each body in a savepoint. A
group that fails is tried again, at last body by body, so that one bad body hurts no other.
"""

import asyncio
import functools
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from commons import sockets
from commons.devices import services
from commons.devices.errors import DeviceRevoked, IngestAway, IngestBroken, NobodyTakesJobs, Unreadable
from commons.devices.models import Device
from commons.devices.reading import Reader
from commons.errors import CityError
from commons.watching import measures

log = logging.getLogger(__name__)

Kind = Literal["telemetry", "jobs"]

PATIENCE_S = 6.0
"""How long a body waits for a database that is away."""
TOGETHER = 3
"""How often a group is tried as a whole when the database is there but refuses it."""
GROUP_READINGS = 30_000
WRITERS, FEW = 2, 4_000
"""So many groups are written at once: while one waits for the disk, the other's rows are on their way. A second begins
with no fewer readings than FEW."""
WAITING_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the device: an acknowledgement (200) or a problem document, as JSON."""

    status: int
    body: bytes


@dataclass(slots=True)
class Waiting:
    """A body between its arrival and its answer."""

    future: "asyncio.Future[Answer]"
    device: uuid.UUID
    size: int
    until: float
    readings: int = 1
    sent: services.Sent | None = None
    work: Callable[[], dict[str, Any]] | None = None


Store = Callable[[list[Waiting]], list[Answer]]
"""Writes a group down in one transaction and answers each when it is committed."""


class Intake:
    """What one process takes in. `submit` may be awaited from any event loop; `close` ends the threads."""

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s
        self._size = 0
        self._lock = threading.Lock()
        self._reader = Reader()
        self._telemetry = Line(
            "telemetry", functools.partial(self._take_group, _store_telemetry), self._deliver, writers=WRITERS
        )
        self._jobs = Line("jobs", functools.partial(self._take_group, _store_jobs), self._deliver)

    async def submit(self, *, device: uuid.UUID, kind: Kind, body: bytes, token_sha256: bytes | None = None) -> Answer:
        """Store what the body says, once, and answer when it is committed. `device` has proven who it is; if it did so
        by a token that may end meanwhile, `token_sha256` is looked at again when it is stored (else 401)."""
        if self._size + len(body) > WAITING_BYTES:
            return refused(IngestAway(_("Too much waits to be stored; send it again in a few seconds.")))
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting = Waiting(future, device, len(body), time.monotonic() + self.patience_s)
        if kind == "telemetry":
            try:
                batch, count = self._reader.read(body)
            except CityError as refusal:
                return refused(refusal)
            waiting.sent = services.Sent(device, batch, count, token_sha256)
            measures.count("city_ingest_readings_total", count)
            waiting.readings = max(count, 1)  # a body without any is to be answered too
        else:
            waiting.work = functools.partial(_jobs, device, body, token_sha256)
        with self._lock:
            self._size += waiting.size
        (self._telemetry if kind == "telemetry" else self._jobs).put(waiting)
        return await future

    def close(self) -> None:
        """End the threads and their connections; what was submitted is finished first."""
        for line in (self._telemetry, self._jobs):
            line.close()

    # The rest runs in the threads.

    def _deliver(self, answered: Iterable[tuple[Waiting, Answer]]) -> None:
        """Give the answers to whom they are for, with one wake-up of each event loop."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Answer], Answer]]] = {}
        size = 0
        for waiting, answer in answered:
            size += waiting.size
            by_loop.setdefault(waiting.future.get_loop(), []).append((waiting.future, answer))
        with self._lock:
            self._size -= size
        for loop, answers in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, answers)
            except RuntimeError:  # the loop is closed: nobody waits any more
                log.debug("%d answers that nobody waits for", len(answers))

    def _take_group(self, store: Store, group: list[Waiting]) -> None:
        """Store a group; each of it is answered in the end."""
        attempt = 0
        while group:
            try:
                answers = store(group)
            except (OperationalError, InterfaceError) as fault:
                away = _drop_connection()
                attempt += 1
                if not away and attempt >= TOGETHER:
                    self._split(store, group, fault)
                    return
                group = self._without_old(group)
                time.sleep(min(0.02 * 2**attempt, 0.5) if away else 0.01 * attempt)
            except Exception as fault:
                connection.close()
                self._split(store, group, fault)
                return
            else:
                self._deliver(zip(group, answers, strict=True))
                return

    def _split(self, store: Store, group: list[Waiting], fault: Exception) -> None:
        """Each of the group by itself, in their order; the one that fails alone is the one at fault."""
        if len(group) > 1:
            for one in group:
                self._take_group(store, [one])
            return
        log.error("a body of device %s cannot be stored", group[0].device, exc_info=fault)
        self._deliver([(group[0], _broken(fault))])

    def _without_old(self, group: list[Waiting]) -> list[Waiting]:
        """The group without those whose patience is over, who are told so."""
        now = time.monotonic()
        old = [one for one in group if one.until <= now]
        if old:
            log.warning("the database is away: %d bodies were not stored", len(old))
            self._deliver((one, refused(_away())) for one in old)
        return [one for one in group if one.until > now]


class Line:
    """Threads that take what waits, whenever one is free; what they cannot answer they leave to `work`.

    Bodies of one device are never in two threads at once, so they are stored in the order in which they came. While one
    thread writes, another begins only where at least `FEW` readings wait: two small groups cost more than one.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[Waiting]], None],
        deliver: Callable[[Iterable[tuple[Waiting, Answer]]], None],
        writers: int = 1,
    ) -> None:
        self._work, self._deliver = work, deliver
        self._waiting: deque[Waiting] = deque()
        self._readings = 0
        self._busy: set[uuid.UUID] = set()
        self._writing = 0
        self._news = threading.Condition()
        self._closed = self._started = False
        self._threads = [
            threading.Thread(target=self._run, name=f"intake-{name}-{n}", daemon=True) for n in range(writers)
        ]

    def put(self, waiting: Waiting) -> None:
        """Let it wait."""
        if not self._started:
            self._started = True
            for thread in self._threads:
                thread.start()
        with self._news:
            self._waiting.append(waiting)
            self._readings += waiting.readings
            self._news.notify_all()

    def close(self) -> None:
        """Finish what waits, then end."""
        if self._started:
            with self._news:
                self._closed = True
                self._news.notify_all()
            for thread in self._threads:
                thread.join()

    def _run(self) -> None:
        try:
            while group := self._group():
                try:
                    self._work(group)
                except Exception as fault:  # a fault of ours must not leave anybody without an answer
                    log.exception("the intake failed")
                    self._deliver((one, _broken(fault)) for one in group if not one.future.done())
                with self._news:
                    self._busy.difference_update([one.device for one in group])
                    self._writing -= 1
                    self._news.notify_all()
        finally:
            connection.close()

    def _group(self) -> list[Waiting]:
        """All that waits and that no other thread's group must come before; nothing when the line is closed."""
        with self._news:
            while True:
                if self._readings >= (FEW if self._writing else 1) and (group := self._free()):
                    self._writing += 1
                    return group
                if self._closed and not self._waiting:
                    return []
                self._news.wait()

    def _free(self) -> list[Waiting]:
        """What may be stored now, in its order."""
        group: list[Waiting] = []
        left: list[Waiting] = []
        readings = 0
        while self._waiting and readings < GROUP_READINGS:
            one = self._waiting.popleft()
            if one.device in self._busy:
                left.append(one)
            else:
                group.append(one)
                readings += one.readings
        self._waiting.extendleft(reversed(left))
        self._readings -= readings
        self._busy.update(one.device for one in group)
        return group


def _resolve(answers: "list[tuple[asyncio.Future[Answer], Answer]]") -> None:
    for future, answer in answers:
        if not future.done():
            future.set_result(answer)


def _drop_connection() -> bool:
    """Give up a connection after a fault; whether it was the connection (or its server) that failed."""
    driver = connection.connection
    lost = driver is None or driver.closed or driver.broken
    connection.close()
    return lost


def _store_telemetry(group: list[Waiting]) -> list[Answer]:
    sent = [one.sent for one in group if one.sent is not None]
    return [_told(answer) for answer in services.ingest_many(sent=sent)]


@transaction.atomic
def _store_jobs(group: list[Waiting]) -> list[Answer]:
    """Job events of many devices, the devices in the order of their ids as readings take them, each its own in order. A
    body that is refused leaves nothing behind and hurts no other."""
    answers: dict[int, Answer] = {}
    for at in sorted(range(len(group)), key=lambda n: group[n].device):
        work = group[at].work
        assert work is not None  # noqa: S101 whoever put it here has set it
        try:
            with transaction.atomic():
                answers[at] = Answer(200, orjson.dumps(work()))
        except CityError as refusal:
            answers[at] = refused(refusal)
    return [answers[at] for at in range(len(group))]


def _told(answer: "services.Ack | CityError") -> Answer:
    if isinstance(answer, CityError):
        return refused(answer)
    return Answer(200, orjson.dumps(answer.as_dict()))


def refused(refusal: CityError) -> Answer:
    """A refusal as an answer."""
    return Answer(refusal.status, orjson.dumps(refusal.problem(), default=str))


def _away() -> CityError:
    return IngestAway(
        _("The database is away just now; keep it and send it again in a few seconds. Nothing is stored twice.")
    )


def _broken(fault: Exception) -> Answer:
    return refused(IngestBroken(_("This could not be stored: %(why)s.") % {"why": type(fault).__name__}))


def _jobs(device: uuid.UUID, body: bytes, token_sha256: bytes | None) -> dict[str, Any]:
    takers = list(sockets.job_takers)
    if not takers:
        raise NobodyTakesJobs(_("This city has no labs, so nobody takes job events in."))
    found = Device.objects.filter(pk=device, revoked_at=None).first()
    if found is None:
        raise DeviceRevoked(_("This device was revoked; enrol it again with a new code."))
    if token_sha256 is not None and token_sha256 != bytes(found.token_sha256 or b""):
        raise DeviceRevoked(_("This device token is not known or was revoked."))
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(_("The body is not JSON: %(why)s.") % {"why": error}) from None
    return dict(takers[0].take(found, document))
