"""Look-alikes of plugs: what a Shelly of the first and second generation and a Tasmota plug answer, with relays whose
own timer opens them. Formats as their makers document them.
"""

import hashlib
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.agent.adapters.stage import Quiet


@dataclass
class Plug:
    """What a look-alike measures and how it is set up."""

    power_w: float = 0.0
    energy_wh: float = 0.0
    voltage_v: float = 230.0
    password: str = ""
    closed: bool = False
    opens_at: float | None = None
    no_timer: bool = False
    generation: int = 2
    components: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def on(self) -> bool:
        if self.opens_at is not None and time.monotonic() >= self.opens_at:
            self.closed, self.opens_at = False, None
        return self.closed

    def switch(self, on: bool, for_s: float | None) -> None:
        self.closed = on
        self.opens_at = time.monotonic() + for_s if on and for_s and not self.no_timer else None

    def component(self) -> dict[str, Any]:
        """`switch:0` of the second generation."""
        said: dict[str, Any] = {
            "id": 0,
            "source": "init",
            "output": self.on,
            "apower": self.power_w,
            "voltage": self.voltage_v,
            "current": round(self.power_w / self.voltage_v, 3),
            "aenergy": {"total": self.energy_wh, "by_minute": [10.5, 20.5, 19.9], "minute_ts": 1790000000},
            "temperature": {"tC": 31.5, "tF": 88.7},
        }
        if self.opens_at is not None:
            said |= {"timer_started_at": 1790000000.5, "timer_duration": 99.0}
        return said

    def status(self) -> dict[str, Any]:
        """`Shelly.GetStatus`."""
        rest = {"cloud": {"connected": False}, "sys": {"mac": "A8032ABE54DC", "unixtime": 1790000000}}
        return {**(self.components or {"switch:0": self.component()}), **rest}


class Shelly1(Quiet):
    """A Plug S of the first generation: HTTP basic, watt-minutes."""

    here: Plug

    def get(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/shelly":
            return self.send(
                {"type": "SHPLG-S", "mac": "7C87CEB4A1F2", "auth": bool(self.here.password), "num_meters": 1}
            )
        if self.here.password and self.headers.get("Authorization") != _basic("admin", self.here.password):
            return self.send(b"401 Unauthorized", 401, WWW_Authenticate='Basic realm="shellyplug-s-B4A1F2"')
        if url.path == "/status":
            return self.send(self._status())
        if found := re.fullmatch(r"/relay/0", url.path):
            query = parse_qs(url.query)
            self.here.asked.append(f"{found[0]}?{url.query}")
            if "turn" in query:
                self.here.switch(query["turn"] == ["on"], float(query.get("timer", ["0"])[0]))
            return self.send({"ison": self.here.on, "has_timer": self.here.opens_at is not None, "timer_remaining": 9})
        return self.send(b"Not Found", 404)

    def _status(self) -> dict[str, Any]:
        here = self.here
        meter = {
            "power": here.power_w,
            "is_valid": True,
            "total": int(here.energy_wh * 60),
            "counters": [0.0, 0.0, 0.0],
        }
        return {
            "relays": [{"ison": here.on, "has_timer": False, "timer_remaining": 0}],
            "meters": [meter],
            "temperature": 24.1,
            "tmp": {"tC": 24.1, "tF": 75.4, "is_valid": True},
            "uptime": 2589909,
        }


class Shelly2(Quiet):
    """The second generation: RPC over HTTP with SHA-256 digest."""

    here: Plug

    def get(self) -> None:
        if self.path == "/shelly":
            return self.send(
                {"id": "shellyplusplugs-a8032abe54dc", "gen": self.here.generation, "model": "SNPL-00112EU"}
            )
        if not self._signed_in("GET"):
            return self._challenge()
        if self.path == "/rpc/Shelly.GetStatus":
            return self.send(self.here.status())
        return self.send({"code": 404, "message": f"No handler for {self.path[5:]}"}, 404)

    def post(self) -> None:
        import json

        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._signed_in("POST"):
            return self._challenge()
        return self.send({"id": asked["id"], "src": "shelly", **rpc(self.here, asked["method"], asked["params"])})

    def _challenge(self) -> None:
        words = 'Digest qop="auth", realm="shellyplusplugs-a8032abe54dc", nonce="60dc2c69", algorithm=SHA-256'
        self.send({}, 401, WWW_Authenticate=words)

    def _signed_in(self, method: str) -> bool:
        if not self.here.password:
            return True
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', self.headers.get("Authorization") or ""))

        def sha(text: str) -> str:
            return hashlib.sha256(text.encode()).hexdigest()

        first, second = sha(f"admin:{said.get('realm')}:{self.here.password}"), sha(f"{method}:{self.path}")
        names = (said.get("nonce"), said.get("nc"), said.get("cnonce"), said.get("qop"))
        return said.get("response") == sha(":".join([first, *map(str, names), second]))


def rpc(here: Plug, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """What the second generation does and answers."""
    here.asked.append(method)
    if method == "Shelly.GetStatus":
        return {"result": here.status()}
    if params.get("id") != 0:
        return {"error": {"code": -105, "message": f"Argument 'id', value {params.get('id')} not found!"}}
    if method == "Switch.Set":
        was = here.on
        here.switch(params["on"], params.get("toggle_after"))
        return {"result": {"was_on": was}}
    return {"result": here.component()}


class Tasmota(Quiet):
    """A Tasmota plug: `/cm?cmnd=…`."""

    here: Plug

    def get(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path != "/cm":
            return self.send(b"<html>Tasmota</html>", 404)
        if self.here.password and query.get("password") != [self.here.password]:
            return self.send({"WARNING": "Need user=<username>&password=<password>"})
        return self.send(tasmota(self.here, *query["cmnd"][0].partition(" ")[::2]))


def tasmota(here: Plug, command: str, value: str) -> dict[str, Any]:
    """What a Tasmota plug with one relay does and answers."""
    here.asked.append(f"{command} {value}".strip())
    name = command.lower().rstrip("1")
    if name == "status" and value == "8":
        return {"StatusSNS": sensor(here)}
    if name == "pulsetime":
        if value:
            here.components["pulse"] = int(value)
        left = None if here.opens_at is None else here.opens_at - time.monotonic()
        remaining = 0 if left is None else int(left * 10) if left <= 11 else int(left) + 100
        return {"PulseTime1": {"Set": here.components.get("pulse", 0), "Remaining": remaining}}
    if name != "power":
        return {"Command": "Unknown"}
    pulse = here.components.get("pulse", 0)
    if value:
        here.switch(value == "ON", (pulse - 100 if pulse >= 112 else pulse / 10) if pulse else None)
    return {"POWER": "ON" if here.on else "OFF"}


def sensor(here: Plug, local: str = "2026-06-18T16:50:00") -> dict[str, Any]:
    """`tele/<topic>/SENSOR`."""
    energy = {
        "TotalStartTime": "2026-01-02T09:00:00",
        "Total": round(here.energy_wh / 1000, 5),
        "Yesterday": 0.4,
        "Today": 0.1,
        "Power": here.power_w,
        "ApparentPower": here.power_w + 4,
        "ReactivePower": 9,
        "Factor": 0.95,
        "Voltage": here.voltage_v,
        "Current": round(here.power_w / here.voltage_v, 3),
    }
    return {"Time": local, "ENERGY": here.components.get("ENERGY", energy)}


def _basic(user: str, password: str) -> str:
    import base64

    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
