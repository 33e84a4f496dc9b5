"""GRBL and its kin (grblHAL, FluidNC) on a serial port: mills, laser cutters, plotters.

A serial port has one owner. The agent owns it, asks `?` for the state, and streams the files that the city sends. A
G-code sender can go on to be used through the agent: `share` opens a TCP port that passes everything through.
"""

import asyncio
import datetime as dt
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from livingcity_agent import hashing
from livingcity_agent.adapters.base import (
    Adapter,
    AdapterError,
    Command,
    CommandKind,
    Event,
    Finding,
    JobFile,
    Name,
    Reading,
    Refused,
    Sink,
)
from livingcity_agent.adapters.broker import either
from livingcity_agent.adapters.making import Making
from livingcity_agent.adapters.plug import well, wrong
from livingcity_agent.adapters.serial_port import BAUDS, Port, opened
from livingcity_agent.parsers import grbl as parse
from livingcity_agent.parsers.by_power import ByPower, Threshold
from livingcity_agent.tables import Table

GREET_S = 3.0
HOLD_S = 5.0
SILENT_S = 15.0
MOST_BYTES = 50_000_000
KEPT = 20


@dataclass
class Grbl(Adapter):
    """One controller. A job that nobody sent through the city is known by the state: `Run` for `for_s` seconds, until
    it has been idle for `idle_for_s`.
    """

    kind: ClassVar[str] = "grbl"
    commands: ClassVar[frozenset[CommandKind]] = frozenset({"send", "start", "pause", "resume", "cancel"})

    port: str = ""
    baud: int = 115_200
    share: tuple[str, int] | None = None
    folder: Path | None = None
    interval_s: float = 1.0
    for_s: float = 5.0
    idle_for_s: float = 10.0
    _link: "_Link | None" = field(default=None, repr=False, compare=False)
    _kept: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def configure(cls, table: Table, name: Name) -> Self:
        baud = table.whole("baud", 115_200)
        if baud not in BAUDS:
            table.fault("baud", "must be a speed of serial ports, such as 115200 or 250000 where the system has it.")
        folder = table.string("folder", "")
        return cls(
            name,
            port=table.string("port"),
            baud=baud,
            share=_door(table),
            folder=(table.folder / folder).expanduser() if folder else None,
            interval_s=table.number("every_s", 1.0, least=0.2, most=30.0),
            for_s=table.number("for_s", 5.0, most=600.0),
            idle_for_s=table.number("idle_for_s", 10.0, most=3600.0),
        )

    async def run(self, sink: Sink) -> None:
        async with opened(self.port, self.baud) as port:
            self._link = link = _Link(self, port, sink)
            link.begin()
            try:
                jobs = [link.listen(), link.ask()]
                if self.share:
                    jobs.append(link.pass_through(*self.share))
                await either(*jobs)
            finally:
                self._link = None
                link.lost()

    async def check(self) -> list[Finding]:
        if self._link:
            return [well(f"GRBL on {self.port} is being heard.")]
        try:
            async with asyncio.timeout(9.0), opened(self.port, self.baud) as port:
                return [await _meet(port, self.port, self.baud)]
        except AdapterError as error:
            return [wrong(error)]
        except TimeoutError:
            return [wrong(f"Nothing on {self.port} answers. Is the machine switched on, and is it GRBL?")]

    # --- commands

    async def carry_out(self, command: Command) -> str:
        link = self._link
        if link is None:
            raise Refused(f"{self.name.label} is not connected.")
        match command.kind:
            case "send":
                return await self._send(link, command)
            case "start":
                return await self._start(link, command)
            case "pause":
                return await link.pause()
            case "resume":
                return await link.resume()
            case "cancel":
                return await link.cancel()
            case _:
                raise Refused(f"{self.name.label} cannot do that.")

    async def _send(self, link: "_Link", command: Command) -> str:
        if command.file is None or command.file.stat().st_size > MOST_BYTES:
            raise Refused("The file is missing, or larger than 50 MB.")
        kept = self._path(str(command.body.get("sha256", "")))
        _lines, why = await asyncio.to_thread(_program, command.file)
        if why:
            raise Refused(f"{command.body.get('name', 'The file')} cannot be run by GRBL. {why}")
        await asyncio.to_thread(_keep, command.file, kept)
        if command.body.get("start") is True:
            return await self._start(link, command)
        return f"{self.name.label} has the file and waits for its start."

    async def _start(self, link: "_Link", command: Command) -> str:
        sha256 = str(command.body.get("sha256", "")).lower()
        kept = self._path(sha256)
        if not kept.is_file():
            raise Refused(f"{self.name.label} does not have that file any more; send it again.")
        if command.expires_at <= dt.datetime.now(dt.UTC):
            raise Refused("The command came too late.")
        name = str(command.body.get("name", ""))[:200] or kept.name
        file = await asyncio.to_thread(hashing.of_file, name, kept)
        lines, why = await asyncio.to_thread(_program, kept)
        if why or file.sha256 != sha256:
            raise Refused(f"{name} is not the file that was meant any more; send it again. {why}".strip())
        return await link.start(file, lines)

    def _path(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256.lower()) <= set("0123456789abcdef"):
            raise Refused("The command does not name its file.")
        if self.folder is None and self._kept is None:
            self._kept = tempfile.TemporaryDirectory(prefix="livingcity-grbl-")
        folder = self.folder or Path(self._kept.name if self._kept else "")
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{sha256.lower()}.nc"


