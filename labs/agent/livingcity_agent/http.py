"""HTTP/1.1 over asyncio: enough for machines in a lab's network and for the city, and nothing to install.

One request a connection, so that a dead one is never reused. No redirect is followed, for a machine that sends a
password-bearing request elsewhere is not trusted. TLS checks certificates with the system's roots.
"""

import asyncio
import base64
import hashlib
import json
import os
import re
import secrets
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from livingcity_agent import __version__
from livingcity_agent.adapters.base import AdapterError, JobFile
from livingcity_agent.hashing import Hasher

MOST_BYTES = 8_000_000
_PIECE = 65_536


class NoAnswer(AdapterError):
    """Nobody answered, or what answered does not speak HTTP."""


class BadStatus(AdapterError):
    """It answered, but not with what was asked for."""

    def __init__(self, sentence: str, answer: "Answer") -> None:
        super().__init__(sentence)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Its body as JSON. Raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Upload:
    """A form with one file, streamed from disk (multipart/form-data)."""

    path: Path
    name: str
    fields: Mapping[str, str] = field(default_factory=dict)
    boundary: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def content_type(self) -> str:
        """The header that goes with it."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return len(self._before()) + self.path.stat().st_size + len(self._after())

    def pieces(self) -> Iterator[bytes]:
        """The body."""
        yield self._before()
        with self.path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece
        yield self._after()

    def _before(self) -> bytes:
        name = re.sub(r'[\r\n"\\]', "_", self.name)
        parts = [
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in self.fields.items()
        ]
        parts.append(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        return "".join(parts).encode()

    def _after(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


@dataclass(frozen=True, slots=True)
class FileBody:
    """A file as the whole body, streamed from disk."""

    path: Path
    content_type: str = "application/octet-stream"

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return self.path.stat().st_size

    def pieces(self) -> Iterator[bytes]:
        """The body."""
        with self.path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece


Body = bytes | Upload | FileBody | None


@dataclass
class Http:
    """A server at an address. With a user it answers digest challenges (MD5, SHA-256) and basic ones."""

    base: str
    headers: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 15.0

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Ask and read the whole answer, whatever its status. Raises NoAnswer."""
        sent = dict(headers or {})
        if json_body is not None:
            body = json.dumps(json_body, separators=(",", ":")).encode()
            sent.setdefault("Content-Type", "application/json")
        try:
            async with asyncio.timeout(timeout_s or self.timeout_s):
                if self.user and isinstance(body, Upload | FileBody):  # not a long file only to hear the challenge
                    self._sign(sent, method, path, await self._whole("HEAD", path, None, dict(headers or {})))
                answer = await self._whole(method, path, body, sent, timeout_s)
                if self._sign(sent, method, path, answer):
                    answer = await self._whole(method, path, body, sent, timeout_s)
                return answer
        except TimeoutError:
            raise NoAnswer(f"{self.base} did not answer within {timeout_s or self.timeout_s:g} s.") from None

    def _sign(self, sent: dict[str, str], method: str, path: str, answer: Answer) -> bool:
        """Put the answer to a challenge among the headers; False where nothing was asked."""
        challenge = answer.headers.get("www-authenticate", "")
        if answer.status != 401 or not self.user or not challenge:
            return False
        sent["Authorization"] = _authorization(challenge, method, path, self.user, self.password)
        return True

    async def json(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        """Ask and read JSON; None where the answer is empty. Raises NoAnswer, BadStatus."""
        answer = await self.ask(method, path, json_body=json_body, body=body, headers=headers, timeout_s=timeout_s)
        if answer.status >= 300:
            raise BadStatus(f"{self.base}{path.partition('?')[0]} answered {said(answer)}.", answer)
        try:
            return answer.json() if answer.body.strip() else None
        except ValueError:
            raise BadStatus(
                f"{self.base}{path.partition('?')[0]} answered something that is no JSON.", answer
            ) from None

    async def download(self, path: str, name: str, *, into: Path | None = None, most: int = 2_000_000_000) -> JobFile:
        """Read a file, hash it, and write it `into` a file where that is wanted. Raises NoAnswer, BadStatus."""
        extra: dict[str, str] = {}
        for _attempt in range(2):
            async with self._answer("GET", path, None, extra) as (status, headers, pieces):
                challenge = headers.get("www-authenticate", "")
                if status == 401 and self.user and challenge and not extra:
                    extra["Authorization"] = _authorization(challenge, "GET", path, self.user, self.password)
                    continue
                if status != 200:
                    raise BadStatus(f"{self.base}{path} answered {status}.", Answer(status, headers, b""))
                return await self._keep(pieces, headers, name, into, most)
        raise NoAnswer(f"{self.base}{path} asks for a password again and again.")

    @asynccontextmanager
    async def stream(self, method: str, path: str) -> AsyncIterator[tuple[int, dict[str, str], AsyncIterator[bytes]]]:
        """Ask and read the answer as it comes: status, headers and pieces. Raises NoAnswer."""
        async with self._answer(method, path, None, {}) as answer:
            yield answer

    async def _keep(
        self, pieces: AsyncIterator[bytes], headers: Mapping[str, str], name: str, into: Path | None, most: int
    ) -> JobFile:
        length = headers.get("content-length", "")
        held: list[bytes] = []
        hasher = Hasher(int(length)) if length.isdecimal() else None
        read, stream = 0, into.open("wb") if into else None
        try:
            async for piece in _in_time(pieces, self.timeout_s, self.base):
                read += len(piece)
                if read > most:
                    raise NoAnswer(f"{self.base} sends more than {most} bytes for {name}.")
                if stream:
                    stream.write(piece)
                if hasher:
                    hasher.feed(piece)
                else:
                    held.append(piece)
        finally:
            if stream:
                stream.close()
        if hasher is None:  # chunked: git's id begins with the length, which is known only now
            hasher = Hasher(read)
            for piece in held:
                hasher.feed(piece)
        return hasher.file(name)

    async def _whole(
        self, method: str, path: str, body: Body, headers: Mapping[str, str], patience_s: float | None = None
    ) -> Answer:
        async with self._answer(method, path, body, headers, patience_s) as (status, found, pieces):
            held = bytearray()
            async for piece in pieces:
                held += piece
                if len(held) > MOST_BYTES:
                    raise NoAnswer(f"{self.base} answers more than {MOST_BYTES} bytes.")
            return Answer(status, found, bytes(held))

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, body: Body, headers: Mapping[str, str], patience_s: float | None = None
    ) -> AsyncIterator[tuple[int, dict[str, str], AsyncIterator[bytes]]]:
        url = urlsplit(self.base)
        try:
            reader, writer = await connect(url.scheme in {"https", "wss"}, url.hostname or "", url.port, self.timeout_s)
        except (OSError, TimeoutError) as error:
            raise NoAnswer(f"{self.base} cannot be reached: {why(error)}.") from None
        try:
            async with asyncio.timeout(max(self.timeout_s, patience_s or 30.0)):
                await _send(writer, method, url.path.rstrip("/") + path, _host(self.base), body, self.headers, headers)
            status, found = await read_head(reader)
            yield status, found, _pieces(reader, method, status, found)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            raise NoAnswer(f"{self.base} broke off: {why(error)}.") from None
        finally:
            writer.close()


