"""Bodies that trickle: who sends a request more slowly than any real line does is told so (408) and let go.

An open request costs a connection and what has come of it; a long one costs a thread. So each has a little time,
and more by what it brings: a slow line may take long for much, a byte now and then gets nowhere. What comes after the
body (that the client went away) is waited for without an end.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.utils.translation import gettext as _

from commons.web.problems import PROBLEM_JSON, problem

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

GRACE_S = 20.0
LEAST_BYTES_PER_S = 4000


class TooSlow(OSError):
    """The body did not come in its time. An OSError: Django takes it for a client that is gone."""


class Pace:
    """How much longer a body may be waited for: first the grace, which waiting uses up and what comes fills up again.

    Only waiting counts: what the application takes to read is not the client's fault. Several pieces may be waited for
    at a time.
    """

    def __init__(self, grace_s: float, least_bytes_per_s: float) -> None:
        self.size, self.whole = 0, False
        self._grace_s, self._rate = grace_s, least_bytes_per_s
        self._left_s, self._from = grace_s, 0.0
        self._waiting: set[asyncio.Timeout] = set()

    async def wait(self, receive: Receive) -> Message:
        """The next message of the body. Raises TimeoutError."""
        if not self._waiting:
            self._from = asyncio.get_running_loop().time()
        async with asyncio.timeout_at(self._from + self._left_s) as clock:
            self._waiting.add(clock)
            try:
                message = await receive()
            finally:
                self._waiting.discard(clock)
        self._came(message)
        return message

    def _came(self, message: Message) -> None:
        now, brought = asyncio.get_running_loop().time(), len(message.get("body", b""))
        self._left_s = min(self._grace_s, self._left_s - (now - self._from) + brought / self._rate)
        self._from = now
        for other in self._waiting:
            other.reschedule(now + self._left_s)
        self.size += brought
        self.whole = not message.get("more_body", False)


class in_time:  # noqa: N801 it reads like a function where it is used
    """`receive` that raises TooSlow when the body has not come in its time.

    `raw` is the server's own: who asks it for several messages at a time must hear the answers in the order in which
    they come, and keeps the time with a `Watch`.
    """

    def __init__(
        self, raw: Receive, *, grace_s: float = GRACE_S, least_bytes_per_s: float = LEAST_BYTES_PER_S
    ) -> None:
        self.raw = raw
        self._pace = Pace(grace_s, least_bytes_per_s)

    async def __call__(self) -> Message:
        """The next message."""
        if self._pace.whole:
            return await self.raw()
        try:
            return await self._pace.wait(self.raw)
        except TimeoutError:
            raise TooSlow(f"{self._pace.size} bytes of a body have come, and no more") from None


class Watch:
    """The same time for who is told of each piece: `late` is called once when it is over. In the event loop."""

    def __init__(
        self, late: Callable[[], None], *, grace_s: float = GRACE_S, least_bytes_per_s: float = LEAST_BYTES_PER_S
    ) -> None:
        self._late, self._grace_s, self._rate = late, grace_s, least_bytes_per_s
        self._left_s, self._from = grace_s, 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Somebody waits for the next piece, if nobody did."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._from = loop.time()
            self._timer = loop.call_later(self._left_s, self._late)

    def came(self, size: int) -> None:
        """A piece has come; nobody waits until the next `begin`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            waited = asyncio.get_running_loop().time() - self._from
            self._left_s = min(self._grace_s, self._left_s - waited + size / self._rate)


async def refuse(send: Send) -> None:
    """Tell the client that it was too slow, and close the line: the rest of its body would be taken for a request."""
    document = problem(
        408,
        _("Too slow"),
        _("The request did not come within %(s)d s. Nothing was changed; send it again over a faster line.")
        % {"s": GRACE_S},
        "city:too-slow",
    )
    headers = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"connection", b"close"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 408, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})
