"""Who opens connections: every file that can is known by name with its reason, and no address reaches inwards.

The first half reads the tree; the second types every form of an inner address that programs know into every door that
follows addresses, with a listener on this machine and an ear on every connection that the process makes.
"""

import ast
import ipaddress
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils.translation import override

from commons.errors import CityError
from commons.people.models import User
from commons.people.services import create_token, create_user
from commons.places import services as places
from commons.web import outside
from commons.web.api import Throttle
from designs.git import fetching, pinned, process
from energy.models import Community, PriceList, WeatherFeed
from energy.services import feeds, weather
from labs.credentials import verifying
from labs.engine.interlocks import Step
from labs.interlocks.speaking import Line, speak
from labs.learning_tasks import _known_or_fetched
from tests.figures_said import figure
from tests.labs.test_did_web import DID, NOW, badge
from tests.labs.tls import Authority

ROOT = Path(__file__).resolve().parents[2]
#: What can open a connection, by the module that it comes from and by the call. Not the database and Valkey, which are
#: spoken to everywhere, where the settings say.
_MODULES = (
    "aiohttp aiomqtt asyncssh boto3 django.core.mail dns ftplib grpc http.client httpcore httpx imaplib "
    "multiprocessing.connection nntplib paho paramiko poplib pycurl pymodbus requests serial smtplib "
    "socket socketserver subprocess telnetlib urllib.request urllib3 websocket websockets xmlrpc.client zmq"
)
_CALLS = (
    "open_connection open_unix_connection create_connection create_unix_connection create_datagram_endpoint "
    "getaddrinfo urlopen urlretrieve create_subprocess_exec create_subprocess_shell popen execv execve execvp execvpe "
    "posix_spawn sock_connect"
)
MODULES, CALLS = frozenset(_MODULES.split()), frozenset(_CALLS.split())
LETTERS, OURS = "letters, where EMAIL_URL says", "our own processes"
ALLOWED = {
    "platform/commons/web/outside.py": "THE way out: resolves, looks, pins",
    "designs/git/fetching.py": "git, at the place that `outside` looked at",
    "designs/git/process.py": "git, whose protocols are closed but for a fetch",
    "designs/git/objects.py": "git, whose protocols are closed",
    "designs/git/pinned.py": "names of faults; its connections are `outside.Pinned`",
    "designs/git/large_files.py": "names of types; its connections are `outside.Pinned`",
    "designs/sandbox/client.py": "a pair of sockets to the sandbox",
    "designs/sandbox/server.py": "the other end of that pair; the walls are built here",
    "designs/sandbox/probe.py": "tries the walls from inside",
    "labs/interlocks/web.py": "a relay, at the address that `addresses` looked at",
    "labs/interlocks/mqtt.py": "a relay's broker, at the address that `addresses` looked at",
    "labs/interlocks/modbus.py": "a relay, at the address that `addresses` looked at",
    "labs/interlocks/trust.py": "names of types",
    "platform/commons/devices/mqtt/client.py": "the city's own broker, where MQTT_URL says",
    "platform/commons/devices/door.py": "the socket of the process `ingest`",
    "platform/commons/devices/services/heartbeat.py": "the socket of the process `ingest`",
    "platform/commons/devices/management/commands/simulate_device.py": "a command, at the address on its line",
    "platform/commons/notices/mail.py": LETTERS,
    "labs/services/imports.py": LETTERS,
    "labs/services/letters.py": LETTERS,
    "energy/services/participants.py": LETTERS,
    "platform/livingcity/dev/processes.py": OURS,
    "platform/livingcity/dev/pytest_plugin.py": OURS,
    "platform/livingcity/dev/services.py": OURS,
    "platform/livingcity/dev/supervisor.py": OURS,
    "platform/livingcity/backups/drills.py": OURS,
    "platform/livingcity/backups/laying.py": "pg_dump, at the database that the site works on",
    "platform/commons/runs/pulse.py": OURS,
    "platform/commons/watching/export.py": "traces, where the settings say",
    "twin/sumo/program.py": "SUMO, on files",
    "twin/tiles.py": "a program on files",
}


def openers(source: bytes) -> set[str]:
    """What in a file's text can open a connection."""
    found: set[str] = set()
    of_socket: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found |= {module for name in names for module in MODULES if f"{name}.".startswith(f"{module}.")}
        called = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        found |= {called} & CALLS
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "socket":
            of_socket.add(node.attr)
    return found - {"socket"} if of_socket == {"gethostname"} else found


