"""The bridge from ASGI to WSGI: whole answers, streams both ways, clients that go away. Against the served site in
`test_served.py`; here each rule alone."""

import asyncio
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from commons.web import timely
from livingcity.bridge import BUFFERED_BODY_BYTES, Bridge, ClientGone, Threads

SCOPE = {"type": "http", "method": "POST", "path": "/ä", "query_string": b"a=1", "http_version": "1.1"}
Application = Callable[..., Any]


class Whole(list[bytes]):
    """A body that is not streamed, as Django's HttpResponse says of itself."""

    streaming = False


def exchange(
    application: Application,
    *pieces: bytes,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    gone: bool = False,
    **more: int,
) -> list[dict[str, Any]]:
    """Send a request in pieces through a bridge; what it sent back. `gone`: the client leaves instead of ending."""
    sent: list[dict[str, Any]] = []
    waiting = [
        {"type": "http.request", "body": p, "more_body": gone or n < len(pieces) - 1} for n, p in enumerate(pieces)
    ]

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        await Bridge(application, **more)({**SCOPE, "headers": headers}, receive, send)

    asyncio.run(run())
    return sent


def body(sent: list[dict[str, Any]]) -> bytes:
    """The body of an answer."""
    return b"".join(message.get("body", b"") for message in sent[1:])


def echo(environ: dict[str, Any], start: Any) -> Any:
    """Answers with what was sent."""
    start("201 Created", [("X-Length", environ["CONTENT_LENGTH"]), ("X-Path", environ["PATH_INFO"])])
    return Whole([environ["wsgi.input"].read()])


def test_a_small_request_comes_whole() -> None:
    sent = exchange(echo, b"abc", b"def")
    assert sent[0]["status"] == 201
    assert dict(sent[0]["headers"]) == {b"x-length": b"6", b"x-path": "/ä".encode()}
    assert body(sent) == b"abcdef"
    assert len(sent) == 2


@pytest.mark.parametrize("kind", [b"text/plain", b"application/x-git-receive-pack-request"])
def test_a_long_request_is_read_as_it_comes(kind: bytes) -> None:
    """Pieces of every size, many of them small; several are asked for at a time where a body is checked."""
    pieces = [bytes([n]) * BUFFERED_BODY_BYTES for n in range(5)]
    pieces += [bytes([n % 251]) * (1 + 37 * n % 9000) for n in range(2000)]
    assert body(exchange(echo, *pieces, headers=((b"content-type", kind),))) == b"".join(pieces)


def test_pieces_that_were_asked_for_ahead_stand_in_the_order_in_which_they_come() -> None:
    """Also where the time is kept in which a body must come, and where some answers are there at once."""
    pieces = [bytes([n]) * BUFFERED_BODY_BYTES for n in range(2)] + [bytes([n % 251]) * 4000 for n in range(400)]

    async def run() -> bytes:
        sent: list[dict[str, Any]] = []
        waiting = list(enumerate(pieces))
        before: list[asyncio.Future[Any]] = []

        def receive() -> "asyncio.Future[Any]":
            """As granian answers: futures that are done one after the other, some of them at once."""
            loop = asyncio.get_running_loop()
            coming: asyncio.Future[Any] = loop.create_future()
            number, piece = waiting.pop(0) if waiting else (0, b"")
            message = {"type": "http.request", "body": piece, "more_body": piece is not pieces[-1]}
            if before and not before[-1].done():
                before[-1].add_done_callback(lambda _done: coming.set_result(message))
            elif number % 3 == 1:
                loop.call_soon(coming.set_result, message)
            else:
                coming.set_result(message)
            before.append(coming)
            return coming

        async def send(message: Any) -> None:
            sent.append(message)

        kind = ((b"content-type", b"application/x-git-receive-pack-request"),)
        await Bridge(echo)({**SCOPE, "headers": kind}, timely.in_time(receive), send)
        return body(sent)

    assert asyncio.run(run()) == b"".join(pieces)


