"""The drivers against servers that speak the documented formats: HTTP, a real mosquitto, a real Modbus TCP server."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from labs.engine.interlocks import Step
from labs.errors.interlocks import BadInterlock
from labs.interlocks import mqtt, web
from labs.interlocks.speaking import Line, Said, speak
from labs.interlocks.trust import check_authority
from tests.labs.relays import Contacts, ShellyHandler, TasmotaHandler, serving, tasmota
from tests.labs.tls import Authority, Served

ON, HOLD, OFF, READ = Step("on", 60), Step("hold", 60), Step("off"), Step("read")


@pytest.fixture(autouse=True)
def here_is_the_lab(settings: Any) -> None:
    settings.INTERLOCK_NETWORKS = ["127.0.0.0/8"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(("kind", "handler"), [("shelly", ShellyHandler), ("tasmota", TasmotaHandler)])
def test_http_relays_close_with_their_own_timer_and_open(kind: str, handler: Any) -> None:
    relay = Contacts()
    relay.password = "sesame"
    with serving(handler, relay) as url:
        line = Line(kind, url, "", "sesame")
        assert (speak(line, READ).answer, relay.on) == ("off", False)
        assert (speak(line, ON).answer, relay.on) == ("on", True)
        assert 55 < (relay.left_s or 0) <= 60
        time.sleep(0.05)
        before = relay.left_s or 0
        assert speak(line, HOLD).answer == "on"
        assert (relay.left_s or 0) > before
        assert (speak(line, OFF).answer, relay.on, relay.left_s) == ("off", False, None)
        assert (speak(line, HOLD).answer, relay.closings) == ("off", 1)
        assert speak(Line(kind, url, "", "wrong"), ON).answer == "refused"
        assert not relay.on
        relay.no_timer = True
        answer = speak(line, ON)
        assert (answer.answer, "timer" in answer.sentence) == ("refused", True)
        relay.no_timer, relay.stuck = False, True
        relay._on = False
        assert speak(line, ON).answer == "refused"
    assert speak(line, ON).answer == "silent"


def test_a_relay_that_is_no_relay_is_refused() -> None:
    relay = Contacts()
    with serving(ShellyHandler, relay) as url:
        assert speak(Line("shelly", url, options={"channel": 3}), ON).answer == "refused"
        relay.status = 302
        assert speak(Line("shelly", url), ON).answer == "refused"
        assert speak(Line("tasmota", url), ON).answer == "refused"
    assert speak(Line("shelly", "http://127.0.0.1:1"), ON).answer == "silent"


def test_digest_answers_as_the_standard_shows() -> None:
    """RFC 7616, section 3.9.1."""
    challenge = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    said = web.digest(challenge, "GET", "/dir/index.html", user="Mufasa", password="Circle of Life", cnonce=cnonce)
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in said


# --- TLS, with an authority of the lab's own ------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_relay_behind_tls_is_believed_by_its_own_authority_alone(authority: Authority, tmp_path: Path) -> None:
    other, relay = Authority(tmp_path, "Somebody else's"), Contacts()
    relay.password = "sesame"

    def said(served: Served, ca: str) -> Said:
        with serving(ShellyHandler, relay, served.context) as url:
            return speak(Line("shelly", url, "", "sesame", {"ca": ca} if ca else {}), ON)

    good = authority.serve("127.0.0.1")
    assert (said(good, authority.pem).answer, relay.on) == ("on", True)
    asked = len(relay.asked)
    for served, ca in (
        (good, ""),
        (good, other.pem),
        (authority.serve("saw.lab.example"), authority.pem),
        (authority.serve("127.0.0.1", days=-1), authority.pem),
    ):
        answer = said(served, ca)
        assert (answer.answer, "certificate" in answer.sentence) == ("refused", True), answer
    assert said(good, "no certificate").answer == "refused"
    assert len(relay.asked) == asked  # no command and no password was sent to any of them


def test_a_relay_that_speaks_no_tls_is_no_answer_to_https(authority: Authority) -> None:
    relay = Contacts()
    with serving(TasmotaHandler, relay) as url:
        line = Line("tasmota", url.replace("http://", "https://"), options={"ca": authority.pem})
        assert (speak(line, ON).answer, relay.asked) == ("silent", [])


def test_what_is_no_authority_is_refused_when_it_is_typed(authority: Authority) -> None:
    assert check_authority(f"  {authority.pem}\r\n") == authority.pem.strip()
    served = authority.serve("127.0.0.1")
    wrong = ["x", served.certificate.read_text(), served.key.read_text(), authority.pem + served.key.read_text()]
    for pem in (*wrong, authority.pem * 40):
        with pytest.raises(BadInterlock):
            check_authority(pem)


# --- MQTT ---------------------------------------------------------------------------------------------------------


@contextmanager
def broking(folder: Path, *more: str) -> Iterator[int]:
    """A real mosquitto, its port while it stands; `more` are lines of its settings."""
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    port = free_port()
    words = [f"listener {port} 127.0.0.1", "allow_anonymous true", "user root", "persistence false", *more]
    (folder / "m.conf").write_text("\n".join(words) + "\n")
    with subprocess.Popen([program, "-c", str(folder / "m.conf")], stderr=subprocess.DEVNULL) as process:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
        process.terminate()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    with broking(tmp_path) as port:
        yield port


class BehindBroker(threading.Thread):
    """A relay behind a broker, of either dialect."""

    def __init__(self, port: int, relay: Contacts, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(daemon=True)
        self.port, self.relay, self.ready, self.tls = port, relay, threading.Event(), tls
        self.retained: list[str] = []
        self.start()
        assert self.ready.wait(5)

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with aiomqtt.Client("127.0.0.1", self.port, tls_context=self.tls) as client:
            await client.subscribe([("cmnd/saw/+", 1), ("lab/saw/set", 1), ("stop", 1)])
            self.ready.set()
            async for message in client.messages:
                if message.retain:
                    self.retained.append(str(message.topic))
                payload = bytes(message.payload or b"")  # type: ignore[arg-type]
                if str(message.topic) == "stop":
                    return
                if str(message.topic).startswith("cmnd/"):
                    said = tasmota(self.relay, str(message.topic).split("/")[2], payload.decode())
                    await client.publish("stat/saw/RESULT", orjson.dumps(said))
                    continue
                asked = orjson.loads(payload)
                if "on" in asked:
                    self.relay.set(asked["on"], asked.get("for_s"))
                answer = {"on": self.relay.on, "opens_in_s": self.relay.left_s, "n": asked["n"]}
                await client.publish("lab/saw/state", orjson.dumps(answer), qos=1)

    def end(self) -> None:
        async def say() -> None:
            async with aiomqtt.Client("127.0.0.1", self.port, tls_context=self.tls) as client:
                await client.publish("stop", b"", qos=1)

        asyncio.run(say())
        self.join(5)


@pytest.mark.parametrize("dialect", ["plain", "tasmota"])
def test_relays_behind_a_broker_must_answer_themselves(
    broker: int, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Contacts()
    behind = BehindBroker(broker, relay)
    topic = "saw" if dialect == "tasmota" else "lab/saw"
    line = Line("mqtt", f"mqtt://127.0.0.1:{broker}", options={"topic": topic, "dialect": dialect})
    assert speak(line, READ).answer == "off"
    assert (speak(line, ON).answer, relay.on) == ("on", True)
    assert 50 < (relay.left_s or 0) <= 60
    assert speak(line, HOLD).answer == "on"
    assert (speak(line, OFF).answer, relay.on) == ("off", False)
    assert (speak(line, HOLD).answer, relay.closings) == ("off", 1)
    relay.no_timer = True
    assert speak(line, ON).answer == "refused"
    behind.end()
    monkeypatch.setattr(mqtt, "SILENCE_S", 0.5)
    lost = speak(line, ON)
    assert (lost.answer, "the broker is there" in lost.sentence) == ("silent", True)
    late = BehindBroker(broker, Contacts())  # nothing was retained that could switch it on when it comes back
    assert (late.retained, late.relay.asked, late.relay.on) == ([], [], False)
    late.end()


def test_a_broker_behind_tls_is_believed_by_its_own_authority_alone(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, relay = authority.serve("127.0.0.1"), Contacts()
    files = (f"certfile {served.certificate}", f"keyfile {served.key}")
    with broking(tmp_path, *files) as port:
        behind = BehindBroker(port, relay, ssl.create_default_context(cadata=authority.pem))
        url, options = f"mqtts://127.0.0.1:{port}", {"topic": "lab/saw", "ca": authority.pem}
        line = Line("mqtt", url, options=options)
        assert (speak(line, ON).answer, relay.on) == ("on", True)
        assert (speak(line, OFF).answer, relay.on) == ("off", False)
        monkeypatch.setattr(mqtt, "SILENCE_S", 1.0)
        for ca in ("", Authority(tmp_path, "Somebody else's").pem):
            assert speak(Line("mqtt", url, options={**options, "ca": ca}), ON).answer in {"silent", "refused"}
        assert speak(Line("mqtt", url.replace("127.0.0.1", "localhost"), options=options), ON).answer != "on"
        assert not relay.on
        behind.end()


# --- Modbus -------------------------------------------------------------------------------------------------------


class ModbusRelay(threading.Thread):
    """pymodbus's own server: a coil, and a holding register that stands for the controller's timer."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.port, self.ready = free_port(), threading.Event()
        self.start()
        assert self.ready.wait(5)
        self.client = ModbusTcpClient("127.0.0.1", port=self.port)
        assert self.client.connect()

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        words = [SimData(0, count=16, values=0, datatype=DataType.REGISTERS)]
        device = SimDevice(1, simdata=(bits, bits, words, words))
        self.server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await self.server.serve_forever(background=True)
        self.ready.set()
        self.over = asyncio.Event()
        await self.over.wait()
        await self.server.shutdown()

    def end(self) -> None:
        self.client.close()
        self.loop.call_soon_threadsafe(self.over.set)
        self.join(5)

    @property
    def on(self) -> bool:
        return bool(self.client.read_coils(2, count=1).bits[0])

    @property
    def timer(self) -> int:
        return int(self.client.read_holding_registers(5, count=1).registers[0])


