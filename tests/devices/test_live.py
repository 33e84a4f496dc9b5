"""What machines do now, streamed: who may see it, that it comes after the commit, once a second, and afresh."""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import orjson
import pytest
from django.db import connection, transaction
from django.utils import timezone

from commons import sockets
from commons.devices import live, news, services
from commons.devices.models import Device
from commons.people.models import User
from commons.people.services import create_token, create_user
from commons.sockets import LiveBoard, Watched
from tests.devices.streams import reading


def enrolled(name: str, *, public: bool) -> Device:
    made = services.create_device(name=name, kind="printer", public=public)
    return services.enrol(code=str(services.create_enrolment_code(device=made)))[0]


@pytest.fixture
def device(transactional_db: None) -> Device:
    return enrolled("seen", public=True)


@pytest.fixture
def hidden(transactional_db: None) -> Device:
    return enrolled("hidden", public=False)


class Watching:
    """Somebody who looks at a board: what the ASGI server would have sent them."""

    def __init__(self) -> None:
        self.sent: list[MutableMapping[str, Any]] = []
        self.gone = asyncio.Event()
        self.some = asyncio.Condition()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        async with self.some:
            self.sent.append(message)
            self.some.notify_all()

    async def receive(self) -> MutableMapping[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The documents of the events, in order; those that only say that we are here are left out."""
        text = b"".join(m.get("body", b"") for m in self.sent[1:]).decode()
        found = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
        return [document for document in map(orjson.loads, found) if document]

    async def until(self, condition: Callable[[], bool], within_s: float = 10.0) -> None:
        async with asyncio.timeout(within_s), self.some:
            await self.some.wait_for(condition)


@contextlib.asynccontextmanager
async def looking(path: str, *, token: str = "", query: str = "") -> AsyncIterator[Watching]:
    """A viewer of `path` while the block runs; a refusal has ended by then."""
    here = Watching()
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
    task = asyncio.create_task(live.stream(scope, here.receive, here.send))
    try:
        await here.until(lambda: bool(here.sent))
        yield here
    finally:
        here.gone.set()
        await asyncio.wait_for(task, 10)


async def aside(work: Callable[[], Any]) -> Any:
    def done() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(done)


def tell(device: Device, seq: int, watts: float) -> None:
    services.ingest(device=device, readings=[reading(seq, timezone.now(), watts)])


def at(device: Device) -> str:
    return f"/api/v1/live/device/{device.pk}/"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A newsroom and readers of this test's own, whose connections end with it."""
    from concurrent.futures import ThreadPoolExecutor

    readers = ThreadPoolExecutor(2, "live-test")
    monkeypatch.setattr(live, "_readers", readers)
    monkeypatch.setattr(live, "newsroom", live.Newsroom())
    monkeypatch.setattr(news, "teller", news.Teller())
    yield
    for _ in range(2):
        readers.submit(lambda: (time.sleep(0.05), connection.close()))
    readers.shutdown()


def run(drill: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(drill())  # type: ignore[arg-type]


def test_a_reading_is_seen_after_its_commit_and_not_before(device: Device) -> None:
    def slowly() -> None:
        with transaction.atomic():
            tell(device, 2, 222.0)
            time.sleep(1.5)

    async def drill() -> None:
        await aside(lambda: tell(device, 1, 111.0))
        async with looking(at(device)) as here:
            await here.until(lambda: len(here.documents) == 1)
            assert here.documents[0]["power_w"]["value"] == 111.0
            began = time.monotonic()
            writing = asyncio.create_task(aside(slowly))
            await here.until(lambda: len(here.documents) == 2)
            assert time.monotonic() - began >= 1.5
            assert here.documents[1]["power_w"]["value"] == 222.0
            await writing

    run(drill)


def test_many_batches_are_one_event_a_second_with_the_newest_last(device: Device) -> None:
    async def drill() -> None:
        async with looking(at(device)) as here:
            began = time.monotonic()
            for seq in range(1, 41):
                await aside(lambda seq=seq: tell(device, seq, float(seq)))  # type: ignore[misc]
                await asyncio.sleep(0.05)
            await here.until(lambda: here.documents[-1].get("power_w", {}).get("value") == 40.0)
            assert len(here.documents) <= time.monotonic() - began + 2

    run(drill)


def test_a_private_device_is_not_there_for_who_may_not_see_it(device: Device, hidden: Device) -> None:
    staff = create_user(username="boss", is_staff=True)
    _, right = create_token(user=staff, name="t", scopes=["energy:read"])
    _, wrong = create_token(user=staff, name="u", scopes=["designs:read"])
    _, person = create_token(user=create_user(username="some"), name="t", scopes=["energy:read"])

    async def status(path: str, token: str = "") -> int:
        async with looking(path, token=token) as here:
            return here.status

    async def drill() -> None:
        missing = "/api/v1/live/device/6f1d4a1e-0000-4000-8000-000000000001/"
        for path in (at(hidden), missing, "/api/v1/live/device/nonsense/", "/api/v1/live/nothing/x/"):
            for token in ("", wrong, person):
                assert await status(path, token) == 404
        assert await status(at(device)) == await status(at(hidden), right) == 200

    run(drill)


def test_who_connects_again_hears_the_whole_board_first(device: Device) -> None:
    async def drill() -> None:
        await aside(lambda: tell(device, 1, 5.0))
        for _ in range(2):
            async with looking(at(device)) as here:
                await here.until(lambda: len(here.documents) == 1)
                assert here.documents[0]["power_w"]["value"] == 5.0
        assert not live.newsroom.boards, "nobody looks, nothing is reckoned"

    run(drill)


def test_a_board_is_reckoned_once_for_all_who_look(
    device: Device, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    reckoned: list[float] = []

    def find(key: str, person: User | None, token: Any) -> Watched:
        def told() -> dict[str, Any]:
            reckoned.append(time.monotonic())
            return {"n": len(reckoned), key: {"same": 1}}

        return Watched({device.pk}, told, lambda: {key: {"slow": len(reckoned)}})

    monkeypatch.setitem(sockets.live_boards._plugs, "test", LiveBoard("test", find))

    async def drill() -> None:
        async with contextlib.AsyncExitStack() as stack:
            everybody = [await stack.enter_async_context(looking("/api/v1/live/test/k/")) for _ in range(60)]
            for here in everybody:
                await here.until(lambda here=here: len(here.documents) >= 1)  # type: ignore[misc]
            before = len(reckoned)
            assert everybody[0].documents[0]["k"] == {"same": 1, "slow": 1}
            await asyncio.sleep(1.2)
            await aside(lambda: tell(device, 1, 1.0))
            for here in everybody:
                await here.until(lambda here=here: here.documents[-1].get("n", 0) > before)  # type: ignore[misc]
            assert len(reckoned) == before + 1
            assert everybody[0].documents[-1] == {"n": before + 1}, "only what has changed"

    run(drill)


def test_changes_are_two_levels_deep() -> None:
    said = {"a": {"x": 1, "y": 2}, "b": 3, "c": [1]}
    assert live.changes(said, {"a": {"x": 1, "y": 3, "z": 4}, "b": 3, "c": [1, 2], "d": {}}) == {
        "a": {"y": 3, "z": 4},
        "c": [1, 2],
        "d": {},
    }
    assert live.changes({}, said) == said


def test_telling_without_valkey_costs_nothing_but_the_news(device: Device, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    news.valkey.cache_clear()
    try:
        services.ingest(device=device, readings=[reading(1, timezone.now() - dt.timedelta(seconds=1), 3.0)])
    finally:
        news.valkey.cache_clear()
    assert Device.objects.get(pk=device.pk).seen == ((1, 2),)