def test_who_can_open_a_connection_is_known_with_a_reason() -> None:
    found = {}
    for room in ("platform", "designs", "labs", "energy", "twin"):
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "node_modules" in path.parts or name.startswith("labs/agent/"):  # another machine's program
                continue
            if seen := openers(path.read_bytes()):
                found[name] = seen
    unknown = {name: seen for name, seen in found.items() if name not in ALLOWED}
    assert not unknown, f"these open connections; go through commons.web.outside, or say why not: {unknown}"
    idle = [name for name in set(ALLOWED) - set(found) if (ROOT / name).exists()]
    assert not idle, f"these open nothing any more: {idle}"
    looking = {name for name, seen in found.items() if seen & {"getaddrinfo", "create_connection"}}
    assert looking == {"platform/commons/web/outside.py"}


@pytest.mark.parametrize(
    "source",
    ["import socket", "def f():\n    import requests", "from urllib import request", "from http import client",
     "import asyncio\nasyncio.open_connection('x', 1)", "from urllib.request import urlopen", "from asyncio import *\n"
     "open_connection('x', 1)", "import httpx as x"],
)  # fmt: skip
def test_an_opener_is_seen(source: str) -> None:
    assert openers(source.encode())


# --- every form of an inner address, into every door ---------------------------------------------------------------

PUBLIC = "93.184.215.14"
CONNECT = socket.create_connection
#: Hosts as they may be typed; `P` is the port of the listener. Those with a name are answered by `Names`.
FORMS = (
    "127.0.0.1:P", "localhost:P", "LOCALHOST:P", "localhost.:P", "127.1:P", "127.0.1:P", "0:P", "0.0.0.0:P",
    "2130706433:P", "0x7f000001:P", "0x7f.1:P", "0177.0.0.1:P", "017700000001:P", "127.0.0.1.:P", "[::1]:P", "[::]:P",
    "[::ffff:127.0.0.1]:P", "[::ffff:7f00:1]:P", "[0:0:0:0:0:ffff:7f00:1]:P", "[::127.0.0.1]:P", "[64:ff9b::7f00:1]:P",
    "[64:ff9b:1::7f00:1]:P", "[2002:7f00:1::]:P", "[fe80::1%25lo]:P", "[fec0::1]:P", "[fd00::1]:P", "169.254.169.254",
    "169.254.170.2", "100.64.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "198.18.0.1", "192.0.0.192", "240.0.0.1",
    "224.0.0.1", "255.255.255.255", "①②⑦.⓪.⓪.①:P", "ⓛocalhost:P", "%31%32%37.0.0.1:P", "public.example@127.0.0.1:P",
    "public.example:443@127.0.0.1:P", "127.0.0.1:P#@public.example", "public.example\\@127.0.0.1:P",
    "127.0.0.1:P\\.public.example", "public.example\t@127.0.0.1:P", "inner.example:P", "both.example:P",
    "changes.example:P", "sends-on.example:P",
    "public.example:P:80", "127.0.0.1:P?@public.example", "a" * 300 + ".example", "",
)  # fmt: skip


class Names:
    """A name server of ours: the system's for addresses, our answers for `.example`, nobody else."""

    def __init__(self) -> None:
        self.system, self.asked = socket.getaddrinfo, 0

    def __call__(self, host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        answers = {"public.example": [PUBLIC], "inner.example": ["127.0.0.1"], "both.example": [PUBLIC, "127.0.0.1"],
                   "sends-on.example": [PUBLIC], "makers.example": [PUBLIC]}  # fmt: skip
        if host == "changes.example":
            self.asked += 1
            return self._found([PUBLIC] if self.asked == 1 else ["127.0.0.1"], port)
        if host in answers:
            return self._found(answers[host], port)
        if str(host).endswith(".example"):
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return self.system(host, port, *rest, **more)

    @staticmethod
    def _found(addresses: list[str], port: int) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


class Ear:
    """Hears every connection of this process to an internet address; one ear for all tests, since none is taken off."""

    def __init__(self) -> None:
        self.open, self.heard = False, list[str]()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, details: tuple[Any, ...]) -> None:
        if self.open and event == "socket.connect" and isinstance(details[1], tuple):
            self.heard.append(str(details[1][0]))


@pytest.fixture(scope="module")
def ear() -> Ear:
    return Ear()