def test_a_push_that_stops_coming_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read ahead or not, a body has its time; the application hears that it broke off."""
    monkeypatch.setattr("livingcity.bridge.Watch", functools.partial(timely.Watch, grace_s=0.2))

    async def run() -> None:
        waiting = [b"x" * BUFFERED_BODY_BYTES, b"little"]

        async def receive() -> Any:
            if not waiting:
                await asyncio.sleep(30)
            return {"type": "http.request", "body": waiting.pop(0), "more_body": True}

        async def send(_message: Any) -> None:
            raise AssertionError("nothing is answered to a body that did not come")

        kind = ((b"content-type", b"application/x-git-receive-pack-request"),)
        with pytest.raises(timely.TooSlow):
            await Bridge(echo)({**SCOPE, "headers": kind}, timely.in_time(receive), send)

    asyncio.run(run())


@pytest.mark.parametrize("kind", [b"text/plain", b"application/x-git-receive-pack-request"])
def test_what_a_slow_client_has_sent_is_not_kept_waiting(kind: bytes) -> None:
    """Less than a block reaches the application although the client has gone silent; the rest comes later."""
    seen: list[bytes] = []
    heard = threading.Event()

    def application(environ: dict[str, Any], start: Any) -> Any:
        environ["wsgi.input"].read(BUFFERED_BODY_BYTES)
        while piece := environ["wsgi.input"].read1(100):
            seen.append(piece)
            heard.set()
        start("200 OK", [])
        return Whole()

    async def run() -> None:
        waiting = [b"x" * BUFFERED_BODY_BYTES, b"little", b"more"]
        in_turn = asyncio.Lock()

        async def receive() -> Any:
            async with in_turn:
                if len(waiting) == 1:
                    await asyncio.to_thread(heard.wait, 60)
                piece = waiting.pop(0) if waiting else b""
                return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

        async def send(_message: Any) -> None:
            pass

        await Bridge(application)({**SCOPE, "headers": ((b"content-type", kind),)}, receive, send)

    asyncio.run(run())
    assert b"".join(seen) == b"littlemore" and seen[0] == b"little"


def test_a_client_that_leaves_in_the_middle_raises_in_the_application() -> None:
    caught: list[BaseException] = []

    def application(environ: dict[str, Any], start: Any) -> Any:
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            caught.append(error)
            raise
        return Whole()

    exchange(application, b"x" * BUFFERED_BODY_BYTES * 2, gone=True)
    assert [type(error) for error in caught] == [ClientGone]


def test_threads_are_started_only_when_all_others_work() -> None:
    names: set[str] = set()
    both = threading.Barrier(2)

    def alone() -> None:
        names.add(threading.current_thread().name)

    def together() -> None:
        names.add(threading.current_thread().name)
        both.wait(60)

    async def run() -> None:
        threads = Threads(8, "t")
        for _ in range(20):
            await threads.run(alone)
        assert len(names) == 1
        await asyncio.gather(threads.run(together), threads.run(together))
        assert len(names) == 2

    asyncio.run(run())


def test_a_stream_is_sent_piece_by_piece_and_closed() -> None:
    closed: list[bool] = []

    class Stream:
        def __iter__(self) -> Iterator[bytes]:
            yield from (b"one", b"two")

        def close(self) -> None:
            closed.append(True)

    def application(environ: dict[str, Any], start: Any) -> Any:
        start("200 OK", [])
        return Stream()

    sent = exchange(application, b"")
    assert [message.get("body") for message in sent[1:]] == [b"one", b"two", b""]
    assert closed == [True]


def test_a_stream_that_breaks_is_cut_and_not_ended_as_if_it_were_whole() -> None:
    def application(environ: dict[str, Any], start: Any) -> Iterator[bytes]:
        start("200 OK", [])
        yield b"one"
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        exchange(application, b"")


def test_header_names_with_an_underscore_cannot_pass_for_others() -> None:
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start: Any) -> Any:
        seen.update(environ)
        start("200 OK", [])
        return Whole()

    headers = ((b"x-remote-user", b"aino"), (b"x_remote_user", b"mallory"), (b"cookie", b"a=1"), (b"cookie", b"b=2"))
    exchange(application, b"", headers=headers)
    assert seen["HTTP_X_REMOTE_USER"] == "aino"
    assert seen["HTTP_COOKIE"] == "a=1; b=2"


def test_long_transfers_leave_the_threads_of_pages_free() -> None:
    """An endless stream fills the only stream thread; a page still answers, the next stream is refused."""
    release = threading.Event()

    def application(environ: dict[str, Any], start: Any) -> Any:
        start("200 OK", [])
        if environ["PATH_INFO"] == "/page":
            return Whole([b"page"])
        return iter(lambda: b"" if release.wait(0.05) else b"x", b"")

    async def run() -> tuple[Any, Any]:
        bridge = Bridge(application, page_threads=1, stream_threads=1)
        bridge.most_long_requests = 1
        sent: dict[str, list[Any]] = {"/a": [], "/page": [], "/b": []}

        async def ask(path: str) -> None:
            async def receive() -> Any:
                return {"type": "http.request", "body": b"", "more_body": False}

            async def send(message: Any) -> None:
                sent[path].append(message)

            await bridge({**SCOPE, "path": path, "headers": ()}, receive, send)

        first = asyncio.create_task(ask("/a"))
        while not sent["/a"]:
            await asyncio.sleep(0.01)
        await asyncio.wait_for(ask("/page"), 5)
        await asyncio.wait_for(ask("/b"), 5)
        release.set()
        await first
        return sent["/page"], sent["/b"]

    page, refused = asyncio.run(run())
    assert body(page) == b"page"
    assert refused[0]["status"] == 503
    assert (b"retry-after", b"5") in refused[0]["headers"]
