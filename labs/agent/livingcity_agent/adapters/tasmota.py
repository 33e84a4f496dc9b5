"""Tasmota plugs and meters, over HTTP or through the lab's broker. What they say is read in `parsers.tasmota`.

Over MQTT the device speaks by itself only every `TelePeriod` (300 s), which is too seldom for the energy of one job,
so it is asked for `STATUS 8` every `every_s`.
"""

import asyncio
import datetime as dt
import json
import time
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlencode

import aiomqtt

from livingcity_agent.adapters.base import (
    Adapter,
    AdapterError,
    Command,
    CommandKind,
    Finding,
    Name,
    Reading,
    Refused,
    Sink,
)
from livingcity_agent.adapters.broker import Broker, either, first, payload, publish, subscribe
from livingcity_agent.adapters.plug import Use, channels_of, tell, watts, well, wish, wrong
from livingcity_agent.http import BadStatus, Http
from livingcity_agent.parsers import tasmota as parse
from livingcity_agent.parsers.measured import table
from livingcity_agent.tables import Table

SILENT_S = 300.0
ANSWER_S = 7.0
FULL_TOPIC = "%prefix%/%topic%/"


@dataclass
class Tasmota(Adapter):
    """One device; `channels` (from 1; empty: all) are summed. `zone`: the device's own, where its clock is to be
    believed; without it the time of arrival stands. Either `address` or `broker` and `topic` are set.
    """

    kind: ClassVar[str] = "tasmota"
    commands: ClassVar[frozenset[CommandKind]] = frozenset({"relay"})

    address: str = ""
    user: str = "admin"
    password: str = field(default="", repr=False)
    broker: Broker | None = None
    topic: str = ""
    full_topic: str = FULL_TOPIC
    channels: tuple[int, ...] = ()
    zone: dt.tzinfo | None = None
    use: Use = field(default_factory=Use)

    @classmethod
    def configure(cls, table: Table, name: Name) -> Self:
        over_mqtt = "broker" in table.values
        full_topic = table.string("full_topic", FULL_TOPIC) if over_mqtt else FULL_TOPIC
        if not {"%prefix%", "%topic%"} <= set(full_topic.split("/")):
            table.fault("full_topic", "must have %prefix% and %topic% between its slashes, as Tasmota shows it.")
        return cls(
            name,
            address="" if over_mqtt else table.url("url"),
            user=table.string("user", "admin"),
            password="" if over_mqtt else table.secret("password", ""),
            broker=Broker.configure(table) if over_mqtt else None,
            topic=table.string("topic").strip("/") if over_mqtt else "",
            full_topic=full_topic,
            channels=channels_of(table, (), least=1),
            zone=_zone(table),
            use=Use.configure(table),
        )

    async def run(self, sink: Sink) -> None:
        if self.broker:
            await self._listen(self.broker, sink)
            return
        teller = self.use.jobs.teller(sink)
        while True:
            answer = await self._ask("Status 8")
            tell(teller, parse.measured(self._energy(answer), self.channels))
            await asyncio.sleep(self.use.interval_s)

    def _energy(self, answer: Any) -> Mapping[str, Any]:
        said = parse.energy(answer)
        if not said:
            raise AdapterError(f"The Tasmota device at {self.address or self.topic} measures no energy.")
        return said

    # --- over HTTP

    async def _ask(self, command: str) -> Mapping[str, Any]:
        query = {"cmnd": command}
        if self.password:
            query |= {"user": self.user, "password": self.password}
        http = Http(self.address, timeout_s=5.0)
        answer = await http.ask("GET", "/cm?" + urlencode(query, quote_via=quote))
        if answer.status == 401:
            raise AdapterError(f"The plug at {self.address} refuses the password.")
        try:
            said = json.loads(answer.body)
        except (ValueError, RecursionError):
            said = None
        if answer.status != 200 or not isinstance(said, Mapping):
            raise BadStatus(f"{self.address} answers, but what answers is no Tasmota device.", answer)
        if complaint := parse.complaint(said):
            raise AdapterError(complaint)
        return said

    # --- through a broker

    def _topic(self, prefix: str, what: str) -> str:
        filled = self.full_topic.replace("%prefix%", prefix).replace("%topic%", self.topic)
        return f"{filled.rstrip('/')}/{what}"

    async def _listen(self, broker: Broker, sink: Sink) -> None:
        heard = _Heard()
        async with broker.connected() as client:
            await subscribe(
                client,
                [self._topic("tele", "+"), *(self._topic("stat", what) for what in ("STATUS8", "STATUS10", "RESULT"))],
            )
            await either(self._hear(client, sink, heard), self._nudge(client, heard))

    async def _hear(self, client: aiomqtt.Client, sink: Sink, heard: "_Heard") -> None:
        teller = self.use.jobs.teller(sink)
        async for message in client.messages:
            topic, body = str(message.topic), payload(message)
            if topic == self._topic("tele", "LWT"):
                sink.reading(Reading("x_plug_online", float(body.strip() == b"Online")))
                continue
            if message.retain:
                continue  # of unknown age
            self._take(teller, _loads(body), heard)

    def _take(self, sink: Sink, said: Mapping[str, Any], heard: "_Heard") -> None:
        energy = parse.energy(said)
        if energy:
            heard.at = time.monotonic()
            tell(sink, parse.measured(energy, self.channels), self._moment(said))
        for channel in self.channels or (1,):
            if (on := parse.is_on(said, channel)) is not None:
                sink.reading(Reading("x_plug_on", float(on)))
                break

    def _moment(self, said: Mapping[str, Any]) -> dt.datetime | None:
        if self.zone is None:
            return None
        text = table(said.get("StatusSNS", said)).get("Time")
        return parse.stamp(text, self.zone, dt.datetime.now(dt.UTC))

    async def _nudge(self, client: aiomqtt.Client, heard: "_Heard") -> None:
        while True:
            await publish(client, self._topic("cmnd", "STATUS"), b"8")
            await asyncio.sleep(self.use.interval_s)
            if time.monotonic() - heard.at > SILENT_S:
                raise AdapterError(f"Nothing was heard from {self.topic} for {SILENT_S / 60:.0f} minutes.")

    # --- check

    async def check(self) -> list[Finding]:
        try:
            async with asyncio.timeout(9.5):
                answer = await self._status8()
                return self._judge(parse.energy(answer))
        except TimeoutError:
            return [wrong(f"{self.address or self.topic} took too long to answer.")]
        except AdapterError as error:
            return [wrong(error)]

    async def _status8(self) -> Mapping[str, Any]:
        if self.broker is None:
            return await self._ask("Status 8")
        async with self.broker.connected() as client:
            reply = (self._topic("stat", "STATUS8"), self._topic("stat", "STATUS10"))
            await subscribe(client, reply)
            await publish(client, self._topic("cmnd", "STATUS"), b"8")
            message = await first(client, lambda m: str(m.topic) in reply and not m.retain, within_s=ANSWER_S)
            if message is None:
                raise AdapterError(
                    f"The broker {self.broker.url} is well, but {self.topic} does not answer on {reply[0]}. Compare "
                    "“topic” and “full_topic” with the plug's page Configuration, MQTT, and its broker with this one."
                )
            return _loads(payload(message))

    def _judge(self, energy: Mapping[str, Any]) -> list[Finding]:
        who = f"The Tasmota device {self.address or self.topic}"
        if not energy:
            return [wrong(f"{who} measures no energy. Is it one with a power meter, and is its template right?")]
        count = parse.channels(energy)
        if missing := [n for n in self.channels if n > count]:
            return [wrong(f"{who} has no channel {missing[0]}; it has {count}.")]
        said = parse.measured(energy, self.channels)
        found = [well(f"{who} measures {watts(said)}.")]
        if said.energy_wh is None and energy.get("Total") is not None:
            found.append(wrong(f"{who} has one counter for all channels; “SetOption129 1” gives each its own."))
        return found

    # --- switching

    async def carry_out(self, command: Command) -> str:
        on, for_s = wish(self, self.use, command)
        try:
            for relay in self.channels or (1,):
                await self._switch(relay, on, for_s)
        except (AdapterError, TimeoutError) as error:
            raise Refused(f"{self.name.label} did not do it: {error}") from None
        if not on:
            return f"{self.name.label} is off."
        until = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=for_s)).isoformat(timespec="seconds")
        return f"{self.name.label} is on and switches itself off at {until}."

    async def _switch(self, relay: int, on: bool, for_s: int) -> None:
        if on:
            await self._say(f"PulseTime{relay}", str(parse.pulse(for_s)))
        await self._say(f"Power{relay}", "ON" if on else "OFF")
        if parse.is_on(await self._say(f"Power{relay}", ""), relay) is not on:
            raise AdapterError(f"it does not say that it is {'on' if on else 'off'}.")
        if on and parse.opens_in(await self._say(f"PulseTime{relay}", ""), relay) is None:
            await self._say(f"Power{relay}", "OFF")
            raise AdapterError("its own timer did not start, so it was switched off again.")

    async def _say(self, command: str, value: str) -> Mapping[str, Any]:
        if self.broker is None:
            return await self._ask(f"{command} {value}".strip())
        async with self.broker.connected() as client:
            reply = self._topic("stat", "RESULT")
            await subscribe(client, [reply])
            await publish(client, self._topic("cmnd", command), value.encode())
            wanted = command.upper().rstrip("0123456789")
            message = await first(client, lambda m: _answers(m, reply, wanted), within_s=5.0)
            if message is None:
                raise AdapterError("it did not answer.")
            return _loads(payload(message))


@dataclass
class _Heard:
    at: float = field(default_factory=time.monotonic)


def _answers(message: aiomqtt.Message, reply: str, wanted: str) -> bool:
    if str(message.topic) != reply or message.retain:
        return False
    return any(key.upper().startswith(wanted) for key in _loads(payload(message)))


def _zone(table: Table) -> dt.tzinfo | None:
    name = table.string("timezone", "")
    if not name:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        table.fault("timezone", "must be a zone such as Europe/Helsinki.")
        return None


def _loads(body: bytes) -> Mapping[str, Any]:
    try:
        return table(json.loads(body))
    except (ValueError, RecursionError):
        return {}