class _Link:
    """The open port: what the machine does, the stream that runs, and who else speaks through it."""

    def __init__(self, adapter: Grbl, port: Port, sink: Sink) -> None:
        self.adapter, self._port, self._sink = adapter, port, sink
        self._making = Making(sink)
        self._stream: parse.Stream | None = None
        self._file = JobFile("")
        self._guest: asyncio.StreamWriter | None = None
        self._status: parse.Status | None = None
        self._follow = ByPower(Threshold(0.5, adapter.for_s, adapter.idle_for_s))
        self._heard = asyncio.get_running_loop().time()
        self._held = asyncio.Event()
        self._idle_since_end = 0
        self._resetting: asyncio.Task[None] | None = None

    # --- beginning and end

    def begin(self) -> None:
        """A job of ours that ran when the agent was stopped did not get its lines any more; another's may go on."""
        if self._sink.recall("ours"):
            self._end("failed")
        self._follow.making = self._making.running

    def lost(self) -> None:
        """The port is gone in the middle of a stream."""
        if self._stream:
            self._end("failed")

    def _end(self, event: Event) -> None:
        self._stream, self._follow.making = None, False
        self._sink.remember({"ours": None})
        self._making.end(event, _now())

    # --- what the machine says

    async def listen(self) -> None:
        """Every line from the machine."""
        while True:
            line = await self._port.line()
            self._heard = asyncio.get_running_loop().time()
            if self._guest and not self._guest.is_closing():
                self._guest.write(line.encode() + b"\r\n")
            if line:
                await self._take(line)

    async def _take(self, line: str) -> None:
        if (said := parse.status(line)) is not None:
            self._status = said
            self._see(said)
        elif parse.is_alarm(line) or parse.is_greeting(line):
            if self._making.running:
                self._end("failed")
        elif self._stream and (reply := parse.answer(line)) is not None:
            self._stream.take(reply)
            await self._push()

    async def _push(self) -> None:
        stream = self._stream
        if stream is None:
            return
        if stream.error:
            self._sink.reading(Reading("x_grbl_errors", 1.0))
            self._end("failed")
            await self._stop_motion()
        elif data := stream.due():
            await self._port.write(data)

    def _see(self, said: parse.Status) -> None:
        at = _now()
        if said.state == "hold" and said.sub in {0, None}:
            self._held.set()
        if self._stream:
            self._see_ours(self._stream, said, at)
        else:
            self._see_others(said, at)

    def _see_ours(self, stream: parse.Stream, said: parse.Status, at: dt.datetime) -> None:
        if said.word == "error":
            self._end("failed")
            return
        self._idle_since_end = self._idle_since_end + 1 if stream.complete and said.state == "idle" else 0
        if self._idle_since_end >= 2:
            self._end("finished")
            self._sink.reading(Reading("state", "idle", at))
            return
        state = "paused" if said.word == "paused" else "making"
        self._making.see(state, at, file=self._file, progress=stream.progress)

    def _see_others(self, said: parse.Status, at: dt.datetime) -> None:
        if said.word == "error":
            self._follow.making = False
            self._making.see("error", at)
            return
        busy = said.word in {"making", "paused"}
        follows, since = self._follow.feed(float(busy), at)
        if follows == "idle":
            self._making.see("idle", since)
        elif said.word == "paused" and self._making.running:
            self._making.see("paused", at, progress=said.file_progress)
        else:
            file = JobFile(said.file_name.rpartition("/")[2]) if said.file_name else None
            self._making.see("making", since, file=file, progress=said.file_progress)

    async def ask(self) -> None:
        """Ask for the state again and again. Raises AdapterError when nothing answers any more."""
        while True:
            await self._port.write(b"?")
            await asyncio.sleep(self.adapter.interval_s)
            if asyncio.get_running_loop().time() - self._heard > max(SILENT_S, 5 * self.adapter.interval_s):
                raise AdapterError(f"The machine on {self.adapter.port} does not answer any more.")

    # --- what the city asks for

    async def start(self, file: JobFile, lines: list[str]) -> str:
        """Stream a program. The same again while it runs does nothing."""
        label = self.adapter.name.label
        if self._stream:
            if self._file.sha256 == file.sha256:
                return f"{label} is making {file.name} already."
            raise Refused(f"{label} is making {self._file.name}; wait until that is over.")
        if self._guest:
            raise Refused(f"A G-code sender is connected to {label}; disconnect it first.")
        if self._status is None or self._status.state != "idle":
            state = self._status.state if self._status else "not heard of"
            raise Refused(f"{label} is {state}. It must stand still and be free; unlock or home it at the machine.")
        self._stream, self._file, self._idle_since_end = parse.Stream(lines), file, 0
        self._sink.remember({"ours": True})
        self._making.begin(_now(), file)
        await self._push()
        return f"{label} makes {file.name}."

    async def pause(self) -> str:
        """Feed hold: motion stops, the spindle or laser as the controller is set up."""
        await self._port.write(b"!")
        return f"{self.adapter.name.label} holds."

    async def resume(self) -> str:
        """On from a hold."""
        if self._status is None or self._status.word != "paused":
            raise Refused(f"{self.adapter.name.label} does not hold, so there is nothing to resume.")
        await self._port.write(b"~")
        return f"{self.adapter.name.label} goes on."

    async def cancel(self) -> str:
        """Hold, then reset, so that the position is not lost."""
        running = self._making.running
        if running:
            self._end("cancelled")
        await self._stop_motion()
        return f"{self.adapter.name.label} has stopped." if running else f"{self.adapter.name.label} was not at work."

    async def _stop_motion(self) -> None:
        self._held.clear()
        await self._port.write(b"!?")
        self._resetting = asyncio.create_task(self._reset())

    async def _reset(self) -> None:
        try:
            async with asyncio.timeout(HOLD_S):
                await self._held.wait()
        except TimeoutError:
            pass
        try:
            await self._port.write(b"\x18")
        except (AdapterError, OSError):
            return

    # --- a G-code sender

    async def pass_through(self, host: str, port: int) -> None:
        """A TCP port for one G-code sender at a time."""
        try:
            server = await asyncio.start_server(self._guest_came, host, port)
        except OSError as error:
            raise AdapterError(f"“share” {host}:{port} cannot be opened: {error.strerror}.") from None
        async with server:
            await server.serve_forever()

    async def _guest_came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._guest or self._stream:
            writer.write(b"[MSG:The machine is in use.]\r\n")
            writer.close()
            return
        self._guest = writer
        try:
            while (data := await reader.read(4096)) and not self._stream:
                await self._port.write(data)
        except (OSError, AdapterError):
            pass
        finally:
            self._guest = None
            writer.close()


