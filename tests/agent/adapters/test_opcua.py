"""OPC UA against asyncua's own server in this process."""

import asyncio
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager

from livingcity_agent.adapters import opcua
from livingcity_agent.adapters.base import AdapterError
from livingcity_agent.adapters.opcua import OpcUa
from tests.agent.adapters.stage import Kept, free_port, made, run_until, sentences, tried

SPACE = "http://livingcity.test/mill/"
TOML = f"""
every_s = 0.1
jobs_from_state = true
program = "nsu={SPACE};s=Mill.Program"
[[value]]
node = "nsu={SPACE};s=Mill.State"
channel = "state"
words = {{0 = "idle", 1 = "making", 2 = "paused", 3 = "error"}}
[[value]]
node = "ns=2;s=Mill.Power"
channel = "power_w"
unit = "kW"
[[value]]
node = "ns=2;s=Mill.Energy"
channel = "energy_wh_total"
unit = "kWh"
[[value]]
node = "ns=2;s=Mill.Door"
channel = "x_door_open"
"""


@dataclass
class Served:
    """The server, in a thread with a loop of its own, for it takes seconds to begin."""

    loop: asyncio.AbstractEventLoop
    port: int
    nodes: dict[str, Any]
    users: "_Known"

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    def write(self, name: str, value: Any) -> None:
        asyncio.run_coroutine_threadsafe(self.nodes[name].write_value(value), self.loop).result(10)


class _Known(UserManager):
    """Everybody; when `strict`, `lab` with the password `labpass` alone."""

    strict = False

    def get_user(self, _server: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        known = not self.strict or (username, password) == ("lab", "labpass")
        return User(role=UserRole.User) if known else None


FIRST = {"State": 0, "Power": 0.02, "Energy": 10.5, "Door": False, "Program": ""}


async def _serve(port: int, users: _Known, ready: "queue.Queue[dict[str, Any]]", stop: asyncio.Event) -> None:
    server = Server(user_manager=users)
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    assert await server.register_namespace(SPACE) == 2
    mill = await server.nodes.objects.add_object(ua.NodeId("Mill", 2), "2:Mill")
    nodes = {name: await mill.add_variable(ua.NodeId(f"Mill.{name}", 2), f"2:{name}", v) for name, v in FIRST.items()}
    async with server:
        ready.put(nodes)
        await stop.wait()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture(scope="module")
def started() -> Iterator[Served]:
    loop, users, ready = asyncio.new_event_loop(), _Known(), queue.Queue[dict[str, Any]]()
    stop, port = asyncio.Event(), free_port()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(port, users, ready, stop),), daemon=True)
    thread.start()
    yield Served(loop, port, ready.get(timeout=90), users)
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)


@pytest.fixture
def server(started: Served) -> Served:
    """The server as it was in the beginning."""
    started.users.strict = False
    for name, value in FIRST.items():
        started.write(name, value)
    return started


def test_values_and_jobs(server: Served) -> None:
    sink = Kept()
    adapter = made(OpcUa, f'url = "{server.url}"{TOML}')

    async def work() -> None:
        while len(sink.readings) < 4:
            await asyncio.sleep(0.02)
        for name, value in [("Program", "C:\\NC\\bracket.nc"), ("State", 1), ("Power", 1.25), ("Energy", 11.0)]:
            await asyncio.to_thread(server.write, name, value)
            await asyncio.sleep(0.3)
        bad = ua.DataValue(ua.Variant(True), ua.StatusCode(ua.StatusCodes.Bad))
        await asyncio.to_thread(server.write, "Door", bad)
        await asyncio.to_thread(server.write, "State", 0)
        await asyncio.sleep(60)

    async def go() -> None:
        await run_until(adapter, sink, lambda: "finished" in sink.events, meanwhile=work())

    asyncio.run(go())
    assert sink.values("power_w") == [20.0, 1250.0]
    assert sink.values("energy_wh_total") == [10_500.0, 11_000.0]
    assert sink.values("state") == ["idle", "making", "idle"]
    assert sink.values("x_door_open") == [0.0], "a value of bad quality is left out"
    assert sink.events == ["started", "finished"]
    assert sink.jobs[0].file is not None
    assert sink.jobs[0].file.name == "bracket.nc"