def test_a_modbus_relay_gets_its_timer_before_its_coil() -> None:
    relay = ModbusRelay()
    line = Line("modbus", f"modbus://127.0.0.1:{relay.port}", options={"channel": 2, "timer": 5})
    assert speak(line, READ).answer == "off"
    assert (speak(line, ON).answer, relay.on, relay.timer) == ("on", True, 60)
    relay.client.write_register(5, 21)
    assert (speak(line, HOLD).answer, relay.timer) == ("on", 60)
    assert (speak(line, OFF).answer, relay.on) == ("off", False)
    assert (speak(line, HOLD).answer, relay.on) == ("off", False)
    without = Line("modbus", line.url, options={"channel": 2})
    assert speak(without, ON).answer == "refused"
    allowed = Line("modbus", line.url, options={"channel": 2, "without_timer": True})
    assert speak(allowed, ON).answer == "on"
    assert speak(Line("modbus", line.url, options={"channel": 99, "timer": 5}), OFF).answer == "refused"
    relay.end()
    assert speak(line, OFF).answer == "silent"


@pytest.mark.parametrize(
    ("networks", "url", "answer"),
    [
        ([], "http://127.0.0.1:{port}", "refused"),
        (["192.168.20.0/24"], "http://127.0.0.1:{port}", "refused"),
        ([], "http://169.254.169.254", "refused"),
        ([], "http://[::ffff:127.0.0.1]:{port}", "refused"),
        ([], "http://192.168.1.5", "refused"),
        ([], "http://1.1.1.1", "refused"),
        (["127.0.0.0/8"], "http://localhost:{port}", "on"),
        (["127.0.0.0/8"], "http://user:word@127.0.0.1:{port}", "refused"),
        (["127.0.0.0/8"], "http://127.0.0.1:{port}/cm", "refused"),
        (["127.0.0.0/8"], "file:///etc/passwd", "refused"),
    ],
)
def test_only_where_the_site_may_reach(networks: list[str], url: str, answer: str, settings: Any) -> None:
    settings.INTERLOCK_NETWORKS = [*networks, "::1/128"] if "localhost" in url else networks
    relay = Contacts()
    with serving(ShellyHandler, relay) as served:
        said = speak(Line("shelly", url.format(port=served.rpartition(":")[2])), ON)
    assert said.answer == answer, said
    assert bool(relay.asked) == (answer == "on")
