"""Django's WSGI application behind an ASGI server, so that pages and event streams share one port.

What it holds to, and why it is not a library: a slow client never holds a page's thread. A request is given to a thread
only when its whole body is here (up to 1 MB); a page's answer is sent by the event loop after the thread is free again.
Longer bodies and streamed answers (git clone and push, exports) run in their own pool, with back-pressure in both
directions and constant memory. When that pool is full, the next long request is refused with 503 and Retry-After.

More requests than the threads can do are refused before anything of them is read (`Admission`): who is let in is served
about as fast as ever, and the rest hears at once when to come back. What devices say and what watches over the city
have threads of their own, which pages cannot fill.

A body of unknown length (chunked, as git sends it) is announced to Django as one of `UNKNOWN_LENGTH` bytes, for Django
would read nothing otherwise; `request.read(n)` answers b"" at its end.
"""

import asyncio
import collections
import concurrent.futures
import contextlib
import contextvars
import io
import logging
import queue
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import IO, Any, Protocol

from commons.watching import measures
from commons.watching.middleware import BEGAN
from commons.web.timely import TooSlow, Watch, in_time
from livingcity import busy
from livingcity.busy import Admission

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Environ = dict[str, Any]

BUFFERED_BODY_BYTES = 1024 * 1024
BLOCK_BYTES = 128 * 1024
READ_AHEAD_BYTES = 1024 * 1024
READ_AHEAD_S = 0.2
#: A push ends with a checksum of all its bytes, and git keeps nothing of one that is wrong.
CHECKED = frozenset({"application/x-git-receive-pack-request"})
AHEAD = 16
USUAL_PIECE_BYTES = 64 * 1024
UNKNOWN_LENGTH = sys.maxsize
PAGE_THREADS = 8
STREAM_THREADS = 24
STREAM_QUEUE = 24
OWN_THREADS = 2
PATIENCE_S = 120.0
BUSY = b"Too many long transfers at once; try again in a few seconds.\n"


class WsgiApplication(Protocol):
    """A WSGI application (PEP 3333)."""

    def __call__(self, environ: Environ, start_response: Callable[..., Any], /) -> Iterable[bytes]: ...


class ClientGone(OSError):
    """The client closed the connection; Django knows what to do with an OSError."""


class Body(io.RawIOBase):
    """`wsgi.input` of a long request: what has come so far, then what the event loop receives.

    The loop gathers the next block while the thread works on the one before: a body comes in pieces of some kilobytes,
    and a thread that asked for each of them would mostly wait. So about two blocks are in memory.

    `ahead` is how many pieces the server is asked for at the same time, which spares most of the way between its
    threads and ours. Its answers are taken in the order in which it gives them; that this is the order of the bytes
    holds for granian with one thread for each of its tasks, but no server promises it. So more than one is only for
    bodies that are checked by what is in them (`CHECKED`).
    """

    def __init__(self, head: bytes, receive: Receive, loop: asyncio.AbstractEventLoop, *, ahead: int = 1) -> None:
        self._buffer = memoryview(head)
        self._ended = False
        self._receive, self._loop, self._ahead = receive, loop, ahead
        self._parts: list[bytes] = []
        self._size = 0
        self._asks: set[asyncio.Future[Message]] = set()
        self._largest = USUAL_PIECE_BYTES
        self._more = True
        self._fault: Exception | None = None
        self._waiting: concurrent.futures.Future[tuple[bytes, bool]] | None = None
        self._late: asyncio.TimerHandle | None = None
        self._watch: Watch | None = None
        if ahead > 1 and isinstance(receive, in_time):
            self._receive, self._watch = receive.raw, Watch(self._too_late)
        self._ask()

    @property
    def too_slow(self) -> TooSlow | None:
        """That the body did not come in its time, if so."""
        return self._fault if isinstance(self._fault, TooSlow) else None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, into: Any) -> int:
        """Wait for bytes; 0 at the end. Raises ClientGone."""
        while not self._buffer and not self._ended:
            block: concurrent.futures.Future[tuple[bytes, bool]] = concurrent.futures.Future()
            self._loop.call_soon_threadsafe(self._want, block)
            data, more = block.result(PATIENCE_S)
            self._buffer, self._ended = memoryview(data), not more
        count = min(len(into), len(self._buffer))
        into[:count] = self._buffer[:count]
        self._buffer = self._buffer[count:]
        return count

    # The rest runs in the event loop.

    def _ask(self) -> None:
        while self._more and len(self._asks) < self._ahead:
            coming = self._size + len(self._asks) * self._largest
            if coming >= READ_AHEAD_BYTES:
                break
            if self._watch is not None:
                self._watch.begin()
            ask = asyncio.ensure_future(self._receive(), loop=self._loop)
            self._asks.add(ask)
            ask.add_done_callback(self._came)

    def _came(self, coming: "asyncio.Future[Message]") -> None:
        self._asks.discard(coming)
        if coming.cancelled():
            return
        try:
            part, more = _part(coming.result())
        except Exception as fault:
            part, more = b"", False
            self._fault = self._fault or (fault if self._more else None)
        if self._watch is not None:
            self._watch.came(len(part))
        if self._more:
            self._parts.append(part)
            self._size += len(part)
            self._largest = max(self._largest, len(part))
            self._more = more
        self._hand_over()
        self._ask()
        if self._watch is not None and self._more and self._asks:
            self._watch.begin()

    def _too_late(self) -> None:
        if self._more:
            self._fault, self._more = TooSlow("a body that was read ahead did not come in its time"), False
            for ask in list(self._asks):  # the server would keep the line open for them
                ask.cancel()
            self._hand_over()

    def _want(self, block: "concurrent.futures.Future[tuple[bytes, bool]]") -> None:
        self._waiting = block
        self._hand_over()
        self._ask()

    def _hand_over(self, *, now: bool = False) -> None:
        """Give the thread that waits a block: a large one, or what has come in a moment from a slow client."""
        if self._waiting is None:
            return
        if self._more and self._size < BLOCK_BYTES and not (now and self._parts):
            if self._parts and self._late is None:
                self._late = self._loop.call_later(READ_AHEAD_S, self._hand_over_late)
            return
        if self._late is not None:
            self._late.cancel()
            self._late = None
        waiting, self._waiting = self._waiting, None
        if self._fault is not None:
            waiting.set_exception(self._fault)
            return
        data = b"".join(self._parts)
        self._parts, self._size = [], 0
        waiting.set_result((data, self._more))

    def _hand_over_late(self) -> None:
        self._late = None
        self._hand_over(now=True)


