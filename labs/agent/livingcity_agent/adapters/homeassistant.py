"""Home Assistant: an outlet that shows there what the other sources of the same device tell.

Each value appears by itself (MQTT discovery) once it was heard. When Home Assistant says that it has started, all is
announced anew; when the agent stops or dies, its entities become unavailable.
"""

import asyncio
import contextlib
import json
import random
import time
from dataclasses import dataclass, field
from typing import ClassVar, Self

import aiomqtt

from livingcity_agent.adapters.base import Adapter, AdapterError, Finding, JobEvent, Name, Reading, Sink
from livingcity_agent.adapters.broker import Broker, either, payload, publish, subscribe
from livingcity_agent.adapters.plug import well, wrong
from livingcity_agent.parsers.homeassistant import JobEnergy, Node, node_id, value_of
from livingcity_agent.tables import Table

BIRTH_DELAY_S = 3.0
_OVER = frozenset({"finished", "failed", "cancelled"})


@dataclass
class HomeAssistant(Adapter):
    """One device there. At most one value an entity is sent each `every_s`."""

    kind: ClassVar[str] = "homeassistant"

    broker: Broker = field(default_factory=lambda: Broker(""))
    prefix: str = "homeassistant"
    base: str = "livingcity"
    interval_s: float = 5.0
    _values: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _due: set[str] = field(default_factory=set, repr=False, compare=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, repr=False, compare=False)
    _energy: JobEnergy = field(default_factory=JobEnergy, repr=False, compare=False)
    _sink: Sink | None = field(default=None, repr=False, compare=False)

    @classmethod
    def configure(cls, table: Table, name: Name) -> Self:
        made = cls(
            name,
            Broker.configure(table),
            table.string("prefix", "homeassistant").strip("/"),
            table.string("base", "livingcity").strip("/"),
            table.number("every_s", 5.0, least=0.1, most=300.0),
        )
        for key in ("prefix", "base"):
            if set(getattr(made, key)) & set("+#"):
                table.fault(key, "is no topic: it may not hold + or #.")
        return made

    @property
    def node(self) -> Node:
        """What it is there."""
        return Node(self.name.label, node_id(self.name.label, self.name.place), self.prefix, self.base)

    # --- what the device says

    def hear(self, source: Adapter, said: Reading | JobEvent) -> None:
        if isinstance(said, JobEvent):
            self._hear_job(said)
            return
        if said.channel == "energy_wh_total" and not isinstance(said.value, str):
            self._energy.counter(said.value)
            self._keep()
        elif said.channel == "power_w" and not isinstance(said.value, str):
            at_s = said.at.timestamp() if said.at else time.time()
            self._energy.power(said.value, at_s)
        if (found := value_of(said.channel, said.value)) is not None:
            self._show(*found)

    def _hear_job(self, event: JobEvent) -> None:
        if event.event == "started":
            self._energy.begin(event.job)
            self._show("job", (event.file.name if event.file and event.file.name else event.job)[:250])
        elif event.event in _OVER and self._energy.job == event.job:
            if (used := self._energy.end()) is not None:
                self._show("last_job_energy", f"{used / 1000:.6f}")
        elif event.progress is not None:
            self._show(*(value_of("progress", event.progress) or ("", "")))
        self._keep()

    def _keep(self) -> None:
        if self._sink:
            running = {"job": self._energy.job, "wh": self._energy.wh, "measured": self._energy.measured}
            self._sink.remember({"running": running if self._energy.job else None})

    def _show(self, entity: str, text: str) -> None:
        if entity:
            self._values[entity] = text
            self._due.add(entity)
            self._wake.set()

    # --- telling it

    async def run(self, sink: Sink) -> None:
        self._sink = sink
        kept = sink.recall("running")
        if isinstance(kept, dict) and not self._energy.job:
            self._energy.job, self._energy.wh = str(kept["job"]), float(kept["wh"])
            self._energy.measured = bool(kept["measured"])
        node, announced = self.node, set[str]()
        will = aiomqtt.Will(node.availability, b"offline", qos=1, retain=True)
        async with self.broker.connected(will) as client:
            await subscribe(client, [node.birth])
            await publish(client, node.availability, b"online", qos=1, retain=True)
            self._due |= self._values.keys()
            try:
                await either(self._births(client, node, announced), self._tell(client, node, announced))
            finally:
                with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
                    async with asyncio.timeout(1.0):
                        await client.publish(node.availability, b"offline", qos=1, retain=True)

    async def _births(self, client: aiomqtt.Client, node: Node, announced: set[str]) -> None:
        async for message in client.messages:
            if str(message.topic) == node.birth and payload(message) == b"online":
                # not all at once with every other program of the house
                await asyncio.sleep(random.uniform(0, BIRTH_DELAY_S))  # noqa: S311 no secret
                announced.clear()
                await publish(client, node.availability, b"online", qos=1, retain=True)
                self._due |= self._values.keys()
                self._wake.set()

    async def _tell(self, client: aiomqtt.Client, node: Node, announced: set[str]) -> None:
        while True:
            self._wake.clear()
            for entity in sorted(self._due):
                self._due.discard(entity)
                if entity not in announced:
                    body = json.dumps(node.config(entity), ensure_ascii=False)
                    await publish(client, node.config_topic(entity), body, qos=1, retain=True)
                    announced.add(entity)
                await publish(client, node.state_topic(entity), self._values[entity], qos=1, retain=True)
            await asyncio.sleep(self.interval_s)
            await self._wake.wait()

    async def check(self) -> list[Finding]:
        try:
            async with self.broker.connected() as client:
                await subscribe(client, [self.node.birth])
        except AdapterError as error:
            return [wrong(error)]
        except TimeoutError:
            return [wrong(f"The broker {self.broker.url} took too long to answer.")]
        return [well(f"The broker {self.broker.url} is well; Home Assistant finds the device there by itself.")]