def test_check(server: Served) -> None:
    well, said = sentences(made(OpcUa, f'url = "{server.url}"{TOML}'))
    assert well
    assert "ns=2;s=Mill.Power gives power_w = 20.0" in said


def _one(server: Served, node: str, more: str = "") -> tuple[bool, str]:
    toml = f'url = "{server.url}"\n{more}\n[[value]]\nnode = "{node}"\nchannel = "power_w"'
    return sentences(made(OpcUa, toml))


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ("ns=2;s=Mill.Watts", "Namespaces are: 0 http://opcfoundation.org/UA/"),
        ("nsu=http://nobody/;s=Power", "There is no namespace http://nobody/"),
        ("ns=2;s=Mill", "There is no variable ns=2;s=Mill"),
        ("ns=2;s=Mill.Program", "which is no number"),
    ],
)
def test_check_nodes_that_are_wrong(server: Served, node: str, why: str) -> None:
    well, said = _one(server, node)
    assert not well
    assert why in said


def test_check_a_sensor_that_is_broken(server: Served) -> None:
    server.write("Power", ua.DataValue(ua.Variant(1.0), ua.StatusCode(ua.StatusCodes.BadSensorFailure)))
    well, said = _one(server, "ns=2;s=Mill.Power")
    assert not well
    assert "cannot be read" in said


def test_passwords(server: Served) -> None:
    server.users.strict = True
    assert "refuses to let anybody in" in _one(server, "ns=2;s=Mill.Power")[1]
    bad = _one(server, "ns=2;s=Mill.Power", 'user = "lab"\npassword = "no"')
    assert "refuses the name “lab” or its password" in bad[1]
    assert _one(server, "ns=2;s=Mill.Power", 'user = "lab"\npassword = "labpass"')[0]


def test_closed_port() -> None:
    well, said = sentences(made(OpcUa, f'url = "opc.tcp://127.0.0.1:{free_port()}"{TOML}'))
    assert not well
    assert "cannot be reached" in said


def test_a_server_that_goes_away_is_noticed(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opcua, "ALIVE_S", 0.2)
    monkeypatch.setattr(opcua, "CONNECT_S", 2.0)
    sink = Kept()

    async def go() -> None:
        between = _Between(server.port)
        door = await asyncio.start_server(between.take, "127.0.0.1", 0)
        port = door.sockets[0].getsockname()[1]
        task = asyncio.create_task(made(OpcUa, f'url = "opc.tcp://127.0.0.1:{port}"{TOML}').run(sink))
        async with asyncio.timeout(30):
            while not sink.readings:
                await asyncio.sleep(0.02)
            door.close()
            between.cut()
            with pytest.raises(AdapterError, match="broke off"):
                await task

    asyncio.run(go())


class _Between:
    """A cable that can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._tasks.append(asyncio.create_task(self._pipe(source, sink)))

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(4096):
            sink.write(data)

    def cut(self) -> None:
        for writer in self._writers:
            writer.close()


def test_faults_of_the_table() -> None:
    for toml, why in [
        ('url = "http://m"\n[[value]]\nnode = "ns=2;s=P"\nchannel = "x_a"', "such as opc.tcp://"),
        ('url = "opc.tcp://m"', "“value” is missing"),
        ('url = "opc.tcp://m"\n[[value]]\nnode = "Power"\nchannel = "x_a"', "must be a node such as"),
        ('url = "opc.tcp://m"\nsecurity = ["a"]\n[[value]]\nnode = "ns=2;s=P"\nchannel = "x_a"', "SignAndEncrypt"),
    ]:
        faults = tried(OpcUa, toml)[1]
        assert any(why in fault for fault in faults), faults
