"""OctoPrint 1.11: its push socket tells what happens, its REST interface what the file is.

OctoPrint names a file by the SHA-1 of its bytes; the file is fetched as well, so that SHA-256, git's blob id and the
head's `lc-source` are known. An application key (Settings, Application Keys) is all that is needed.
"""

import datetime as dt
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
from livingcity_agent.websocket import websocket

PLA_G_PER_CM3 = 1.24
WARM_C = 3.0


@dataclass
class OctoPrint(Adapter):
    """One OctoPrint, which is one printer."""

    kind: ClassVar[str] = "octoprint"
    commands: ClassVar[frozenset[CommandKind]] = frozenset({"send", "start", "pause", "resume", "cancel"})
    url: str = ""
    key: str = field(default="", repr=False)
    g_per_cm3: float = PLA_G_PER_CM3

    @classmethod
    def configure(cls, table: Table, name: Name) -> "OctoPrint":
        """url, key or key_file, g_per_cm3 (of the filament; 1.24 is PLA)."""
        url = table.url("url", "http://127.0.0.1:5000")
        return cls(name, url, table.secret("key"), table.number("g_per_cm3", PLA_G_PER_CM3, least=0.1, most=20.0))

    @property
    def _http(self) -> Http:
        return Http(self.url, headers={"X-Api-Key": self.key})

    async def run(self, sink: Sink) -> None:
        """Listen to the socket."""
        job = PrintJob(sink, self._file)
        login = await self._http.json("POST", "/api/login", json_body={"passive": True})
        async with websocket(self.url, "/sockjs/websocket") as socket:
            await socket.send({"auth": f"{login['name']}:{login['session']}"})
            await socket.send({"throttle": 2})
            first = True
            while True:
                message = await socket.receive()
                if not isinstance(message, Mapping):
                    continue
                if "reauthRequired" in message:
                    raise NoAnswer(f"{self.url} asks to sign in again.")
                current = message.get("current") or message.get("history")
                if isinstance(current, Mapping):
                    if first:
                        await self._begin(job, current)
                        first = False
                    self._current(job, current)
                event = message.get("event")
                if isinstance(event, Mapping):
                    await self._event(job, str(event.get("type")), event.get("payload") or {})

    async def _begin(self, job: PrintJob, current: Mapping[str, Any]) -> None:
        """What happened while nobody listened."""
        path = _path(current)
        if _works(current):
            spent = (current.get("progress") or {}).get("printTime") or 0
            if job.path != path:
                job.start(path, at=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=float(spent)))
            else:
                job.hash()
            if ((current.get("state") or {}).get("flags") or {}).get("printing"):
                job.progress(_share(current), again=True)
        elif job.name:
            await self._missed(job)

    async def _missed(self, job: PrintJob) -> None:
        """A job ended unheard: the file remembers its last print."""
        last: Mapping[str, Any] = {}
        try:
            facts = await self._http.json("GET", f"/api/files/local/{quote(job.path)}")
            last = (facts.get("prints") or {}).get("last") or {}
        except BadStatus:
            pass
        started, date = job.started, last.get("date")
        if isinstance(date, int | float) and started and date >= started.timestamp() - 5:
            at = dt.datetime.fromtimestamp(date, dt.UTC)
            job.end("finished" if last.get("success") else "failed", at=at)
        else:
            job.end("failed")

    def _current(self, job: PrintJob, current: Mapping[str, Any]) -> None:
        flags = (current.get("state") or {}).get("flags") or {}
        temps = current.get("temps") or []
        tool = (temps[-1].get("tool0") or {}) if temps else {}
        job.warmth(tool.get("actual"))
        share = _share(current)
        if flags.get("printing") and job.name:
            job.progress(share)
        job.state(_word(flags, temps[-1] if temps else {}, share))

    async def _event(self, job: PrintJob, kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "PrintStarted":
            if job.name:  # its end was not heard
                await self._missed(job)
            job.start(str(payload.get("path") or payload.get("name")))
        elif kind == "PrintPaused":
            job.pause()
        elif kind == "PrintResumed":
            job.progress(await self._share(), again=True)
        elif kind == "PrintDone":
            await self._ended(job, "finished", 1.0)
        elif kind == "PrintCancelled":
            await self._ended(job, "cancelled", float(payload.get("progress") or 0) / 100)
        elif kind == "PrintFailed" and payload.get("reason") != "cancelled":
            job.end("failed")

    async def _ended(self, job: PrintJob, event: Event, share: float) -> None:
        name, path = job.name, job.path
        grams = await self._material(path, share)
        job.end(event, material_g=grams)
        if name and grams is None:
            job.weigh(name, lambda: self._material(path, share))

    async def _share(self) -> float:
        return _share(await self._http.json("GET", "/api/job"))

    async def _material(self, path: str, share: float) -> float | None:
        """Grams by OctoPrint's own analysis of the file; None where it has none."""
        try:
            facts = await self._http.json("GET", f"/api/files/local/{quote(path)}", timeout_s=5)
        except AdapterError:
            return None
        filament = (facts.get("gcodeAnalysis") or {}).get("filament") or {}
        volumes = [tool.get("volume") for tool in filament.values() if isinstance(tool, Mapping)]
        cubic_cm = sum(v for v in volumes if isinstance(v, int | float))
        return round(cubic_cm * self.g_per_cm3 * share, 3) if cubic_cm > 0 else None

    async def _file(self, path: str) -> JobFile:
        name = path.rpartition("/")[2]
        file = await self._http.download(f"/downloads/files/local/{quote(path)}", name)
        facts = await self._http.json("GET", f"/api/files/local/{quote(path)}")
        told = str(facts.get("hash") or "")
        if told and told != file.sha1:
            raise AdapterError("OctoPrint names it by another SHA-1 than its bytes have; it was changed meanwhile.")
        return file

    async def check(self) -> list[Finding]:
        """Whether it answers, the key is good, and a printer is connected."""
        try:
            version = await self._http.json("GET", "/api/version")
            connection = await self._http.json("GET", "/api/connection")
        except BadStatus as error:
            if error.answer.status in {401, 403}:
                sentence = "OctoPrint does not accept the key: make one under Settings, Application Keys."
                return [Finding(False, sentence)]
            return [Finding(False, str(error))]
        except AdapterError as error:
            return [Finding(False, f"{error} Is OctoPrint running, and is url right?")]
        found = [Finding(True, f"OctoPrint {version.get('server', '')} answers at {self.url}.")]
        state = str((connection.get("current") or {}).get("state"))
        if state.lower().startswith(("closed", "offline", "error")):
            found.append(Finding(False, f"OctoPrint has no printer: it says “{state}”. Connect it there."))
        else:
            found.append(Finding(True, f"Its printer is there: “{state}”."))
        return found

    # --- commands ----------------------------------------------------------------------------------------------

    async def carry_out(self, command: Command) -> str:
        """Send, start, pause, resume, cancel. Raises Refused."""
        try:
            if command.kind == "send":
                return await self._send(command)
            if command.kind == "start":
                return await self._start(self._name(command))
            return await self._steer(command.kind)
        except BadStatus as error:
            raise Refused(f"OctoPrint refuses: {error}") from None

    def _name(self, command: Command) -> str:
        return plain_name(str(command.body.get("name", "")), str(command.body.get("sha256", "")))

    async def _send(self, command: Command) -> str:
        if command.file is None:
            raise Refused("No file came with it.")
        name = self._name(command)
        if not await self._has(name):
            answer = await self._http.json("POST", "/api/files/local", body=Upload(command.file, name), timeout_s=110)
            name = str(((answer.get("files") or {}).get("local") or {}).get("path") or name)
        if command.body.get("start"):
            return await self._start(name)
        return f"{name} lies in OctoPrint."

    async def _has(self, name: str) -> bool:
        answer = await self._http.ask("GET", f"/api/files/local/{quote(name)}")
        return answer.status == 200

    async def _start(self, name: str) -> str:
        found = await self._http.json("GET", "/api/job")
        state = str(found.get("state") or "")
        if state.startswith(("Printing", "Paus", "Starting", "Resuming", "Cancelling")):
            mine = str(((found.get("job") or {}).get("file") or {}).get("path") or "")
            if mine == name:
                return f"{name} is being printed."
            raise Refused(f"The printer is busy with {mine or 'another file'}.")
        if not await self._has(name):
            raise Refused(f"{name} is not in OctoPrint; send it first.")
        await self._http.json("POST", f"/api/files/local/{quote(name)}", json_body={"command": "select", "print": True})
        return f"{name} is being printed."

    async def _steer(self, kind: str) -> str:
        found = await self._http.json("GET", "/api/job")
        state = str(found.get("state") or "")
        works = state.startswith(("Printing", "Paus", "Starting", "Resuming", "Cancelling"))
        if not works:
            if kind == "cancel":
                return "Nothing was being printed."
            raise Refused("Nothing is being printed.")
        body = {"command": "cancel"} if kind == "cancel" else {"command": "pause", "action": kind}
        await self._http.json("POST", "/api/job", json_body=body)
        return {"cancel": "The print was stopped.", "pause": "The print waits.", "resume": "The print goes on."}[kind]


def _path(current: Mapping[str, Any]) -> str:
    file = (current.get("job") or {}).get("file") or {}
    return str(file.get("path") or file.get("name") or "")


def _share(current: Mapping[str, Any]) -> float:
    return float((current.get("progress") or {}).get("completion") or 0) / 100


def _works(current: Mapping[str, Any]) -> bool:
    flags = (current.get("state") or {}).get("flags") or {}
    return any(flags.get(word) for word in ("printing", "paused", "pausing", "resuming", "finishing"))


def _word(flags: Mapping[str, Any], temps: Mapping[str, Any], share: float) -> str:
    if flags.get("error"):
        return "error"
    if flags.get("closedOrError"):
        return "off"
    if flags.get("paused") or flags.get("pausing"):
        return "paused"
    if flags.get("printing"):
        return "warming" if share < 0.01 and _heats(temps) else "making"
    return "idle"


def _heats(temps: Mapping[str, Any]) -> bool:
    for heater in temps.values():
        if isinstance(heater, Mapping):
            actual, target = heater.get("actual"), heater.get("target")
            if isinstance(actual, int | float) and isinstance(target, int | float) and actual < target - WARM_C:
                return True
    return False