async def connect(
    tls: bool, host: str, port: int | None, timeout_s: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection, with TLS where the scheme says so. Raises OSError, TimeoutError."""
    context = ssl.create_default_context() if tls else None
    async with asyncio.timeout(timeout_s):
        return await asyncio.open_connection(host, port or (443 if tls else 80), ssl=context)


def why(error: BaseException) -> str:
    """What an error says, in words."""
    if isinstance(error, asyncio.IncompleteReadError | EOFError):
        return "the connection was closed"
    if isinstance(error, TimeoutError):
        return "it took too long"
    number = getattr(error, "errno", None)
    known = os.strerror(number) if isinstance(number, int) and number > 0 else getattr(error, "strerror", None)
    text = known or str(error) or type(error).__name__
    return str(text).strip().rstrip(".")


def said(answer: Answer) -> str:
    """The status with what the body tells a person, shortened."""
    text = ""
    try:
        body = answer.json()
        inner = body.get("error") if isinstance(body, dict) else None
        found = body if isinstance(body, dict) else {}
        text = str((inner.get("message") if isinstance(inner, dict) else inner) or found.get("detail") or "")
    except ValueError:
        pass
    return f"{answer.status} ({text[:200].rstrip('.')})" if text else str(answer.status)


def _host(base: str) -> str:
    return urlsplit(base).netloc.rpartition("@")[2]


async def _send(
    writer: asyncio.StreamWriter,
    method: str,
    path: str,
    host: str,
    body: Body,
    *headers: Mapping[str, str],
) -> None:
    lines = {"Host": host, "User-Agent": f"livingcity-agent/{__version__}", "Connection": "close"}
    for more in headers:
        lines |= more
    if isinstance(body, Upload | FileBody):
        lines |= {"Content-Type": body.content_type, "Content-Length": str(body.length)}
    elif body is not None or method in {"POST", "PUT", "PATCH"}:
        lines["Content-Length"] = str(len(body or b""))
    head = f"{method} {path or '/'} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
    writer.write(head.encode("utf-8"))
    for piece in body.pieces() if isinstance(body, Upload | FileBody) else (body or b"",):
        writer.write(piece)
        await writer.drain()


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and headers, names in small letters. Raises ValueError for what is no HTTP, EOFError."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        found = re.match(r"HTTP/1\.[01] (\d{3})", first)
        if not found:
            raise ValueError("this is no HTTP")
        if found[1] != "100":
            break
    headers: dict[str, str] = {}
    for line in lines:
        name, _colon, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(found[1]), headers


async def _pieces(
    reader: asyncio.StreamReader, method: str, status: int, headers: Mapping[str, str]
) -> AsyncIterator[bytes]:
    if method == "HEAD" or status in {204, 304}:
        return
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readline()).split(b";")[0].strip() or b"x", 16):
            left = size
            while left:
                piece = await reader.read(min(left, _PIECE))
                if not piece:
                    raise EOFError
                left -= len(piece)
                yield piece
            await reader.readexactly(2)
        return
    length = headers.get("content-length")
    left = int(length) if length is not None else -1
    while left:
        piece = await reader.read(_PIECE if left < 0 else min(left, _PIECE))
        if not piece:
            if left > 0:
                raise EOFError
            return
        left -= len(piece) if left > 0 else 0
        yield piece


async def _in_time(pieces: AsyncIterator[bytes], timeout_s: float, base: str) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(timeout_s):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise NoAnswer(f"{base} stopped in the middle of a file.") from None
        yield piece


def _authorization(challenge: str, method: str, path: str, user: str, password: str) -> str:
    """The header that answers a challenge: digest where it is offered (RFC 7616), else basic."""
    if not challenge.lower().startswith("digest"):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    asked = {k.lower(): v.strip('"') for k, v in re.findall(r'(\w+)=("[^"]*"|[^\s,]+)', challenge[6:])}
    realm, nonce = asked.get("realm", ""), asked.get("nonce", "")
    sha256 = asked.get("algorithm", "MD5").upper().startswith("SHA-256")

    def digest(*parts: str) -> str:
        text = ":".join(parts).encode()
        return (hashlib.sha256(text) if sha256 else hashlib.md5(text)).hexdigest()  # noqa: S324 RFC 7616

    count, own = "00000001", secrets.token_hex(8)
    secret, what = digest(user, realm, password), digest(method, path)
    answer = digest(secret, nonce, count, own, "auth", what) if "qop" in asked else digest(secret, nonce, what)
    fields = {"username": user, "realm": realm, "nonce": nonce, "uri": path, "response": answer}
    fields |= {k: asked[k] for k in ("opaque",) if k in asked}
    words = [f'{k}="{v}"' for k, v in fields.items()] + [f"algorithm={asked.get('algorithm', 'MD5')}"]
    if "qop" in asked:
        words += ["qop=auth", f"nc={count}", f'cnonce="{own}"']
    return "Digest " + ", ".join(words)
