"""Relays behind an MQTT broker: Tasmota devices, and those that somebody built for the lab (`plain`).

Nothing is ever retained: a retained “on” would switch a machine on when its relay comes back from a power cut. The
relay must answer; a broker that took the message proves nothing.

`plain`: `<topic>/set` gets {"on": true, "for_s": 180, "n": "…"}; the relay answers on `<topic>/state` with
{"on": true, "opens_in_s": 180, "n": "…"}, and opens by itself after `for_s` seconds. {"n": "…"} alone asks.
`tasmota`: `cmnd/<topic>/PulseTime<n>` and `cmnd/<topic>/POWER<n>`, answered on `stat/<topic>/RESULT`.
"""

import asyncio
import os
from typing import Any

import aiomqtt
import orjson
from django.utils.translation import gettext as _

from labs.interlocks import tasmota
from labs.interlocks.base import MOST_BYTES, SILENCE_S, Reading, RelayError, Target
from labs.interlocks.trust import context_of


class Mqtt:
    """One relay behind a broker; options `topic`, `dialect` (plain or tasmota) and `channel`."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._topic = target.text("topic").strip("/")
        self._relay = target.number("channel", 1)
        self._tasmota = target.text("dialect", "plain") == "tasmota"
        if not self._topic or any(letter in self._topic for letter in "+#\0"):
            raise RelayError(_("The relay has no topic."))

    def on(self, for_s: int) -> Reading:
        """Closed, with its own timer."""
        return self._run([("PulseTime", str(tasmota.pulse(for_s))), ("POWER", "ON")], {"on": True, "for_s": for_s})

    def off(self) -> Reading:
        """Open."""
        return self._run([("POWER", "OFF")], {"on": False})

    def read(self) -> Reading:
        """What it says when it is asked."""
        return self._run([], {})

    def _run(self, commands: list[tuple[str, str]], plain: dict[str, Any]) -> Reading:
        try:
            work = self._as_tasmota(commands) if self._tasmota else self._as_plain(plain)
            return asyncio.run(asyncio.wait_for(work, 2 * SILENCE_S))
        except TimeoutError:
            raise RelayError(
                _("The relay gave no answer: the broker is there, the relay is not."), silent=True
            ) from None
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise RelayError(
                _("The broker gave no answer: %(why)s.") % {"why": str(error)[:120]}, silent=True
            ) from None

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client(  # to the address that was checked; its certificate is the name's (`trust`)
            self._target.address,
            self._target.port,
            username=self._target.user or None,
            password=self._target.password or None,
            identifier=f"living-city-{os.urandom(6).hex()}",
            tls_context=context_of(self._target) if self._target.tls else None,
            timeout=SILENCE_S,
        )

    async def _as_plain(self, said: dict[str, Any]) -> Reading:
        name = os.urandom(6).hex()
        async with self._client() as client:
            await client.subscribe(f"{self._topic}/state", qos=1)
            await client.publish(f"{self._topic}/set", orjson.dumps({**said, "n": name}), qos=1)
            async for message in client.messages:
                answer = _json(message)
                if answer is None or answer.get("n") != name:
                    continue
                if not isinstance(answer.get("on"), bool):
                    raise RelayError(_("The relay does not say whether it is on."))
                timer = answer.get("opens_in_s")
                timed = isinstance(timer, int | float) and not isinstance(timer, bool)
                return Reading(answer["on"], float(timer) if timed and timer is not None else None)
        raise RelayError(_("The broker ended the connection."), silent=True)

    async def _as_tasmota(self, commands: list[tuple[str, str]]) -> Reading:
        async with self._client() as client:
            await client.subscribe(f"stat/{self._topic}/RESULT", qos=1)
            answers = client.messages
            for command, payload in commands:
                await self._command(client, answers, command, payload)
            power = await self._command(client, answers, "POWER", "")
            timer = await self._command(client, answers, "PulseTime", "")
            on = tasmota.is_on(power, self._relay)
            return Reading(on, tasmota.opens_in(timer, self._relay) if on else None)

    async def _command(self, client: aiomqtt.Client, answers: Any, command: str, payload: str) -> dict[str, Any]:
        """Say one command, and wait for the answer that is about it."""
        await client.publish(f"cmnd/{self._topic}/{command}{self._relay}", payload, qos=1)
        async for message in answers:
            answer = _json(message)
            if answer is not None and any(key.startswith(command) for key in answer):
                return answer
        raise RelayError(_("The broker ended the connection."), silent=True)


def _json(message: aiomqtt.Message) -> dict[str, Any] | None:
    if message.retain or not isinstance(message.payload, bytes | bytearray) or len(message.payload) > MOST_BYTES:
        return None
    try:
        said = orjson.loads(message.payload)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None