def _part(message: Message) -> tuple[bytes, bool]:
    """The bytes in a message, and whether more will come. Raises ClientGone."""
    if message["type"] == "http.disconnect":
        raise ClientGone("the client went away before its request was complete")
    return message.get("body", b""), message.get("more_body", False)


class FileBlocks:
    """`wsgi.file_wrapper`: a file in large blocks."""

    def __init__(self, file: IO[bytes], _block_bytes: int = BLOCK_BYTES) -> None:
        self.file = file

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(BLOCK_BYTES), b"")

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class Answer:
    """What the application said to `start_response`, and its body."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: Iterable[bytes] = ()
        self.whole: bytes | None = None

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        """WSGI's `start_response`."""
        self.status = int(status[:3])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]

    def close(self) -> None:
        """Let the application tidy up; Django sends `request_finished`."""
        close = getattr(self.body, "close", None)
        if close:
            close()


def environ_of(scope: Scope) -> Environ:
    """PEP 3333's environ without `wsgi.input`.

    Header names with an underscore are dropped: they could pass for others.
    """
    host, port = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(host),
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": str(client[0]),
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": FileBlocks,
    }
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1")
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        text = value.decode("latin-1")
        joint = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{joint}{text}" if key in environ else text
    return environ


class Threads:
    """At most so many threads, for one event loop at a time; a new one is started only when all others are at work.

    Much lighter than `run_in_executor`: one queue in, and one wake-up of the loop for all answers that are ready. Each
    thread keeps a connection to the database and memory of its own, so that few of them is what an idle city costs.
    """

    def __init__(self, count: int, name: str) -> None:
        self._work: queue.SimpleQueue[tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]] = (
            queue.SimpleQueue()
        )
        self._done: collections.deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = collections.deque()
        self._count, self._name, self._started = count, name, 0
        self._busy = 0
        self._waking = False

    @property
    def waiting(self) -> int:
        """How many wait for a thread."""
        return max(self._busy - self._count, 0)

    def run(self, work: Callable[..., Any], *arguments: Any) -> "asyncio.Future[Any]":
        """Do the work in a thread; call from the loop."""
        self._busy += 1
        if self._started < min(self._count, self._busy):
            self._started += 1
            threading.Thread(target=self._serve, name=f"{self._name}-{self._started}", daemon=True).start()
        future = asyncio.get_running_loop().create_future()
        self._work.put((future, work, arguments))
        return future

    def _serve(self) -> None:
        while True:
            future, work, arguments = self._work.get()
            result, fault = None, None
            try:
                result = work(*arguments)
            except BaseException as error:
                fault = error
            self._done.append((future, result, fault))
            if not self._waking:  # else a wake-up is on its way, and takes what has been appended before
                self._waking = True
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    future.get_loop().call_soon_threadsafe(self._deliver)
            del future, work, arguments, result, fault

    def _deliver(self) -> None:
        self._waking = False
        while self._done:
            future, result, fault = self._done.popleft()
            self._busy -= 1
            if future.done():
                continue
            if fault is None:
                future.set_result(result)
            else:
                future.set_exception(fault)


