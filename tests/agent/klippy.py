"""What Klipper's host says to Moonraker, and nothing behind it: a printer that prints a line every 20 ms.

Frames are JSON with 0x03 at the end, over a UNIX socket. Made after Klipper's API server documentation.
"""

import asyncio
import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OBJECTS = ("webhooks", "print_stats", "virtual_sdcard", "display_status", "idle_timeout", "configfile", "pause_resume")
MORE = ("toolhead", "extruder", "heater_bed", "gcode_move")


class Klippy:
    """The printer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stats: dict[str, Any] = {
            "state": "standby", "filename": "", "total_duration": 0.0, "print_duration": 0.0, "filament_used": 0.0,
            "message": "", "info": {"total_layer": None, "current_layer": None},
        }  # fmt: skip
        self.progress = 0.0
        self.template: dict[str, Any] | None = None
        self.writer: asyncio.StreamWriter | None = None
        self.printing: asyncio.Task[None] | None = None
        self.line_s = 0.02

    def status(self) -> dict[str, Any]:
        card = {"path": str(self.folder)}
        return {
            "webhooks": {"state": "ready", "state_message": "Printer is ready"},
            "print_stats": dict(self.stats),
            "virtual_sdcard": {"progress": self.progress, "is_active": self.stats["state"] == "printing"},
            "display_status": {"progress": self.progress, "message": None},
            "idle_timeout": {"state": "Ready", "printing_time": 0.0},
            "configfile": {"config": {"virtual_sdcard": card}, "settings": {"virtual_sdcard": card}},
            "pause_resume": {"is_paused": self.stats["state"] == "paused"},
            "toolhead": {"position": [0, 0, 0, 0], "homed_axes": "xyz"},
            "extruder": {"temperature": 21.0, "target": 0.0},
            "heater_bed": {"temperature": 21.0, "target": 0.0},
            "gcode_move": {"speed_factor": 1.0},
        }

    def push(self, **changed: Any) -> None:
        if self.template is not None:
            self.send({**self.template, "params": {"eventtime": time.monotonic(), "status": changed}})

    def send(self, message: Any) -> None:
        if self.writer is not None:
            self.writer.write(json.dumps(message).encode() + b"\x03")

    def set(self, **stats: Any) -> None:
        self.stats |= stats
        self.push(print_stats=dict(self.stats), virtual_sdcard={"progress": self.progress})

    async def prints(self, name: str) -> None:
        lines = (self.folder / name).read_text().splitlines()
        began = time.monotonic()
        for number, _line in enumerate(lines, 1):
            while self.stats["state"] == "paused":
                await asyncio.sleep(0.02)
            await asyncio.sleep(self.line_s)
            self.progress = number / len(lines)
            spent = time.monotonic() - began
            self.set(total_duration=spent, print_duration=spent, filament_used=number * 10.0)
        self.set(state="complete")

    def script(self, text: str) -> None:
        if found := re.match(r'SDCARD_PRINT_FILE FILENAME="(.*)"', text):
            self.set(state="printing", filename=found[1], total_duration=0.01, print_duration=0.01, filament_used=0.0)
            self.printing = asyncio.get_running_loop().create_task(self.prints(found[1]))

    def answer(self, method: str, params: dict[str, Any]) -> Any:
        if method == "info":
            return {
                "state": "ready", "state_message": "Printer is ready", "hostname": "look-alike", "process_id": 1,
                "klipper_path": "/nowhere", "python_path": "/nowhere", "log_file": "/nowhere/klippy.log",
                "config_file": str(self.folder.parent / "config" / "printer.cfg"), "software_version": "v0.13.0-1",
                "cpu_info": "", "user_id": 0, "group_id": 0,
            }  # fmt: skip
        if method == "list_endpoints":
            names = ("pause_resume/pause", "pause_resume/resume", "pause_resume/cancel", "gcode/script", "gcode/help")
            return {"endpoints": ["info", "objects/list", "objects/query", "objects/subscribe", *names]}
        if method == "objects/list":
            return {"objects": [*OBJECTS, *MORE]}
        if method in {"objects/query", "objects/subscribe"}:
            if method == "objects/subscribe":
                self.template = params.get("response_template") or {}
            status = self.status()
            return {"eventtime": time.monotonic(), "status": {n: status.get(n, {}) for n in params["objects"]}}
        if method == "gcode/script":
            self.script(params["script"])
        elif method == "pause_resume/pause":
            self.set(state="paused")
        elif method == "pause_resume/resume":
            self.set(state="printing", total_duration=self.stats["total_duration"] + 0.01)
        elif method == "pause_resume/cancel" and self.printing:
            self.printing.cancel()
            self.set(state="cancelled")
        return {}

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                request = json.loads((await reader.readuntil(b"\x03"))[:-1])
                result = self.answer(request["method"], request.get("params") or {})
                self.send({"id": request.get("id"), "result": result})


@contextmanager
def klippy(socket: Path, gcodes: Path) -> Iterator[Klippy]:
    """The look-alike at a UNIX socket."""
    printer, ready, loop = Klippy(gcodes), threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with await asyncio.start_unix_server(printer.client, str(socket)):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield printer
    loop.call_soon_threadsafe(stop.set)
    thread.join(5)
