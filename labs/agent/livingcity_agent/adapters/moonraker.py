"""Moonraker 0.11 (Klipper): its history names each job, its socket tells when one begins and ends.

Moonraker has no hash of a file, only a uuid of its own, so the file is fetched and hashed here.
"""

import asyncio
import datetime as dt
import math
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
from livingcity_agent.http import BadStatus, Http, NoAnswer, Upload
from livingcity_agent.tables import Table
from livingcity_agent.websocket import Socket, websocket

ENDINGS: Mapping[str, Event] = {"completed": "finished", "cancelled": "cancelled"}
"""Every other status of Moonraker's history (error, klippy_shutdown, server_exit, interrupted …) is a failure."""

WATCHED: Mapping[str, Any] = {
    "print_stats": ["state", "filename"],
    "virtual_sdcard": ["progress"],
    "extruder": ["temperature", "target"],
    "heater_bed": ["temperature", "target"],
}
WARM_C = 3.0


@dataclass
class Moonraker(Adapter):
    """One Moonraker, which is one printer. `key` only where it asks for one."""

    kind: ClassVar[str] = "moonraker"
    commands: ClassVar[frozenset[CommandKind]] = frozenset({"send", "start", "pause", "resume", "cancel"})
    url: str = ""
    key: str = field(default="", repr=False)
    g_per_cm3: float = 1.24
    filament_mm: float = 1.75
    _status: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @classmethod
    def configure(cls, table: Table, name: Name) -> "Moonraker":
        """url; key or key_file; g_per_cm3 and filament_mm of the filament (PLA, 1.75)."""
        return cls(
            name,
            table.url("url", "http://127.0.0.1:7125"),
            table.secret("key", ""),
            table.number("g_per_cm3", 1.24, least=0.1, most=20.0),
            table.number("filament_mm", 1.75, least=0.5, most=5.0),
        )

    @property
    def _headers(self) -> dict[str, str]:
        return {"X-Api-Key": self.key} if self.key else {}

    @property
    def _http(self) -> Http:
        return Http(self.url, headers=self._headers)

    async def run(self, sink: Sink) -> None:
        """Listen to the socket."""
        job = PrintJob(sink, self._file)
        async with websocket(self.url, "/websocket", headers=self._headers) as socket:
            await self._subscribe(socket)
            await self._catch_up(job)
            while True:
                message = await socket.receive(silence_s=120)
                if not isinstance(message, Mapping):
                    continue
                parameters = message.get("params") or []
                match message.get("method"):
                    case "notify_history_changed":
                        self._history(job, parameters[0])
                    case "notify_status_update":
                        self._update(job, parameters[0])
                    case "notify_klippy_ready":
                        await self._subscribe(socket)
                        await self._catch_up(job)
                    case "notify_klippy_disconnected" | "notify_klippy_shutdown":
                        job.state("error")
                if message.get("id") == 2 and isinstance(message.get("result"), Mapping):
                    self._update(job, message["result"].get("status") or {})

    async def _subscribe(self, socket: Socket) -> None:
        who = {"client_name": "livingcity-agent", "version": "1", "type": "bot", "url": "https://livingcity.example"}
        for number, (method, params) in enumerate(
            (("server.connection.identify", who), ("printer.objects.subscribe", {"objects": WATCHED})), 1
        ):
            await socket.send({"jsonrpc": "2.0", "method": method, "params": params, "id": number})

    async def _catch_up(self, job: PrintJob) -> None:
        """What happened while nobody listened, by the history's newest entries."""
        found = await self._http.json("GET", "/server/history/list?limit=20&order=desc")
        entries = ((found or {}).get("result") or {}).get("jobs") or []
        for entry in entries:
            if job.name and _name(entry) == job.name and entry.get("status") != "in_progress":
                self._over(job, entry)
        newest = entries[0] if entries else {}
        if newest.get("status") == "in_progress":
            self._began(job, newest)
            job.hash()
        elif job.name:
            job.end("failed")

    def _history(self, job: PrintJob, news: Mapping[str, Any]) -> None:
        entry = news.get("job") or {}
        if news.get("action") == "added":
            self._began(job, entry, late=False)
        elif news.get("action") == "finished":
            if job.name != _name(entry):
                self._began(job, entry)
            self._over(job, entry, late=False)

    def _began(self, job: PrintJob, entry: Mapping[str, Any], *, late: bool = True) -> None:
        at = dt.datetime.fromtimestamp(float(entry.get("start_time") or 0), dt.UTC) if late else None
        job.start(str(entry.get("filename") or "unknown"), name=_name(entry), at=at)

    def _over(self, job: PrintJob, entry: Mapping[str, Any], *, late: bool = True) -> None:
        used_mm = entry.get("filament_used")
        grams = None
        if isinstance(used_mm, int | float) and used_mm > 0:
            grams = round(used_mm * math.pi * (self.filament_mm / 2) ** 2 / 1000 * self.g_per_cm3, 3)
        end = entry.get("end_time")
        known = late and isinstance(end, int | float) and end > 0  # else now: its clock may be another computer's
        at = dt.datetime.fromtimestamp(float(end or 0), dt.UTC) if known else None
        job.end(ENDINGS.get(str(entry.get("status")), "failed"), material_g=grams, at=at)

    def _update(self, job: PrintJob, news: Mapping[str, Any]) -> None:
        before = (self._status.get("print_stats") or {}).get("state")
        for name, facts in news.items():
            if isinstance(facts, Mapping):
                self._status.setdefault(name, {}).update(facts)
        state = (self._status.get("print_stats") or {}).get("state")
        share = float((self._status.get("virtual_sdcard") or {}).get("progress") or 0)
        job.warmth((self._status.get("extruder") or {}).get("temperature"))
        if state == "paused" and before == "printing":
            job.pause(share)
        elif state == "printing":
            job.progress(share, again=before in {None, "paused"})
        job.state(self._word(str(state), share))

    def _word(self, state: str, share: float) -> str:
        if state == "printing":
            heats = any(
                float((self._status.get(h) or {}).get("temperature") or 0)
                < float((self._status.get(h) or {}).get("target") or 0) - WARM_C
                for h in ("extruder", "heater_bed")
            )
            return "warming" if heats and share < 0.01 else "making"
        return {"paused": "paused", "error": "error"}.get(state, "idle")

    async def _file(self, path: str) -> JobFile:
        return await self._http.download(f"/server/files/gcodes/{quote(path)}", path.rpartition("/")[2])

    async def check(self) -> list[Finding]:
        """Whether it answers, and Klipper behind it is ready."""
        try:
            info = ((await self._http.json("GET", "/server/info")) or {}).get("result") or {}
        except BadStatus as error:
            if error.answer.status in {401, 403}:
                sentence = "Moonraker lets nobody in without a key: give key, or name this computer in trusted_clients."
                return [Finding(False, sentence)]
            return [Finding(False, str(error))]
        except AdapterError as error:
            return [Finding(False, f"{error} Is Moonraker running, and is url right?")]
        found = [Finding(True, f"Moonraker {info.get('moonraker_version', '')} answers at {self.url}.")]
        state = info.get("klippy_state")
        if state != "ready":
            found.append(Finding(False, f"Klipper behind it is not ready: “{state}”."))
        if "history" not in (info.get("components") or ["history"]):
            found.append(Finding(False, "Moonraker keeps no history: add [history] to moonraker.conf."))
        return found

    # --- commands ----------------------------------------------------------------------------------------------

    async def carry_out(self, command: Command) -> str:
        """Send, start, pause, resume, cancel. Raises Refused."""
        name = plain_name(str(command.body.get("name", "")), str(command.body.get("sha256", "")))
        try:
            if command.kind == "send":
                return await self._send(command, name)
            if command.kind == "start":
                return await self._start(name)
            return await self._steer(command.kind)
        except BadStatus as error:
            raise Refused(f"Moonraker refuses: {error}") from None

    async def _send(self, command: Command, name: str) -> str:
        if command.file is None:
            raise Refused("No file came with it.")
        if not await self._has(name):
            upload = Upload(command.file, name, {"root": "gcodes", "print": "false"})
            await self._http.json("POST", "/server/files/upload", body=upload, timeout_s=110)
        if command.body.get("start"):
            return await self._start(name)
        return f"{name} lies in Moonraker."

    async def _has(self, name: str) -> bool:
        answer = await self._http.ask("GET", f"/server/files/metadata?filename={quote(name)}")
        if answer.status == 200:
            return True
        listed = await self._http.json("GET", "/server/files/list?root=gcodes")
        return any(entry.get("path") == name for entry in listed.get("result") or [])

    async def _stats(self) -> tuple[str, str]:
        found = await self._http.json("GET", "/printer/objects/query?print_stats")
        stats = ((found.get("result") or {}).get("status") or {}).get("print_stats") or {}
        return str(stats.get("state")), str(stats.get("filename") or "")

    async def _start(self, name: str) -> str:
        state, file = await self._stats()
        if state in {"printing", "paused"}:
            if file == name:
                return f"{name} is being printed."
            raise Refused(f"The printer is busy with {file or 'another file'}.")
        if not await self._has(name):
            raise Refused(f"{name} is not in Moonraker; send it first.")
        await self._ask("start", {"filename": name})
        return f"{name} is being printed."

    async def _steer(self, kind: str) -> str:
        state, _file = await self._stats()
        if state not in {"printing", "paused"}:
            if kind == "cancel":
                return "Nothing was being printed."
            raise Refused("Nothing is being printed.")
        if (kind, state) not in {("pause", "paused"), ("resume", "printing")}:
            await self._ask(kind, {})
        return {"cancel": "The print was stopped.", "pause": "The print waits.", "resume": "The print goes on."}[kind]

    async def _ask(self, verb: str, body: Mapping[str, Any]) -> None:
        """Klipper answers only when it has done it, which may take minutes while it heats: then the state tells."""
        try:
            await self._http.json("POST", f"/printer/print/{verb}", json_body=body, timeout_s=20)
        except NoAnswer:
            await asyncio.sleep(0.5)
            state, _file = await self._stats()
            if (state == "printing") != (verb in {"start", "resume"}):
                raise


def _name(entry: Mapping[str, Any]) -> str:
    return f"moonraker-{entry.get('job_id')}-{float(entry.get('start_time') or 0):.0f}"
