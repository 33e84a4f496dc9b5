"""PrusaLink, as it runs in Prusa's printers and beside them: asked every few seconds, for it pushes nothing.

It lets in by a key (X-Api-Key) or by user and password (digest). Its interface is version 1 of PrusaLink's own
description (`/api/v1/status`, `/api/v1/job`, `/api/v1/storage`, `/api/v1/files`). Firmware before 4.7 has an older one
in the manner of OctoPrint (`/api/printer`, `/api/job`), and lets in by the key alone: it is read into the form of
version 1. It numbers no jobs and does not say how one ended: a print that was last seen at 99 % or more has finished.
"""

import asyncio
import time
import zlib
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
from livingcity_agent.adapters.printing import PrintJob, plain_name
from livingcity_agent.http import BadStatus, FileBody, Http, said
from livingcity_agent.tables import Table

STATES: Mapping[str, str] = {
    "PRINTING": "making", "PAUSED": "paused", "ERROR": "error", "ATTENTION": "error",
    "IDLE": "idle", "READY": "idle", "BUSY": "idle", "FINISHED": "idle", "STOPPED": "idle",
}  # fmt: skip
ENDINGS: Mapping[str, Event] = {"FINISHED": "finished", "STOPPED": "cancelled", "ERROR": "failed"}
WORKING = frozenset({"PRINTING", "PAUSED"})
CAN_BEGIN = frozenset({"IDLE", "READY", "FINISHED", "STOPPED"})
WARM_C = 3.0
DONE = 99.0
"""Per cent at which a print was seen that is taken to have finished, where the printer does not say."""
UPLOAD_S = 110.0


@dataclass
class PrusaLink(Adapter):
    """One printer."""

    kind: ClassVar[str] = "prusalink"
    commands: ClassVar[frozenset[CommandKind]] = frozenset({"send", "start", "pause", "resume", "cancel"})
    url: str = ""
    key: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    every_s: float = 4.0
    storage: str = ""
    is_old: bool = False
    """Whether it was found to have the older interface."""

    @classmethod
    def configure(cls, table: Table, name: Name) -> "PrusaLink":
        """url; key or key_file, or user and password (or password_file); every_s; storage (usb, local, sdcard)."""
        url, key = table.url("url"), table.secret("key", "")
        user, password = table.string("user", "maker"), table.secret("password", "")
        if not key and not password:
            table.fault("password", "is missing (or key): the printer shows it under Settings, Network, PrusaLink.")
        every_s, storage = table.number("every_s", 4.0, least=0.2, most=60), table.string("storage", "")
        return cls(name, url, key, "" if key else user, password, every_s, storage.strip("/"))

    @property
    def _http(self) -> Http:
        headers = {"X-Api-Key": self.key} if self.key else {}
        return Http(self.url, headers=headers, user=self.user, password=self.password)

    async def run(self, sink: Sink) -> None:
        """Ask again and again."""
        job = PrintJob(sink, self._file)
        while True:
            status = await self._status()
            if self.is_old:
                status = _ended(sink, job, status)
            await self._look(sink, job, status)
            await asyncio.sleep(self.every_s)

    async def _status(self) -> Mapping[str, Any]:
        """What version 1 calls status, from whichever interface it has."""
        if not self.is_old:
            try:
                return await self._http.json("GET", "/api/v1/status") or {}
            except BadStatus as error:
                if error.answer.status != 404:
                    raise
        found = _from_old(
            await self._http.json("GET", "/api/printer") or {}, await self._http.json("GET", "/api/job") or {}
        )
        self.is_old = True
        return found

    async def _job(self) -> Mapping[str, Any]:
        """What version 1 calls job."""
        if not self.is_old:
            return await self._http.json("GET", "/api/v1/job") or {}
        file = ((await self._http.json("GET", "/api/job") or {}).get("job") or {}).get("file") or {}
        shown = str(file.get("display") or file.get("name") or "")
        return {"file": {"refs": {"download": file.get("path", "")}, "name": file.get("name"), "display_name": shown}}

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
        facts = await self._job()
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
            status = await self._status()
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
        """Send, start, pause, resume, cancel. Raises Refused."""
        try:
            if command.kind in {"send", "start"}:
                return await self._send(command)
            return await self._steer(command)
        except BadStatus as error:
            raise Refused(f"PrusaLink refuses: {error}") from None

    async def _send(self, command: Command) -> str:
        """Put the file on the printer's storage unless it lies there, and print it where that is asked."""
        await self._status()
        if self.is_old:
            raise Refused("The printer's firmware is too old to be sent files; update it to 4.7 or newer.")
        name = plain_name(str(command.body.get("name", "")), str(command.body.get("sha256", "")))
        starts = command.kind == "start" or bool(command.body.get("start"))
        if starts and await self._busy_with(name):
            return f"{name} is being printed."
        path = f"/api/v1/files/{quote(await self._storage())}/{quote(name)}"
        held = await self._size(path)
        if held is not None and (command.file is None or held == command.file.stat().st_size):
            if starts:
                await self._http.json("POST", path)
        elif command.file is None:
            raise Refused(f"{name} is not on the printer; send it first.")
        else:
            over = "?0" if held is None else "?1"  # what lies there is half of it: the sending broke off
            headers = {"Print-After-Upload": "?1" if starts else "?0", "Overwrite": over, "Accept": "application/json"}
            await self._http.json("PUT", path, body=FileBody(command.file), headers=headers, timeout_s=UPLOAD_S)
        return f"{name} is being printed." if starts else f"{name} lies on the printer."

    async def _size(self, path: str) -> int | None:
        """Bytes of the file that lies there; None where there is none."""
        answer = await self._http.ask("GET", path)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise BadStatus(f"{self.url}{path} answered {said(answer)}.", answer)
        try:
            return int(answer.json().get("size", -1))
        except (ValueError, TypeError, AttributeError):
            return -1

    async def _busy_with(self, name: str) -> bool:
        """Whether the printer prints this file already. Raises Refused where it cannot begin."""
        status = await self._http.json("GET", "/api/v1/status") or {}
        state = str((status.get("printer") or {}).get("state"))
        if state in WORKING:
            file = ((await self._http.json("GET", "/api/v1/job") or {}).get("file")) or {}
            if name in {file.get("display_name"), file.get("name")}:
                return True
            other = file.get("display_name") or file.get("name") or "another file"
            raise Refused(f"The printer is busy with {other}.")
        if state not in CAN_BEGIN:
            raise Refused(f"The printer is not ready: {state}. Look at its screen.")
        return False

    async def _storage(self) -> str:
        """Where files go: what the configuration says, else the first storage that is there and can be written."""
        if self.storage:
            return self.storage
        found = await self._http.json("GET", "/api/v1/storage") or {}
        for one in found.get("storage_list") or ():
            if one.get("available", True) and not one.get("read_only") and not one.get("ro"):
                return str(one.get("path") or one.get("name") or "").strip("/")
        raise Refused("The printer has no storage that files can be put on; is its USB drive in?")

    async def _steer(self, command: Command) -> str:
        status = await self._status()
        state = str((status.get("printer") or {}).get("state"))
        number = (status.get("job") or {}).get("id")
        if state not in WORKING or number is None:
            if command.kind == "cancel":
                return "Nothing was being printed."
            raise Refused("Nothing is being printed.")
        verb = "DELETE" if command.kind == "cancel" else "PUT"
        path = f"/api/v1/job/{number}" + ("" if command.kind == "cancel" else f"/{command.kind}")
        if (command.kind, state) not in {("pause", "PAUSED"), ("resume", "PRINTING")}:
            if self.is_old:
                asked = (
                    {"command": "cancel"} if command.kind == "cancel" else {"command": "pause", "action": command.kind}
                )
                await self._http.json("POST", "/api/job", json_body=asked)
            else:
                await self._http.json(verb, path)
        words = {"cancel": "The print was stopped.", "pause": "The print waits.", "resume": "The print goes on."}
        return words[command.kind]


