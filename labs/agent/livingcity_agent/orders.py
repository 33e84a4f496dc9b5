"""What the city asks for: fetched, carried out once by the adapter that can, and answered.

A command that was begun before a restart is not begun again where doing it twice could do harm; it is answered as not
known, so that a person looks at the machine.
"""

import asyncio
import datetime as dt
import logging
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livingcity_agent.adapters.base import Adapter, AdapterError, Command, Refused
from livingcity_agent.city import City
from livingcity_agent.config import COMMANDS, DeviceConfig
from livingcity_agent.journal import Enrolled, Journal

log = logging.getLogger("livingcity_agent")

AGAIN = frozenset({"send", "pause", "cancel"})
"""Doing these twice does no harm."""

WAIT_S = 25
PATIENCE_S = 120.0


class Orders:
    """The commands of one device."""

    def __init__(self, journal: Journal, device: Enrolled, config: DeviceConfig) -> None:
        self._journal, self._device, self._config = journal, device, config
        self._city = City(device.url, device.token)
        self._failures = 0

    async def run(self) -> None:
        """Ask for commands and carry them out, until cancelled."""
        while True:
            try:
                found = await self._city.commands(WAIT_S)
                received = time.monotonic()
                for command in found:
                    await self.one(command, received)
                self._failures = 0
            except (AdapterError, OSError, TimeoutError) as error:
                self._failures += 1
                if self._failures == 1:
                    log.info("%s: no commands can be asked for: %s", self._device.name, error)
                await asyncio.sleep(min(300.0, 2.0 ** min(self._failures, 8)))

    async def one(self, asked: Mapping[str, Any], received: float) -> None:
        """Carry one out, or say why not, and tell the city."""
        id, kind = str(asked.get("id", ""))[:64], str(asked.get("kind", ""))
        known = self._journal.command_begun(id, self._device.key, kind)
        if known and known[0] != "begun":
            state, sentence = known
        elif known and kind not in AGAIN:
            state = "refused"
            sentence = "The agent was restarted in the middle of this; look at the machine, then ask again."
        else:
            state, sentence = await self._tried(id, kind, asked, received)
        self._journal.command_over(id, state, sentence)
        await self._city.answer(id, state, sentence)

    async def _tried(self, id: str, kind: str, asked: Mapping[str, Any], received: float) -> tuple[str, str]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                sentence = await self._do(id, kind, asked, received)
        except (Refused, AdapterError) as refusal:
            sentence = str(refusal)
            log.warning("%s: %s is not carried out: %s", self._device.name, kind, sentence)
            return "refused", sentence
        except (OSError, TimeoutError) as error:
            return "refused", f"The machine did not answer in time: {error or 'it took too long'}."
        except Exception:
            log.exception("%s: %s went wrong", self._device.name, kind)
            return "refused", "The agent went wrong at this; its log says how."
        log.info("%s: %s. %s", self._device.name, kind, sentence)
        return "done", sentence

    async def _do(self, id: str, kind: str, asked: Mapping[str, Any], received: float) -> str:
        adapter = self._adapter(kind)
        body = asked.get("body")
        body = body if isinstance(body, Mapping) else {}
        left = float(asked.get("expires_in_s", 0)) - (time.monotonic() - received)
        if left <= 0:
            raise Refused("It came too late.")
        expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=left)
        if kind != "send":
            return await adapter.carry_out(Command(id, kind, body, expires_at))  # type: ignore[arg-type]
        with tempfile.TemporaryDirectory(prefix="livingcity-") as folder:
            path = Path(folder) / "file"
            got = await self._city.file(str(body.get("path", "")), str(body.get("name", "")), path)
            if got.sha256 != str(body.get("sha256", "")).lower():
                raise Refused("The file that came is not the one that was meant; nothing was sent to the machine.")
            return await adapter.carry_out(Command(id, "send", body, expires_at, path))

    def _adapter(self, kind: str) -> Adapter:
        if kind not in COMMANDS or kind not in self._config.commands:
            raise Refused(f"The agent of {self._device.name} is not allowed to carry out “{kind}”.")
        for source in self._config.sources:
            if kind in source.adapter.commands:
                return source.adapter
        raise Refused(f"{self._device.name} cannot carry out “{kind}”.")
