"""Any machine, plug or meter that speaks over MQTT: somebody describes which value stands where on which topic."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

import aiomqtt

from livingcity_agent.adapters.base import Adapter, AdapterError, Finding, Name, Reading, Sink
from livingcity_agent.adapters.broker import Broker, either, payload, subscribe
from livingcity_agent.adapters.generic import Jobs
from livingcity_agent.adapters.plug import well, wrong
from livingcity_agent.parsers.values import NoValue, Value, document_of
from livingcity_agent.tables import Table

ANSWER_S = 7.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A value and the topic on which it comes."""

    topic: str
    value: Value


@dataclass
class MqttGeneric(Adapter):
    """Values on topics. `retained`: whether to believe what the broker kept, whose age nobody knows."""

    kind: ClassVar[str] = "mqtt"

    broker: Broker = field(default_factory=lambda: Broker(""))
    values: tuple[Heard, ...] = ()
    jobs: Jobs = field(default_factory=Jobs)
    retained: bool = False
    silent_s: float = 0.0

    @classmethod
    def configure(cls, table: Table, name: Name) -> Self:
        values = tuple(_heard(inner) for inner in table.tables("value"))
        if not values:
            table.fault("value", "is missing: describe what to read, each under [[device.source.value]].")
        return cls(
            name,
            Broker.configure(table),
            values,
            Jobs.configure(table, {heard.value.channel for heard in values}),
            table.flag("retained"),
            table.number("silent_s", 0.0, most=7 * 86_400),
        )

    async def run(self, sink: Sink) -> None:
        async with self.broker.connected() as client:
            await subscribe(client, sorted({heard.topic for heard in self.values}))
            heard = asyncio.Event()
            work = [self._hear(client, sink, heard)]
            if self.silent_s:
                work.append(self._watch(heard))
            await either(*work)

    async def _hear(self, client: aiomqtt.Client, sink: Sink, heard: asyncio.Event) -> None:
        teller = self.jobs.teller(sink)
        async for message in client.messages:
            if message.retain and not self.retained:
                continue
            heard.set()
            for n, read in self._read(message).items():
                if isinstance(read, Reading):
                    teller.reading(read)
                else:
                    teller.missed(f"{self.name.place}: {self.values[n].topic}: {read}")

    def _read(self, message: aiomqtt.Message) -> Mapping[int, Reading | NoValue]:
        found: dict[int, Reading | NoValue] = {}
        document = document_of(payload(message))
        for n, wanted in enumerate(self.values):
            if message.topic.matches(wanted.topic):
                try:
                    found[n] = wanted.value.read(document)
                except NoValue as error:
                    found[n] = error
        return found

    async def _watch(self, heard: asyncio.Event) -> None:
        while True:
            heard.clear()
            try:
                async with asyncio.timeout(self.silent_s):
                    await heard.wait()
            except TimeoutError:
                raise AdapterError(f"Nothing was heard for {self.silent_s:g} s.") from None

    async def check(self) -> list[Finding]:
        last: dict[int, Reading | NoValue] = {}
        try:
            async with self.broker.connected() as client:
                await subscribe(client, sorted({heard.topic for heard in self.values}))
                try:
                    async with asyncio.timeout(ANSWER_S):
                        async for message in client.messages:
                            last |= self._read(message)
                            if len(last) == len(self.values):
                                break
                except TimeoutError:
                    pass
        except AdapterError as error:
            return [wrong(error)]
        return [_judge(heard, last.get(n)) for n, heard in enumerate(self.values)]


def _judge(heard: Heard, said: Reading | NoValue | None) -> Finding:
    if isinstance(said, Reading):
        return well(f"{heard.topic} gives {said.channel} = {said.value}.")
    if said is not None:
        return wrong(f"{heard.topic}: {said}")
    return wrong(f"Nothing came on {heard.topic} within {ANSWER_S:g} s: is the topic right, or does it speak seldom?")


def _heard(table: Table) -> Heard:
    topic = table.string("topic")
    levels = topic.split("/")
    if any(("#" in level or "+" in level) and level not in {"#", "+"} for level in levels) or "#" in levels[:-1]:
        table.fault("topic", "is no topic: + stands for one whole level, # for all that follow.")
    heard = Heard(topic, Value.configure(table))
    table.done()
    return heard
