"""How the web server hands telemetry and job events to the process `ingest`: frames over a Unix socket in the city's
private folder.

A question is a head and the body as the device sent it; an answer is a head and the body for the device. Questions of
one connection may be answered in any order; `number` says to which an answer belongs.
"""

import asyncio
import struct
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

QUESTION = struct.Struct("!IQB32s")
ANSWER = struct.Struct("!IQH")
MOST_BYTES = 20 * 1024 * 1024
UNKNOWN_TOKEN = 401
TELEMETRY, JOBS = 0, 1
"""What a body is."""


def address() -> Path:
    """Where the process listens."""
    path: Path = settings.INGEST_SOCKET
    return path


@dataclass(frozen=True, slots=True)
class Question:
    """A body with the SHA-256 of the token that it came with."""

    number: int
    token_sha256: bytes
    body: bytes
    kind: int = TELEMETRY

    def head(self) -> bytes:
        """What goes before the body."""
        return QUESTION.pack(len(self.body), self.number, self.kind, self.token_sha256)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: its status, and the body for the device. UNKNOWN_TOKEN says that the token lets nobody in."""

    number: int
    status: int
    body: bytes

    def head(self) -> bytes:
        """What goes before the body."""
        return ANSWER.pack(len(self.body), self.number, self.status)


class Reader:
    """Cuts what comes over a connection into frames."""

    def __init__(self, head: struct.Struct) -> None:
        self._head, self._buffer = head, bytearray()

    def feed(self, data: bytes) -> "list[tuple[tuple[int | bytes, ...], bytes]]":
        """The frames that are complete now: the fields of their heads after the length, and their bodies. Raises
        ValueError for a length that nobody sends."""
        self._buffer += data
        found: list[tuple[tuple[int | bytes, ...], bytes]] = []
        at, size = 0, self._head.size
        while len(self._buffer) - at >= size:
            length, *fields = self._head.unpack_from(self._buffer, at)
            if length > MOST_BYTES:
                raise ValueError(f"a frame of {length} bytes")
            if len(self._buffer) - at - size < length:
                break
            found.append((tuple(fields), bytes(memoryview(self._buffer)[at + size : at + size + length])))
            at += size + length
        del self._buffer[:at]
        return found


class Outgoing:
    """What goes out over a connection: all that is said in one round of the event loop, in one piece."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []

    @property
    def usable(self) -> bool:
        """Whether the other side is there."""
        return self.transport is not None and not self.transport.is_closing()

    def put(self, *parts: bytes) -> None:
        """Say it, soon."""
        if not self._parts:
            asyncio.get_running_loop().call_soon(self._flush)
        self._parts += parts

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if self.transport is not None and self.usable:
            self.transport.write(b"".join(parts))