async def _meet(port: Port, path: str, baud: int) -> Finding:
    loop = asyncio.get_running_loop()
    heard: list[str] = []
    ends = loop.time() + GREET_S
    await port.write(b"\r\n?")
    while loop.time() < ends:
        try:
            async with asyncio.timeout(1.0):
                line = await port.line()
        except TimeoutError:
            await port.write(b"?")
            continue
        if (said := parse.status(line)) is not None:
            hint = " It is locked: home it, or unlock it with $X at the machine." if said.word == "error" else ""
            return well(f"GRBL on {path} answers; it is {said.state}.{hint}")
        if line:
            heard.append(line)
    if any(word in line for line in heard for word in ("Marlin", "echo:", "Klipper", "start")):
        return wrong(f"On {path} is a 3D printer's firmware, not GRBL: use OctoPrint or Moonraker for it.")
    if heard:
        return wrong(f"Something on {path} answers, but not as GRBL does: is {baud} the right “baud”?")
    return wrong(f"Nothing on {path} answers. Is the machine switched on, and is it GRBL?")


def _program(path: Path) -> tuple[list[str], str]:
    """A file's lines for GRBL, and why they cannot be run."""
    lines = list(parse.program(path.read_text(encoding="utf-8", errors="replace").splitlines()))
    return lines, parse.unfit(lines)


def _keep(file: Path, kept: Path) -> None:
    """Copy it whole or not at all, and let go of all but the newest files."""
    half = kept.with_suffix(".part")
    shutil.copyfile(file, half)
    half.replace(kept)
    for old in sorted(kept.parent.glob("*.nc"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _door(table: Table) -> tuple[str, int] | None:
    text = table.string("share", "")
    if not text:
        return None
    host, _colon, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        table.fault("share", "must be an address and a port, such as 127.0.0.1:2300.")
        return None
    return host, int(port)