def _from_old(printer: Mapping[str, Any], job: Mapping[str, Any]) -> Mapping[str, Any]:
    """The older interface's /api/printer and /api/job as version 1's status; the job's number is made of its file."""
    flags = (printer.get("state") or {}).get("flags") or {}
    told = (("paused", "PAUSED"), ("pausing", "PAUSED"), ("printing", "PRINTING"), ("cancelling", "STOPPED"))
    told += (("error", "ERROR"), ("closedOnError", "ERROR"), ("busy", "BUSY"))
    state = next((word for flag, word in told if flags.get(flag)), "IDLE")
    nozzle = (printer.get("temperature") or {}).get("tool0") or {}
    found: dict[str, Any] = {
        "printer": {"state": state, "temp_nozzle": nozzle.get("actual"), "target_nozzle": nozzle.get("target")}
    }
    file = (job.get("job") or {}).get("file") or {}
    if state in WORKING and (path := file.get("path") or file.get("name")):
        share = float((job.get("progress") or {}).get("completion") or 0)
        found["job"] = {"id": zlib.crc32(str(path).encode()), "progress": 100 * share}
    return found


def _ended(sink: Sink, job: PrintJob, status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The status with how a print ended, which the older interface leaves open."""
    printer, current = status.get("printer") or {}, status.get("job")
    if current is not None:
        if round(current["progress"]) != sink.recall("percent"):
            sink.remember({"percent": round(current["progress"])})
        return status
    if job.name and printer.get("state") in {"IDLE", "BUSY"}:
        ending = "FINISHED" if (sink.recall("percent") or 0) >= DONE else "STOPPED"
        return {**status, "printer": {**printer, "state": ending}}
    return status
