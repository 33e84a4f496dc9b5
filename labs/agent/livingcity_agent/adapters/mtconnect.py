"""MTConnect: machine tools that tell what they do through an agent of their own.

First `current` tells how things stand, then `sample` streams what happens from there on, by sequence. What was heard is
remembered with the sequence in one write, so that a restart of ours neither loses nor repeats; a restart of theirs
(another `instanceId`) begins with `current` again.
"""

import asyncio
import contextlib
import datetime as dt
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NoReturn, Self
from urllib.parse import quote

from livingcity_agent.adapters.base import Adapter, AdapterError, Event, Finding, JobFile, Name, Reading, Sink
from livingcity_agent.adapters.making import Making
from livingcity_agent.adapters.plug import well, wrong
from livingcity_agent.http import Http
from livingcity_agent.parsers import mtconnect as parse
from livingcity_agent.parsers.mtconnect import Header, Item, MTConnectRefused, NotMTConnect, Observation
from livingcity_agent.tables import Table

HEARTBEAT_S = 10
COUNT = 1000
OLDEST = dt.timedelta(days=390)
"""A value that has stood for longer is told as this old: the city does not count what is over 400 days behind."""

_CHANNELS = {
    "wattage": "power_w",
    "electricalenergy": "energy_wh_total",
    "voltage": "voltage_v",
    "voltageac": "voltage_v",
    "powerfactor": "x_power_factor",
    "amperage": "x_current_a",
    "amperageac": "x_current_a",
}


