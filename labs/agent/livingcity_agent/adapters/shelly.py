"""Shelly plugs and meters of all generations, over HTTP or through the lab's broker.

Over HTTP the device is asked every `every_s`. Over MQTT it speaks by itself; one of the second generation is also
asked, for as it leaves the factory it tells of changes alone. What it says is read in `parsers.shelly`.
"""

import asyncio
import datetime as dt
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import aiomqtt

from livingcity_agent.adapters.base import Adapter, AdapterError, Command, CommandKind, Finding, Name, Refused, Sink
from livingcity_agent.adapters.broker import Broker, either, first, payload, publish, subscribe
from livingcity_agent.adapters.plug import Use, channels_of, only, tell, watts, well, wish, wrong
from livingcity_agent.http import Answer, BadStatus, Http
from livingcity_agent.parsers import shelly as parse
from livingcity_agent.parsers.measured import Measured, number, table, total
from livingcity_agent.tables import Table

SILENT_S = 300.0
ANSWER_S = 7.0


@dataclass
class Shelly(Adapter):
    """One device; `channels` are summed. Either `address` or `broker` and `topic` are set."""

    kind: ClassVar[str] = "shelly"
    commands: ClassVar[frozenset[CommandKind]] = frozenset({"relay"})

    address: str = ""
    user: str = "admin"
    password: str = field(default="", repr=False)
    broker: Broker | None = None
    topic: str = ""
    channels: tuple[int, ...] = (0,)
    use: Use = field(default_factory=Use)

    @classmethod
    def configure(cls, table: Table, name: Name) -> Self:
        over_mqtt = "broker" in table.values
        return cls(
            name,
            address="" if over_mqtt else table.url("url"),
            user=table.string("user", "admin"),
            password="" if over_mqtt else table.secret("password", ""),
            broker=Broker.configure(table) if over_mqtt else None,
            topic=table.string("topic").strip("/") if over_mqtt else "",
            channels=channels_of(table, (0,), least=0),
            use=Use.configure(table),
        )

    async def run(self, sink: Sink) -> None:
        if self.broker:
            await self._listen(self.broker, sink)
            return
        generation, teller = await self._generation(), self.use.jobs.teller(sink)
        while True:
            tell(teller, total(await self._parts(generation), self.channels))
            await asyncio.sleep(self.use.interval_s)

    # --- over HTTP

    def _http(self) -> Http:
        return Http(self.address, user=self.user if self.password else "", password=self.password, timeout_s=5.0)

    async def _generation(self) -> int:
        answer = await self._http().ask("GET", "/shelly")
        said = _json(answer)
        if answer.status == 200 and number(said.get("gen")) is not None:
            return int(said["gen"])
        if answer.status == 200 and "type" in said and "mac" in said:
            return 1
        raise AdapterError(f"{self.address} answers, but what answers is no Shelly.")

    async def _ask(self, path: str) -> Mapping[str, Any]:
        answer = await self._http().ask("GET", path)
        if answer.status == 401:
            missing = "wants a password: set “password”" if not self.password else "refuses the password"
            raise AdapterError(f"The Shelly at {self.address} {missing}.")
        said = _json(answer)
        if answer.status != 200:
            text = str(said.get("message", ""))[:120].rstrip(".")
            raise BadStatus(f"The Shelly at {self.address} answers {answer.status}{text and f' ({text})'}.", answer)
        return said

    async def _parts(self, generation: int) -> dict[int, Measured]:
        if generation == 1:
            return parse.gen1_status(await self._ask("/status"))
        return parse.gen2_status(await self._ask("/rpc/Shelly.GetStatus"))

    # --- through a broker

    @property
    def _first_generation(self) -> bool:
        return self.topic.startswith("shellies/")

    async def _listen(self, broker: Broker, sink: Sink) -> None:
        async with broker.connected() as client:
            here = _Conversation(self.topic, self._first_generation)
            await subscribe(client, here.topics)
            await either(self._hear(client, here, sink), self._nudge(client, here))

    async def _hear(self, client: aiomqtt.Client, here: "_Conversation", sink: Sink) -> None:
        teller = self.use.jobs.teller(sink)
        async for message in client.messages:
            if message.retain:
                continue  # of unknown age
            touched = here.take(str(message.topic), payload(message))
            mine = {n: said for n, said in touched.items() if n in self.channels}
            if mine:
                told = Measured()
                for said in mine.values():
                    told = said.over(told)
                tell(teller, only(total(here.parts, self.channels), told))

    async def _nudge(self, client: aiomqtt.Client, here: "_Conversation") -> None:
        while True:
            await publish(client, *here.question())
            await asyncio.sleep(max(self.use.interval_s, 30.0) if self._first_generation else self.use.interval_s)
            if time.monotonic() - here.heard > SILENT_S:
                raise AdapterError(f"Nothing was heard from {self.topic} for {SILENT_S / 60:.0f} minutes.")

    # --- check

    async def check(self) -> list[Finding]:
        try:
            async with asyncio.timeout(9.5):
                return await (self._check_broker(self.broker) if self.broker else self._check_http())
        except TimeoutError:
            return [wrong(f"{self.address or self.topic} took too long to answer.")]
        except AdapterError as error:
            return [wrong(error)]

    async def _check_http(self) -> list[Finding]:
        generation = await self._generation()
        parts = await self._parts(generation)
        return self._judge(parts, f"The Shelly at {self.address} (generation {generation})")

    async def _check_broker(self, broker: Broker) -> list[Finding]:
        async with broker.connected() as client:
            here = _Conversation(self.topic, self._first_generation)
            await subscribe(client, here.topics)
            await publish(client, *here.question())

            def enough(message: aiomqtt.Message) -> bool:
                here.take(str(message.topic), payload(message))
                return total(here.parts, self.channels).power_w is not None

            if await first(client, enough, within_s=ANSWER_S) is None and not here.parts:
                kind = "shellies/<id>" if self._first_generation else "the “MQTT prefix” of its page Settings, MQTT"
                return [
                    wrong(
                        f"The broker {broker.url} is well, but nothing comes from {self.topic}. "
                        f"“topic” is {kind}; and the Shelly must be set to this broker."
                    )
                ]
        return self._judge(here.parts, f"The Shelly {self.topic}")

    def _judge(self, parts: Mapping[int, Measured], who: str) -> list[Finding]:
        metered = list(parse.metered(parts))
        if not metered:
            return [wrong(f"{who} measures nothing. Is it one with a power meter (Plug, PM, EM)?")]
        if missing := [n for n in self.channels if n not in metered]:
            return [wrong(f"{who} has no metered channel {missing[0]}; it has {', '.join(map(str, metered))}.")]
        found = [well(f"{who} measures {watts(total(parts, self.channels))}.")]
        if left := [n for n in metered if n not in self.channels]:
            others = ", ".join(map(str, left))
            found.append(well(f"{who} also measures channel {others}, which is not read here."))
        return found

    # --- switching

    async def carry_out(self, command: Command) -> str:
        on, for_s = wish(self, self.use, command)
        try:
            for channel in self.channels:
                await self._switch(channel, on, for_s)
        except (AdapterError, TimeoutError) as error:
            raise Refused(f"{self.name.label} did not do it: {error}") from None
        if not on:
            return f"{self.name.label} is off."
        until = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=for_s)).isoformat(timespec="seconds")
        return f"{self.name.label} is on and switches itself off at {until}."

    async def _switch(self, channel: int, on: bool, for_s: int) -> None:
        if self.broker is None and await self._generation() == 1:
            await self._switch_gen1(channel, on, for_s)
            return
        if self.broker and self._first_generation:
            raise AdapterError("over MQTT a first-generation Shelly has no timer; give its address instead.")
        params: dict[str, Any] = {"id": channel, "on": on}
        await self._rpc("Switch.Set", params | ({"toggle_after": for_s} if on else {}))
        said = await self._rpc("Switch.GetStatus", {"id": channel})
        if on and said.get("output") is True and parse.gen2_timer(said) is None:
            await self._rpc("Switch.Set", {"id": channel, "on": False})
            raise AdapterError("its own timer did not start, so it was switched off again.")
        if said.get("output") is not on:
            raise AdapterError(f"it says that it is {'off' if on else 'on'}.")

    async def _switch_gen1(self, channel: int, on: bool, for_s: int) -> None:
        said = await self._ask(f"/relay/{channel}?turn=on&timer={for_s}" if on else f"/relay/{channel}?turn=off")
        if on and said.get("ison") is True and said.get("has_timer") is not True:
            await self._ask(f"/relay/{channel}?turn=off")
            raise AdapterError("its own timer did not start, so it was switched off again.")
        if said.get("ison") is not on:
            raise AdapterError(f"it says that it is {'off' if on else 'on'}.")

    async def _rpc(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.broker:
            return await self._rpc_mqtt(self.broker, method, params)
        answer = await self._http().ask("POST", "/rpc", json_body={"id": 1, "method": method, "params": params})
        if answer.status == 401:
            raise AdapterError("it refuses the password.")
        return _result(_json(answer))

    async def _rpc_mqtt(self, broker: Broker, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        async with broker.connected() as client:
            asked = _Question(method, params)
            await subscribe(client, [asked.reply])
            await publish(client, f"{self.topic}/rpc", asked.body)
            answer = await first(client, lambda message: str(message.topic) == asked.reply, within_s=5.0)
            if answer is None:
                raise AdapterError("it did not answer.")
            return _result(_loads(payload(answer)))


@dataclass
class _Question:
    """A remote procedure call over MQTT: the answer comes to a topic that the caller chose."""

    method: str
    params: Mapping[str, Any]
    source: str = field(default_factory=lambda: f"livingcity-agent/{secrets.token_hex(5)}")

    @property
    def reply(self) -> str:
        return f"{self.source}/rpc"

    @property
    def body(self) -> bytes:
        return json.dumps({"id": 1, "src": self.source, "method": self.method, "params": self.params}).encode()


@dataclass
class _Conversation:
    """What one device said over MQTT so far, by part."""

    topic: str
    first_generation: bool
    parts: dict[int, Measured] = field(default_factory=dict)
    heard: float = field(default_factory=time.monotonic)
    asked: _Question = field(default_factory=lambda: _Question("Shelly.GetStatus", {}))

    @property
    def topics(self) -> list[str]:
        if self.first_generation:
            return [f"{self.topic}/#"]
        return [f"{self.topic}/status/+", f"{self.topic}/events/rpc", f"{self.topic}/online", self.asked.reply]

    def question(self) -> tuple[str, bytes]:
        """Topic and body by which the device is asked to say everything."""
        return (f"{self.topic}/command", b"update") if self.first_generation else (f"{self.topic}/rpc", self.asked.body)

    def take(self, topic: str, body: bytes) -> dict[int, Measured]:
        """What a message says anew, by part; it is also put over what is known."""
        touched = self._read(topic, body)
        if touched:
            self.heard = time.monotonic()
        for n, said in touched.items():
            self.parts[n] = said.over(self.parts.get(n, Measured()))
        return touched

    def _read(self, topic: str, body: bytes) -> dict[int, Measured]:
        rest = topic.removeprefix(f"{self.topic}/")
        if rest == "online":
            if body.strip() == b"false":
                self.parts.clear()
            return {}
        if self.first_generation:
            found = parse.gen1_topic(rest, body)
            return dict([found]) if found else {}
        if topic == self.asked.reply:
            return parse.gen2_status(_loads(body).get("result"))
        if rest == "events/rpc":
            return parse.gen2_notification(_loads(body))
        if rest.startswith("status/"):
            found = parse.gen2_component(rest.removeprefix("status/"), _loads(body))
            return dict([found]) if found else {}
        return {}


def _result(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if error := table(answer.get("error")):
        raise AdapterError(f"it refuses: {str(error.get('message', ''))[:120].rstrip('.')}.")
    return table(answer.get("result"))


def _json(answer: Answer) -> Mapping[str, Any]:
    return _loads(answer.body)


def _loads(body: bytes) -> Mapping[str, Any]:
    try:
        return table(json.loads(body))
    except (ValueError, RecursionError):
        return {}
