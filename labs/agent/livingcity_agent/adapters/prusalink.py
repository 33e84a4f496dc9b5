"""PrusaLink, as it runs in Prusa's printers and beside them: asked every few seconds, for it pushes nothing.

It lets in by a key (X-Api-Key) or by user and password (digest). Its interface is version 1 of PrusaLink's own
description (`/api/v1/status`, `/api/v1/job`, `/api/v1/files`).
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

from livingcity_agent.adapters.base import (
    Adapter,
    AdapterError,
    Command,
    CommandKind,
    Event,
    Finding,
    JobFile,
    Name,
    Refused,
    Sink,
)
from livingcity_agent.adapters.printing import PrintJob
from livingcity_agent.http import BadStatus, Http
from livingcity_agent.tables import Table

STATES: Mapping[str, str] = {
    "PRINTING": "making", "PAUSED": "paused", "ERROR": "error", "ATTENTION": "error",
    "IDLE": "idle", "READY": "idle", "BUSY": "idle", "FINISHED": "idle", "STOPPED": "idle",
}  # fmt: skip
ENDINGS: Mapping[str, Event] = {"FINISHED": "finished", "STOPPED": "cancelled", "ERROR": "failed"}
WARM_C = 3.0


@dataclass
class PrusaLink(Adapter):
    """One printer."""

    kind: ClassVar[str] = "prusalink"
    commands: ClassVar[frozenset[CommandKind]] = frozenset({"pause", "resume", "cancel"})
    url: str = ""
    key: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    every_s: float = 4.0

    @classmethod
    def configure(cls, table: Table, name: Name) -> "PrusaLink":
        """url; key or key_file, or user and password (or password_file); every_s."""
        url, key = table.url("url"), table.secret("key", "")
        user, password = table.string("user", "maker"), table.secret("password", "")
        if not key and not password:
            table.fault("password", "is missing (or key): the printer shows it under Settings, Network, PrusaLink.")
        return cls(name, url, key, "" if key else user, password, table.number("every_s", 4.0, least=0.2, most=60))

    @property
    def _http(self) -> Http:
        headers = {"X-Api-Key": self.key} if self.key else {}
        return Http(self.url, headers=headers, user=self.user, password=self.password)

    async def run(self, sink: Sink) -> None:
        """Ask again and again."""
        job = PrintJob(sink, self._file)
        while True:
            status = await self._http.json("GET", "/api/v1/status")
            await self._look(sink, job, status or {})
            await asyncio.sleep(self.every_s)

    async def _look(self, sink: Sink, job: PrintJob, status: Mapping[str, Any]) -> None:
        printer, current = status.get("printer") or {}, status.get("job") or {}
        state, number = str(printer.get("state")), current.get("id")
        if job.name and sink.recall("id") != number and state not in ENDINGS:
            job.end("failed")  # its end was not seen
        if job.name and state in ENDINGS:
            job.end(ENDINGS[state])
        if state in {"PRINTING", "PAUSED"} and number is not None:
            if not job.name:
                await self._begin(sink, job, number)
            share = float(current.get("progress") or 0) / 100
            if state == "PAUSED" and sink.recall("state") != "PAUSED":
                job.pause(share)
            elif state == "PRINTING":
                job.progress(share, again=sink.recall("state") == "PAUSED")
        if state != sink.recall("state"):
            sink.remember({"state": state})
        job.warmth(printer.get("temp_nozzle"))
        heats = float(printer.get("temp_nozzle") or 0) < float(printer.get("target_nozzle") or 0) - WARM_C
        cold = state == "PRINTING" and heats and float(current.get("progress") or 0) < 1
        job.state("warming" if cold else STATES.get(state, "idle"))

    async def _begin(self, sink: Sink, job: PrintJob, number: Any) -> None:
        facts = await self._http.json("GET", "/api/v1/job") or {}
        file = facts.get("file") or {}
        download = str((file.get("refs") or {}).get("download") or f"{file.get('path', '')}/{file.get('name', '')}")
        sink.remember({"id": number, "shown": str(file.get("display_name") or file.get("name") or "")})
        job.start(download, name=f"prusalink-{number}-{time.time():.0f}")

    async def _file(self, path: str) -> JobFile:
        return await self._http.download(quote(path if path.startswith("/") else f"/{path}"), path.rpartition("/")[2])

    async def check(self) -> list[Finding]:
        """Whether it answers and lets in."""
        try:
            info = await self._http.json("GET", "/api/version") or {}
            status = await self._http.json("GET", "/api/v1/status") or {}
        except BadStatus as error:
            if error.answer.status in {401, 403}:
                return [
                    Finding(False, "PrusaLink does not accept the password or key; the printer shows the right one.")
                ]
            return [Finding(False, str(error))]
        except AdapterError as error:
            return [Finding(False, f"{error} Is the printer on, and is url right?")]
        state = (status.get("printer") or {}).get("state")
        return [Finding(True, f"PrusaLink {info.get('server', '')} answers at {self.url}: {state}.")]

    async def carry_out(self, command: Command) -> str:
        """Pause, resume, cancel. Raises Refused."""
        status = await self._http.json("GET", "/api/v1/status") or {}
        state = str((status.get("printer") or {}).get("state"))
        number = (status.get("job") or {}).get("id")
        if state not in {"PRINTING", "PAUSED"} or number is None:
            if command.kind == "cancel":
                return "Nothing was being printed."
            raise Refused("Nothing is being printed.")
        verb = "DELETE" if command.kind == "cancel" else "PUT"
        path = f"/api/v1/job/{number}" + ("" if command.kind == "cancel" else f"/{command.kind}")
        if (command.kind, state) not in {("pause", "PAUSED"), ("resume", "PRINTING")}:
            try:
                await self._http.json(verb, path)
            except BadStatus as error:
                raise Refused(f"PrusaLink refuses: {error}") from None
        words = {"cancel": "The print was stopped.", "pause": "The print waits.", "resume": "The print goes on."}
        return words[command.kind]
