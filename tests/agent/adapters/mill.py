"""A look-alike of an MTConnect agent with one mill: a buffer of observations by sequence, long polls as multipart."""

import datetime as dt
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.agent.adapters.stage import Quiet

ITEMS = {
    "avail": ("Availability", "EVENT", "AVAILABILITY", ""),
    "estop": ("EmergencyStop", "EVENT", "EMERGENCY_STOP", ""),
    "exec": ("Execution", "EVENT", "EXECUTION", ""),
    "pgm": ("Program", "EVENT", "PROGRAM", ""),
    "parts": ("PartCount", "EVENT", "PART_COUNT", ""),
    "watts": ("Wattage", "SAMPLE", "WATTAGE", "WATT"),
    "joules": ("ElectricalEnergy", "SAMPLE", "ELECTRICAL_ENERGY", "WATT_SECOND"),
    "pf": ("PowerFactor", "SAMPLE", "POWER_FACTOR", "PERCENT"),
}

BOUNDARY = "a8e12eced4fb871ac096a99bf9728425"


@dataclass
class Mill:
    """`behind`: how far its clock is behind, in seconds."""

    version: str = "2.0"
    instance: int = 1_700_000_001
    most: int = 100
    behind: float = 0.0
    streaming: bool = True
    devices: tuple[str, ...] = ("Mill-1",)
    seen: list[tuple[int, str, str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    body: bytes | None = None
    sequence: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        for item in ITEMS:
            self.tell(item, "UNAVAILABLE")

    def now(self) -> str:
        moment = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=self.behind)
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def tell(self, item: str, value: object) -> None:
        with self.changed:
            self.sequence += 1
            self.seen.append((self.sequence, item, str(value), self.now()))
            del self.seen[: -self.most]
            self.changed.notify_all()

    def restart(self) -> None:
        with self.changed:
            self.instance += 1
            self.sequence, self.seen = 0, []
        self.__post_init__()

    @property
    def first(self) -> int:
        return self.seen[0][0]

    def current(self) -> bytes:
        last = {item: entry for entry in self.seen for item in [entry[1]]}
        return self.document(list(last.values()), self.sequence + 1)

    def sample(self, start: int, count: int) -> bytes:
        found = [entry for entry in self.seen if entry[0] >= start][:count]
        return self.document(found, (found[-1][0] if found else self.sequence) + 1)

    def document(self, entries: list[tuple[int, str, str, str]], following: int) -> bytes:
        """Observations under their components; samples before events, as agents sort them."""
        samples, events = "", ""
        for sequence, item, value, at in sorted(entries):
            kind, category, _type, _units = ITEMS[item]
            element = f'<{kind} dataItemId="{item}" timestamp="{at}" sequence="{sequence}">{value}</{kind}>'
            samples, events = (samples + element, events) if category == "SAMPLE" else (samples, events + element)
        inner = f"<Samples>{samples}</Samples>" if samples else ""
        inner += f"<Events>{events}</Events>" if events else ""
        stream = f'<ComponentStream component="Device" componentId="d" name="Mill-1">{inner}</ComponentStream>'
        return self._wrap(
            "MTConnectStreams",
            f'nextSequence="{following}" firstSequence="{self.first}" lastSequence="{self.sequence}"',
            f'<Streams><DeviceStream name="Mill-1" uuid="m1">{stream if inner else ""}</DeviceStream></Streams>',
        )

    def probe(self) -> bytes:
        electric = "".join(
            f'<DataItem category="{category}" id="{item}" type="{type_}" units="{units}"/>'
            if units
            else f'<DataItem category="{category}" id="{item}" type="{type_}"/>'
            for item, (_kind, category, type_, units) in ITEMS.items()
        )
        spindle = '<DataItem category="SAMPLE" id="spindle_w" type="WATTAGE" units="WATT"/>'
        axes = f'<Components><Axes id="a"><Components><Rotary id="c" name="C"><DataItems>{spindle}</DataItems></Rotary>'
        axes += "</Components></Axes></Components>"
        devices = "".join(
            f'<Device id="d{n}" uuid="m{n}" name="{name}"><DataItems>{electric}</DataItems>{axes}</Device>'
            for n, name in enumerate(self.devices)
        )
        return self._wrap("MTConnectDevices", "", f"<Devices>{devices}</Devices>")

    def error(self, code: str, text: str) -> bytes:
        return self._wrap("MTConnectError", "", f'<Errors><Error errorCode="{code}">{text}</Error></Errors>')

    def _wrap(self, kind: str, header: str, inner: str) -> bytes:
        head = f'creationTime="{self.now()}" sender="here" instanceId="{self.instance}" version="{self.version}.0.1"'
        if self.version >= "1.7":
            head += f' deviceModelChangeTime="{self.now()}"'
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="urn:mtconnect.org:{kind}:{self.version}">'
            f'<Header {head} bufferSize="{self.most}" {header}/>{inner}</{kind}>'
        ).encode()


class Agent(Quiet):
    """Its HTTP door."""

    here: Mill

    def get(self) -> None:
        url = urlsplit(self.path)
        names = url.path.strip("/").split("/")
        request, device = names[-1], names[0] if len(names) > 1 else ""
        self.here.asked.append(self.path)
        query = {key: int(values[0]) for key, values in parse_qs(url.query).items()}
        if self.here.body is not None:
            self._xml(self.here.body)
        elif device and device not in self.here.devices:
            self._xml(self.here.error("NO_DEVICE", f"Could not find the device '{device}'"), 404)
        elif request in {"probe", "current"}:
            self._xml(self.here.probe() if request == "probe" else self.here.current())
        elif not self.here.first <= query["from"] <= self.here.sequence + 1:
            self._xml(self.here.error("OUT_OF_RANGE", f"'from' must be at least {self.here.first}"), 404)
        elif not self.here.streaming:
            self._xml(self.here.sample(query["from"], query["count"]))
        else:
            self._stream(query)

    def _xml(self, body: bytes, status: int = 200) -> None:
        self.send(body, status, Content_Type="text/xml")

    def _stream(self, query: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace;boundary={BOUNDARY}")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        instance, following = self.here.instance, query["from"]
        while (body := self._next(instance, following, query)) is not None:
            following = max(following, self.here.sequence + 1)
            head = f"--{BOUNDARY}\r\nContent-type: text/xml\r\nContent-length: {len(body)}\r\n\r\n"
            try:
                for piece in (head.encode() + body[:50], body[50:] + b"\r\n"):
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(min(query["interval"], 50) / 1000)

    def _next(self, instance: int, following: int, query: dict[str, Any]) -> bytes | None:
        """What there is from a sequence on, or after the heartbeat nothing; None once it was started anew."""
        mill = self.here

        def news() -> bool:
            return mill.instance != instance or mill.sequence >= following

        with mill.changed:
            mill.changed.wait_for(news, query["heartbeat"] / 1000)
            return mill.sample(following, query["count"]) if mill.instance == instance else None