class Bridge:
    """The WSGI application as an ASGI application for HTTP."""

    def __init__(
        self, application: WsgiApplication, *, page_threads: int = PAGE_THREADS, stream_threads: int = STREAM_THREADS
    ) -> None:
        self.application = application
        self.pages = Threads(page_threads, "page")
        self.own = Threads(OWN_THREADS, "own")
        self.admission, self.admission_of_own = Admission(), Admission()
        self.streams = Threads(stream_threads, "stream")
        self.long_requests = 0
        self.most_long_requests = stream_threads + STREAM_QUEUE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        loop = asyncio.get_running_loop()
        own = busy.is_own(scope["path"])
        threads, admission = (self.own, self.admission_of_own) if own else (self.pages, self.admission)
        began = time.monotonic()
        if not admission.lets_in(scope["path"], threads.waiting):
            measures.count("city_http_refused_total", pool="own" if own else "pages")
            await busy.refuse(scope, send)
            return
        context = contextvars.copy_context()
        environ = environ_of(scope)
        environ[BEGAN] = began
        try:
            head, more = await self._head(receive)
        except ClientGone:
            return
        if more:
            ahead = AHEAD if environ.get("CONTENT_TYPE") in CHECKED else 1
            body = Body(head, receive, loop, ahead=ahead)
            await self._long(self._whole_exchange, environ, body, context, send, loop)
            return
        environ["wsgi.input"] = io.BytesIO(head)
        if head or "CONTENT_LENGTH" not in environ:
            environ["CONTENT_LENGTH"] = str(len(head))
        answer = await threads.run(context.run, self._call, environ)
        if answer.whole is None:
            await self._long(self._stream, answer, context, send, loop)
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.whole})

    async def _head(self, receive: Receive) -> tuple[bytes, bool]:
        """The body as far as it is buffered, and whether there is more."""
        head, more = _part(await receive())
        if not more:
            return head, False
        parts, size = [head], len(head)
        while more and size < BUFFERED_BODY_BYTES:
            part, more = _part(await receive())
            parts.append(part)
            size += len(part)
        return b"".join(parts), more

    def _call(self, environ: Environ) -> Answer:
        """Run the application, in a thread. A body that is not streamed is taken whole, and the answer closed."""
        answer = Answer()
        answer.body = self.application(environ, answer.start)
        if not getattr(answer.body, "streaming", True):
            try:
                answer.whole = b"".join(answer.body)
            finally:
                answer.close()
        return answer

    async def _long(self, work: Callable[..., None], *arguments: Any) -> None:
        """Give long work to the pool of streams, or refuse it."""
        *_rest, send, _loop = arguments
        if self.long_requests >= self.most_long_requests:
            measures.count("city_http_refused_total", pool="transfers")
            if isinstance(arguments[0], Answer):
                await self.pages.run(arguments[0].close)
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"5")]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": BUSY})
            return
        self.long_requests += 1
        try:
            await self.streams.run(work, *arguments)
        except ClientGone:
            log.debug("a client went away")
        finally:
            self.long_requests -= 1

    def _whole_exchange(
        self, environ: Environ, body: Body, context: contextvars.Context, send: Send, loop: asyncio.AbstractEventLoop
    ) -> None:
        environ["wsgi.input"] = io.BufferedReader(body, BLOCK_BYTES)
        environ.setdefault("CONTENT_LENGTH", str(UNKNOWN_LENGTH))
        answer = context.run(self._call, environ)
        if body.too_slow is not None:  # the application only knows that the body broke off
            if answer.whole is None:
                context.run(answer.close)
            raise body.too_slow
        self._stream(answer, context, send, loop)

    def _stream(
        self, answer: Answer, context: contextvars.Context, send: Send, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Send the body piece by piece, each after the one before has been taken."""

        def tell(message: Message) -> None:
            try:
                asyncio.run_coroutine_threadsafe(_send(send, message), loop).result(PATIENCE_S)
            except TimeoutError:
                raise ClientGone("the client takes nothing") from None

        try:
            tell({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            pieces = iter((answer.whole,) if answer.whole is not None else answer.body)
            while (piece := context.run(next, pieces, None)) is not None:
                tell({"type": "http.response.body", "body": piece, "more_body": True})
            tell({"type": "http.response.body", "body": b""})
        finally:
            if answer.whole is None:
                context.run(answer.close)


async def _send(send: Send, message: Message) -> None:
    try:
        await send(message)
    except OSError:
        raise
    except Exception as fault:  # the server has its own classes for a connection that is gone
        raise ClientGone(str(fault)) from fault
