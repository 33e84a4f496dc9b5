"""Relays that speak the documented formats over real sockets: what a Shelly, a Tasmota and a home-made one do.

Each keeps time by itself: its own timer opens it, whatever anybody says.
"""

import hashlib
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson


class Contacts:
    """The relay itself."""

    def __init__(self) -> None:
        self._until: float | None = None
        self._on = False
        self.for_s: float | None = None
        self.closings = 0
        self.asked: list[str] = []
        self.stuck = False
        self.no_timer = False
        self.status = 200
        self.password = ""

    @property
    def on(self) -> bool:
        """Closed, unless its own timer has opened it."""
        if self._on and self._until is not None and time.monotonic() >= self._until:
            self._on, self._until, self.for_s = False, None, None
        return self._on

    @property
    def left_s(self) -> float | None:
        return None if not self.on or self._until is None else self._until - time.monotonic()

    def set(self, on: bool, for_s: float | None = None) -> None:
        if self.stuck:
            return
        self.closings += on and not self.on
        self._on = on
        timed = on and for_s is not None and not self.no_timer
        self._until = time.monotonic() + (for_s or 0) if timed else None
        self.for_s = for_s if timed else None


class _Handler(BaseHTTPRequestHandler):
    contacts: Contacts

    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def _send(self, body: Any, status: int = 200, **headers: str) -> None:
        content = orjson.dumps(body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class ShellyHandler(_Handler):
    """POST /rpc, with SHA-256 digest when it has a password."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        here = self.contacts
        if here.password and not self._signed_in():
            challenge = 'Digest qop="auth", realm="shellyplus1-a8032abe54dc", nonce="60dc2c69", algorithm=SHA-256'
            return self._send({}, 401, WWW_Authenticate=challenge)
        asked = orjson.loads(body)
        here.asked.append(asked["method"])
        if here.status != 200:
            return self._send({}, here.status)
        params = asked["params"]
        if params.get("id") != 0:
            said = {"code": -105, "message": f"Argument 'id', value {params.get('id')} not found!"}
            return self._send({"id": asked["id"], "src": "shellyplus1-a8032abe54dc", "error": said})
        if asked["method"] == "Switch.Set":
            was = here.on
            here.set(params["on"], params.get("toggle_after"))
            result: dict[str, Any] = {"was_on": was}
        else:
            result = {"id": 0, "source": "HTTP", "output": here.on, "temperature": {"tC": 41.0, "tF": 105.8}}
            if here.for_s is not None:
                result |= {"timer_started_at": 1_790_000_000.5, "timer_duration": float(here.for_s)}
        return self._send({"id": asked["id"], "src": "shellyplus1-a8032abe54dc", "dst": asked["src"], "result": result})

    def _signed_in(self) -> bool:
        sent = self.headers.get("Authorization") or ""
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', sent))

        def sha(text: str) -> str:
            return hashlib.sha256(text.encode()).hexdigest()

        first, second = sha(f"admin:{said.get('realm')}:{self.contacts.password}"), sha("POST:/rpc")
        names = (said.get("nonce"), said.get("nc"), said.get("cnonce"), said.get("qop"))
        return said.get("response") == sha(":".join([first, *map(str, names), second]))


class TasmotaHandler(_Handler):
    """GET /cm?cmnd=…"""

    pulse = 0

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        here = self.contacts
        if here.password and query.get("password") != [here.password]:
            return self._send({"WARNING": "Need user=<username>&password=<password>"})
        return self._send(tasmota(here, *query["cmnd"][0].partition(" ")[::2]))


def tasmota(here: Contacts, command: str, value: str) -> dict[str, Any]:
    """What a Tasmota device with one relay does and says."""
    here.asked.append(f"{command} {value}".strip())
    name = command.lower().rstrip("1")
    if name == "pulsetime":
        if value:
            here.__dict__["pulse"] = int(value)
        left = here.left_s
        remaining = 0 if left is None else int(left * 10) if left <= 11 else int(left) + 100
        return {"PulseTime1": {"Set": here.__dict__.get("pulse", 0), "Remaining": remaining}}
    if name != "power":
        return {"Command": "Unknown"}
    pulse = here.__dict__.get("pulse", 0)
    if value:
        here.set(value == "ON", (pulse - 100 if pulse >= 112 else pulse / 10) if pulse else None)
    return {"POWER": "ON" if here.on else "OFF"}


@contextmanager
def serving(kind: type[_Handler], contacts: Contacts, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Its address while it stands, behind TLS with `tls`."""
    handler = type("Handler", (kind,), {"contacts": contacts})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
