"""A WebSocket's client side (RFC 6455): texts in and out, pings answered, pieces joined."""

import asyncio
import base64
import hashlib
import json
import secrets
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from livingcity_agent.http import NoAnswer, connect, read_head, why

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
MOST_BYTES = 8_000_000


class Socket:
    """An open socket. Both raise NoAnswer when it is gone."""

    def __init__(self, base: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._base, self._reader, self._writer = base, reader, writer

    async def send(self, message: Any) -> None:
        """Send JSON."""
        await self._frame(_TEXT, json.dumps(message, separators=(",", ":")).encode())

    async def receive(self, *, silence_s: float = 90.0) -> Any:
        """The next message as JSON; a ping counts as a sign of life, silence for longer raises NoAnswer."""
        held = bytearray()
        while True:
            try:
                async with asyncio.timeout(silence_s):
                    last, code, data = await self._read()
            except (OSError, EOFError, TimeoutError) as error:
                raise NoAnswer(f"{self._base} broke off: {why(error)}.") from None
            if code == _PING:
                await self._frame(_PONG, data)
            elif code == _CLOSE:
                raise NoAnswer(f"{self._base} closed the connection.")
            elif code != _PONG:
                held += data
                if len(held) > MOST_BYTES:
                    raise NoAnswer(f"{self._base} sends messages that are too long.")
                if last:
                    try:
                        return json.loads(held)
                    except ValueError:
                        raise NoAnswer(f"{self._base} sends messages that are no JSON.") from None

    async def _read(self) -> tuple[bool, int, bytes]:
        first, second = await self._reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self._reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
        if size > MOST_BYTES:
            raise NoAnswer(f"{self._base} sends messages that are too long.")
        return bool(first & 0x80), first & 0x0F, await self._reader.readexactly(size)

    async def _frame(self, code: int, data: bytes) -> None:
        size = len(data)
        head = bytes([0x80 | code])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65_536:
            head += bytes([0xFE]) + struct.pack("!H", size)
        else:
            head += bytes([0xFF]) + struct.pack("!Q", size)
        mask = secrets.token_bytes(4)
        stream = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")
        try:
            self._writer.write(head + mask + masked)
            await self._writer.drain()
        except OSError as error:
            raise NoAnswer(f"{self._base} broke off: {why(error)}.") from None


@asynccontextmanager
async def websocket(
    base: str, path: str, *, headers: Mapping[str, str] | None = None, timeout_s: float = 15.0
) -> AsyncIterator[Socket]:
    """An open socket at `base` (http or https). Raises NoAnswer."""
    url = urlsplit(base)
    key = base64.b64encode(secrets.token_bytes(16))
    lines = {
        "Host": url.netloc.rpartition("@")[2],
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key.decode(),
        "Sec-WebSocket-Version": "13",
        **(headers or {}),
    }
    head = f"GET {url.path.rstrip('/')}{path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
    try:
        reader, writer = await connect(url.scheme in {"https", "wss"}, url.hostname or "", url.port, timeout_s)
    except (OSError, TimeoutError) as error:
        raise NoAnswer(f"{base} cannot be reached: {why(error)}.") from None
    try:
        try:
            async with asyncio.timeout(timeout_s):
                writer.write(f"{head}\r\n".encode())
                status, found = await read_head(reader)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            raise NoAnswer(f"{base} opens no socket: {why(error)}.") from None
        wanted = base64.b64encode(hashlib.sha1(key + _MAGIC).digest()).decode()  # noqa: S324 RFC 6455
        if status != 101 or found.get("sec-websocket-accept") != wanted:
            raise NoAnswer(f"{base}{path.partition('?')[0]} opens no socket: it answered {status}.")
        yield Socket(base, reader, writer)
    finally:
        writer.close()