@dataclass
class MTConnect(Adapter):
    """One device of an MTConnect agent. `power_id`, `energy_id`, `execution_id`: the data items to read where the
    machine has several; without them the one nearest to the whole machine.
    """

    kind: ClassVar[str] = "mtconnect"

    address: str = ""
    device: str = ""
    power_id: str = ""
    energy_id: str = ""
    execution_id: str = ""
    interval_s: float = 1.0

    @classmethod
    def configure(cls, table: Table, name: Name) -> Self:
        return cls(
            name,
            table.url("url"),
            table.string("device", ""),
            table.string("power_id", ""),
            table.string("energy_id", ""),
            table.string("execution_id", ""),
            table.number("every_s", 1.0, least=0.1, most=60.0),
        )

    async def run(self, sink: Sink) -> None:
        chosen = self._choose(parse.probe(await self._ask("probe")))
        machine = _Machine(sink, chosen)
        next_sequence = await self._resume(sink, machine)
        while True:
            async with contextlib.aclosing(self._stream(next_sequence)) as bodies:
                async for body in bodies:
                    header, seen = self._read(body)
                    if header.instance != machine.instance:
                        await self._again(machine)
                    machine.take(header, seen)
                    next_sequence = header.next
            await asyncio.sleep(self.interval_s)

    async def _again(self, machine: "_Machine") -> NoReturn:
        machine.take(*self._read(await self._ask("current")))
        raise AdapterError(f"The MTConnect agent at {self.address} was started anew.")

    async def _resume(self, sink: Sink, machine: "_Machine") -> int:
        """Where to go on: after what was heard last, else from how things stand now."""
        header, seen = self._read(await self._ask("current"))
        kept = sink.recall("mtconnect")
        if isinstance(kept, dict) and kept.get("instance") == header.instance and kept["next"] >= header.first:
            machine.know(seen, header)
            return int(kept["next"])
        machine.take(header, seen)
        return header.next

    def _read(self, body: bytes) -> tuple[Header, list[Observation]]:
        try:
            return parse.streams(body)
        except (NotMTConnect, MTConnectRefused) as error:
            raise AdapterError(f"{self.address}: {error}") from None

    def _path(self, request: str) -> str:
        return f"/{quote(self.device)}/{request}" if self.device else f"/{request}"

    async def _ask(self, request: str) -> bytes:
        answer = await Http(self.address, {"Accept": "text/xml"}, timeout_s=8.0).ask("GET", self._path(request))
        try:
            if request == "probe":
                parse.probe(answer.body)
            else:
                parse.streams(answer.body)
        except MTConnectRefused as error:
            if error.code == "NO_DEVICE":
                raise AdapterError(f"{self.address} has no device “{self.device}”.") from None
            raise AdapterError(f"{self.address}: {error}") from None
        except NotMTConnect as error:
            raise AdapterError(f"{self.address} answers, but not as MTConnect does. {error}") from None
        return answer.body

    async def _stream(self, sequence: int) -> AsyncGenerator[bytes, None]:
        """Documents with what happened from a sequence on. Ends when the agent ends it, or does not stream."""
        milliseconds = round(self.interval_s * 1000)
        query = f"?from={sequence}&count={COUNT}&interval={milliseconds}&heartbeat={HEARTBEAT_S * 1000}"
        http = Http(self.address, {"Accept": "text/xml"}, timeout_s=HEARTBEAT_S + 10.0)
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.timeout(HEARTBEAT_S):
                answer = http.stream("GET", self._path("sample") + query)
                status, headers, pieces = await stack.enter_async_context(answer)
            kind = headers.get("content-type", "")
            boundary = re.search(r'boundary="?([^";,\s]+)', kind)
            buffer = bytearray()
            if status == 200 and boundary:
                async for piece in _alive(pieces, HEARTBEAT_S + 10.0, self.address):
                    buffer += piece
                    for part in self._parts(buffer, boundary[1].encode()):
                        yield part
                return
            async for piece in _alive(pieces, HEARTBEAT_S, self.address):
                buffer += piece
                if len(buffer) > parse.MOST_BYTES:
                    raise AdapterError(f"{self.address} answers too much.")
            yield bytes(buffer)

    def _parts(self, buffer: bytearray, boundary: bytes) -> list[bytes]:
        if len(buffer) > 2 * parse.MOST_BYTES:
            raise AdapterError(f"{self.address} sends a part that never ends.")
        try:
            return list(parse.parts(buffer, boundary))
        except NotMTConnect as error:
            raise AdapterError(f"{self.address}: {error}") from None

    def _choose(self, items: Sequence[Item]) -> "_Chosen":
        """The data items to read. Raises AdapterError where a name is not there."""
        mine = [item for item in items if not self.device or item.device in {self.device, ""}] or list(items)
        by_id = {item.id: item for item in mine}
        wanted = {"wattage": self.power_id, "electricalenergy": self.energy_id, "execution": self.execution_id}
        chosen: dict[str, Item] = {}
        for kind in (*_CHANNELS, "execution", "program", "partcount", "emergencystop", "availability"):
            named = wanted.get(kind, "")
            if named and named not in by_id:
                raise AdapterError(f"{self.address} has no data item “{named}”.")
            there = [item for item in mine if item.kind == kind]
            if named:
                chosen[kind] = by_id[named]
            elif there:
                chosen[kind] = min(there, key=_depth)
        return _Chosen({item.id: (kind, item) for kind, item in chosen.items()})

    async def check(self) -> list[Finding]:
        try:
            async with asyncio.timeout(9.5):
                items = parse.probe(await self._ask("probe"))
                chosen = self._choose(items)
                self._read(await self._ask("current"))
        except TimeoutError:
            return [wrong(f"{self.address} took too long to answer.")]
        except AdapterError as error:
            return [wrong(error)]
        devices = sorted({item.device for item in items if item.device})
        if not self.device and len(devices) > 1:
            return [wrong(f"{self.address} has the devices {', '.join(devices)}: say which with “device”.")]
        return self._judge(items, chosen)

    def _judge(self, items: Sequence[Item], chosen: "_Chosen") -> list[Finding]:
        kinds = {kind for kind, _item in chosen.by_id.values()}
        if "execution" not in kinds:
            return [wrong(f"{self.address} does not tell Execution, so no job would be known.")]
        measured = sorted(_CHANNELS[kind] for kind in kinds if kind in _CHANNELS)
        found = [well(f"{self.address} tells jobs and {', '.join(measured) or 'no power'}.")]
        for kind, key in (("wattage", "power_id"), ("electricalenergy", "energy_id"), ("execution", "execution_id")):
            there = [item.id for item in items if item.kind == kind]
            read = next((item.id for k, item in chosen.by_id.values() if k == kind), "")
            if len(there) > 1 and not getattr(self, key):
                found.append(well(f"There are {', '.join(there)}; {read} is read. Another one: {key} = “…”."))
        return found


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The data items that are read: id -> its kind and itself."""

    by_id: dict[str, tuple[str, Item]]


class _Machine:
    """What the machine does, from what is observed in order."""

    def __init__(self, sink: Sink, chosen: _Chosen) -> None:
        self._sink, self._chosen = sink, chosen
        self._making = Making(sink)
        self.instance = ""
        self._program, self._parts, self._parts_before = "", 0.0, 0.0

    def know(self, seen: Sequence[Observation], header: Header) -> None:
        """How things stand, without telling it: what led there follows."""
        self.instance = header.instance
        for observation in seen:
            kind, _item = self._chosen.by_id.get(observation.item, ("", None))
            if kind == "program" and observation.known:
                self._program = observation.value

    def take(self, header: Header, seen: Sequence[Observation]) -> None:
        """What happened, in order; then where to go on is remembered."""
        self.instance = header.instance
        now = dt.datetime.now(dt.UTC)
        ahead = (header.created - now) if header.created else dt.timedelta()
        for observation in seen:
            if observation.item in self._chosen.by_id and observation.known:
                at = min(max(observation.at - ahead, now - OLDEST), now) if observation.at else now
                self._one(*self._chosen.by_id[observation.item], observation, at)
        self._sink.remember({"mtconnect": {"instance": header.instance, "next": header.next}})

    def _one(self, kind: str, item: Item, said: Observation, at: dt.datetime) -> None:
        if kind in _CHANNELS:
            value = item.scaled(said.value)
            if value is not None and not (kind == "electricalenergy" and value < 0):
                self._sink.reading(Reading(_CHANNELS[kind], value, at))
        elif kind == "program":
            self._program = said.value
        elif kind == "partcount":
            with contextlib.suppress(ValueError):
                self._parts = float(said.value)
                self._sink.reading(Reading("x_part_count", self._parts, at))
        elif kind == "emergencystop" and said.value == "TRIGGERED":
            self._making.see("error", at)
        elif kind == "execution":
            self._execution(said.value, at)

    def _execution(self, value: str, at: dt.datetime) -> None:
        state = parse.EXECUTION.get(value)
        if state is None:
            return
        if state == "making" and not self._making.running:
            self._parts_before = self._parts
        ends: Event = "finished"
        if value == "STOPPED" and self._parts <= self._parts_before:
            ends = "cancelled"
        file = JobFile(self._program.replace("\\", "/").rpartition("/")[2][:200]) if self._program else None
        starts = state == "making" and not self._making.running
        self._making.see(state, at, file=file if starts else None, ends_as=ends)


def _depth(item: Item) -> int:
    """How near a data item is to the whole machine: its electric system, then the device, then the rest."""
    return {"Electric": 0, "EnclosureSystem": 3, "Device": 1, "Systems": 1, "Controller": 1, "Path": 2}.get(
        item.component, 4
    )


async def _alive(pieces: AsyncIterator[bytes], silent_s: float, address: str) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(silent_s):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise AdapterError(f"{address} sent nothing for {silent_s:g} s, not even a heartbeat.") from None
        yield piece