@pytest.fixture
def canary(ear: Ear, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator["Canary"]:
    """Listeners on this machine; names of ours; and public addresses are a server of ours that sends everybody on."""
    made = Canary(ear, tmp_path)
    monkeypatch.setattr(socket, "getaddrinfo", Names())
    monkeypatch.setattr(socket, "create_connection", made.dial)
    monkeypatch.setattr(outside.ssl, "create_default_context", lambda: made.trust)
    monkeypatch.setattr(process, "started", made.no_git)
    yield made
    made.close()


class Canary:
    """What must never be reached, and the server that sends everybody on to it."""

    def __init__(self, ear: Ear, folder: Path) -> None:
        self.ear, self.reached, self.dialled = ear, list[Any](), list[str]()
        self.listeners = [socket.create_server(("127.0.0.1", 0))]
        self.port = self.listeners[0].getsockname()[1]
        with suppress(OSError):  # a machine without IPv6
            self.listeners.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for listener in self.listeners:
            threading.Thread(target=self._listen, args=(listener,), daemon=True).start()
        authority = Authority(folder)
        self.trust = ssl.create_default_context(cadata=authority.pem)
        served = authority.serve("sends-on.example")
        sends = type("Sends", (SendsOn,), {"to": f"https://127.0.0.1:{self.port}/"})
        self.public = ThreadingHTTPServer(("127.0.0.1", 0), sends)
        self.public.socket = served.context.wrap_socket(self.public.socket, server_side=True)
        threading.Thread(target=self.public.serve_forever, daemon=True).start()
        ear.heard.clear()
        ear.open = True

    def dial(self, place: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
        """The real way for inner addresses, our server for public ones: nobody outside is asked by a test."""
        self.dialled.append(place[0])
        if not outside.is_outside(place[0]):
            return CONNECT(place, *rest, **more)
        self.ear.open = False
        try:
            return CONNECT(("127.0.0.1", self.public.server_port), *rest, **more)
        finally:
            self.ear.open = True

    def no_git(self, arguments: list[str], **_more: Any) -> Any:
        """git is not begun; what it would be pinned to is remembered."""
        found = next(word for word in arguments if word.startswith("http.curloptResolve="))
        self.dialled.append(found.split(":", 2)[2].strip("[]"))
        raise subprocess.SubprocessError("git is not begun here")

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                self.reached.append(listener.accept()[1])
            except OSError:
                return

    def close(self) -> None:
        """Take all down."""
        self.ear.open = False
        self.public.shutdown()
        self.public.server_close()
        for listener in self.listeners:
            listener.close()


class SendsOn(BaseHTTPRequestHandler):
    """Sends everybody on to `to`."""

    to = ""

    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """Elsewhere."""
        self.send_response(302)
        self.send_header("Location", self.to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 the server's name


@pytest.fixture
def anna(db: None) -> User:
    return create_user(username="anna")


Door = Callable[[str], Any]


@pytest.fixture
def doors(anna: User, client: Client, tmp_path: Path) -> dict[str, Door]:
    """Everything that follows an address: called with one, it answers with the sentence of its refusal."""
    city = places.ensure_city(slug="helsinki", name="Helsinki")
    place = places.ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city)
    community = Community.objects.create(slug="street", name="Street", place=place)
    prices = PriceList.objects.create(community=community, name="Spot", currency="EUR")
    feed = WeatherFeed.objects.create(place=place, url="https://public.example/")
    token = create_token(user=anna, name="t", scopes=["designs:write"])[1]
    headers = {"authorization": f"Bearer {token}"}

    def prices_of(url: str) -> str:
        prices.feed = url
        assert not feeds.ask(prices=prices)
        prices.refresh_from_db()
        return prices.trouble

    def weather_of(url: str) -> str:
        feed.url = url
        assert not weather.ask(feed=feed)
        feed.refresh_from_db()
        return feed.trouble

    def design_of(url: str, **more: Any) -> str:
        body = {"source": url, "owner": "anna", "slug": "thing", "licence": "MIT", **more}
        answer = client.post("/api/v1/designs/import/", body, content_type="application/json", headers=headers)
        taken = {202} if "example" in url else set()
        assert answer.status_code in {400} | taken, answer.content
        return str(answer.json().get("detail", "taken up; the fetch is looked at by itself"))

    def input_of(url: str) -> str:
        body = json.dumps({"inputs": {"district": "x", "measures": {"href": url}}})
        answer = client.post("/ogc/processes/run-scenario/execution", body, content_type="application/json")
        assert answer.status_code == 400, answer.content
        return str(answer.json()["detail"])

    def badge_of(url: str) -> str:
        issuer = "did:web:" + url.removeprefix("https://").replace(":", "%3A").replace("/", ":")
        text = badge().replace(DID, json.dumps(issuer)[1:-1])
        verdict = verifying.verify(text, fetch=_known_or_fetched, now=NOW)
        assert not verdict.good
        return verdict.why

    def fetched(url: str) -> str:
        with pytest.raises(outside.Unreachable) as refused:
            outside.fetch(url)
        return str(refused.value)

    def document(url: str) -> str:
        with pytest.raises(outside.Unreachable) as refused:
            _known_or_fetched(url)
        return str(refused.value)

    def repository(url: str) -> str:
        with pytest.raises((CityError, subprocess.SubprocessError)) as refused:
            fetching.from_https(Nowhere(tmp_path), url)  # type: ignore[arg-type]
        return str(refused.value) or "refused"

    def large_file(url: str) -> str:
        with pytest.raises(CityError) as refused, pinned.request("GET", url, headers={}, wall_s=5) as answer:
            answer.read()
        return str(refused.value.sentence)

    def relay(driver: str, scheme: str) -> Door:
        def ask(url: str) -> str:
            said = speak(Line(driver, url.replace("https:", f"{scheme}:", 1).removesuffix("/x.json"),
                              options={"topic": "a"}), Step("on", 60))  # fmt: skip
            assert said.answer in {"silent", "refused"}
            return said.sentence

        return ask

    relays = {f"relay {driver} {scheme}": relay(driver, scheme) for driver, scheme in (
        ("shelly", "http"), ("shelly", "https"), ("tasmota", "http"), ("mqtt", "mqtt"), ("mqtt", "mqtts"),
        ("modbus", "modbus"),
    )}  # fmt: skip
    return {
        "prices": prices_of, "weather": weather_of, "import": design_of,
        "mirror": lambda url: design_of(url, follow_hours=6), "git": repository, "large file": large_file,
        "process input": input_of, "badge": badge_of, "status list": document, "fetch": fetched, **relays,
    }  # fmt: skip


class Nowhere:
    """A folder in the place of a repository, for a fetch that never begins."""

    def __init__(self, path: Path) -> None:
        self.path = path


@pytest.mark.django_db
def test_no_form_of_an_inner_address_leads_inwards(
    canary: Canary, doors: dict[str, Door], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INTERLOCK_NETWORKS = []
    monkeypatch.setattr(Throttle, "allow_request", lambda *_args: True)
    assert site.DEBUG is False
    silent, tried = [], 0
    with override("en"):
        for name, door in doors.items():
            socket.getaddrinfo.asked = 0  # type: ignore[attr-defined]
            for form in FORMS:
                sentence = door(f"https://{form.replace('P', str(canary.port))}/x.json")
                tried += 1
                if len(str(sentence)) < 10:
                    silent.append((name, form, sentence))
    inner = [address for address in canary.ear.heard + canary.dialled if not outside.is_outside(address)]
    reached = len(inner) + len(canary.reached)
    print(f"ways out: {len(doors)} doors x {len(FORMS)} forms = {tried} calls, {reached} reached")  # noqa: T201
    figure("ssrf_reached", reached, f"of {tried} calls")
    assert not inner
    assert not canary.reached
    assert not silent
    assert PUBLIC in canary.dialled, "nothing was ever dialled: the doors are shut for another reason"


def test_the_listener_hears_and_so_does_the_ear(canary: Canary) -> None:
    """Without this the test above could not fail."""
    socket.create_connection(("127.0.0.1", canary.port), 5).close()
    assert canary.ear.heard == ["127.0.0.1"]
    for _try in range(100):
        if canary.reached:
            break
        threading.Event().wait(0.02)
    assert canary.reached


def test_public_addresses_are_outside_and_all_others_are_not() -> None:
    for address in (PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"):
        assert outside.is_outside(address), address
    networks = ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "198.18.0.0/15", "192.0.0.0/24", "192.0.2.0/24", "fc00::/7",
                "fe80::/10", "fec0::/10", "ff00::/8", "::/96", "::ffff:10.0.0.0/104", "64:ff9b::a00:0/104",
                "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "2002:a00::/24", "4000::/3", "8000::/1")  # fmt: skip
    for text in networks:
        network = ipaddress.ip_network(text)
        for address in (network[0], network[network.num_addresses // 2], network[-1]):
            assert not outside.is_outside(str(address)), (text, address)
    assert not outside.is_outside("no address")


def test_a_document_that_drips_is_given_up(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    class Drips(SendsOn):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            with suppress(OSError):
                for _piece in range(100):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    threading.Event().wait(0.1)

    monkeypatch.setattr(canary.public, "RequestHandlerClass", Drips)
    with pytest.raises(outside.Unreachable):
        outside.fetch("https://sends-on.example/", wall_s=0.5)

