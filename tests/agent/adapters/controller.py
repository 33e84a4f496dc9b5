"""A look-alike of GRBL on a pseudo-terminal: its buffers, answers and states as its documents tell them."""

import os
import re
import threading
import time
import tty
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Controller:
    """Takes 128 bytes, plans 16 blocks, and makes one block each `block_s`. `version` 0.9 or 1.1."""

    version: str = "1.1h"
    block_s: float = 0.02
    state: str = "Idle"
    bad: str = ""
    silent: bool = False
    extra: str = ""
    lines: list[str] = field(default_factory=list)
    realtime: list[str] = field(default_factory=list)
    fullest: int = 0
    path: str = ""
    _received: bytearray = field(default_factory=bytearray)
    _planned: deque[str] = field(default_factory=deque)
    _master: int = -1
    _stopped: bool = False

    def say(self, text: str) -> None:
        os.write(self._master, text.encode() + b"\r\n")

    def greet(self) -> None:
        self.say(f"\r\nGrbl {self.version} ['$' for help]")

    def status(self) -> str:
        if self.version.startswith("0.9"):
            return f"<{self.state},MPos:1.000,2.000,3.000,WPos:0.000,0.000,0.000,Buf:0,RX:0,F:500.>"
        return f"<{self.state}|MPos:1.000,2.000,3.000|FS:500,8000{self.extra}>"

    def work(self) -> None:
        last = time.monotonic()
        while not self._stopped:
            try:
                data = os.read(self._master, 256)
            except BlockingIOError:
                data = b""
            except OSError:
                return
            for byte in data:
                self._take(byte)
            self._parse()
            if self.state == "Run" and time.monotonic() - last >= self.block_s:
                last = time.monotonic()
                if self._planned:
                    self._planned.popleft()
                if not self._planned and not self._received:
                    self.state = "Idle"
            time.sleep(0.002)

    def _take(self, byte: int) -> None:
        if byte in b"?!~\x18":
            self.realtime.append(chr(byte))
            if byte == ord("?") and not self.silent:
                self.say(self.status())
            elif byte == ord("!") and self.state in {"Run", "Idle"}:
                self.state = "Hold:0" if self.version.startswith("1") else "Hold"
            elif byte == ord("~") and self.state.startswith("Hold"):
                self.state = "Run"
            elif byte == 0x18:
                self._received.clear()
                self._planned.clear()
                self.state = "Idle"
                self.greet()
            return
        self._received.append(byte)
        self.fullest = max(self.fullest, len(self._received))

    def _parse(self) -> None:
        while b"\n" in self._received and len(self._planned) < 16 and self.state in {"Idle", "Run"}:
            line, _newline, rest = bytes(self._received).partition(b"\n")
            self._received[:] = rest
            text = line.decode().strip()
            if not text:
                self.say("ok")
                continue
            self.lines.append(text)
            if self.bad and re.search(self.bad, text):
                self.say("error:20" if self.version.startswith("1") else "error: Unsupported command")
                continue
            self._planned.append(text)
            self.state = "Run"
            self.say("ok")


@contextmanager
def controller(**settings: object) -> Iterator[Controller]:
    """A controller at work; `path` is its port."""
    made = Controller(**settings)  # type: ignore[arg-type]
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    made._master, made.path = master, os.ttyname(slave)
    thread = threading.Thread(target=made.work, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made._stopped = True
        thread.join(5)
        os.close(slave)
        os.close(master)
