"""What an MTConnect agent answers (1.0 to 2.x): probe, current, sample and errors, whatever the namespace's version.

Values come in the units of the standard, whatever the machine's own: Wattage in WATT, ElectricalEnergy in WATT_SECOND
(1/3600 Wh), Voltage in VOLT, Amperage in AMPERE. UNAVAILABLE means that nothing is known.
Documents with a DOCTYPE are refused, so no entity of theirs is ever expanded.
Sources: MTConnect Standard parts 1 to 3; the XML schemas of 1.2 to 2.7.
"""

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from livingcity_agent.parsers.measured import number

MOST_BYTES = 20_000_000
UNAVAILABLE = "UNAVAILABLE"
_UNITS = {
    "WATT": 1.0,
    "KILOWATT": 1000.0,
    "WATT_SECOND": 1 / 3600,
    "JOULE": 1 / 3600,
    "KILOWATT_HOUR": 1000.0,
    "WATT_HOUR": 1.0,
    "VOLT": 1.0,
    "AMPERE": 1.0,
    "PERCENT": 0.01,
}
_STANDARD = {
    "wattage": "WATT",
    "electricalenergy": "WATT_SECOND",
    "powerfactor": "PERCENT",
    "voltage": "VOLT",
    "voltageac": "VOLT",
    "amperage": "AMPERE",
    "amperageac": "AMPERE",
}
EXECUTION = {
    "READY": "idle",
    "ACTIVE": "making",
    "INTERRUPTED": "paused",
    "FEED_HOLD": "paused",
    "WAIT": "paused",
    "OPTIONAL_STOP": "paused",
    "PROGRAM_OPTIONAL_STOP": "paused",
    "PROGRAM_STOPPED": "paused",
    "STOPPED": "idle",
    "PROGRAM_COMPLETED": "idle",
}
"""Values of Execution as words of the city."""


class NotMTConnect(ValueError):
    """What was answered is no MTConnect document, as a sentence."""


class MTConnectRefused(ValueError):
    """The agent answered an error document. `code` such as OUT_OF_RANGE, NO_DEVICE."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}".rstrip(": "))
        self.code = code


@dataclass(frozen=True, slots=True)
class Header:
    """Of a streams document. `instance` changes when the agent is started anew, and its sequences with it."""

    instance: str
    next: int
    first: int
    created: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Observation:
    """One value. `kind`: its element's name, e.g. Execution; `value` is text; a time series has its last sample."""

    item: str
    kind: str
    value: str
    sequence: int
    at: dt.datetime | None

    @property
    def known(self) -> bool:
        """Whether it says anything."""
        return self.value not in {"", UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Item:
    """A data item of the probe. `component`: the element in which it stands, e.g. Electric."""

    id: str
    kind: str
    units: str
    component: str
    device: str
    name: str = ""

    def scaled(self, text: str) -> float | None:
        """A value in the city's unit (W, Wh, V, A, 0 to 1); None where it is no number."""
        return number(text.rsplit(maxsplit=1)[-1] if text.split() else "", _UNITS.get(self.units, 1.0))


def streams(body: bytes) -> tuple[Header, list[Observation]]:
    """A `current` or `sample`, in the order of the sequences. Raises NotMTConnect, MTConnectRefused."""
    root = _root(body, "MTConnectStreams")
    head = next((e for e in root if _name(e) == "Header"), None)
    if head is None:
        raise NotMTConnect("The answer has no header.")
    found = [_observation(element) for element in root.iter() if "sequence" in element.attrib]
    found.sort(key=lambda observation: observation.sequence)
    header = Header(
        head.get("instanceId", ""),
        _whole(head.get("nextSequence")),
        _whole(head.get("firstSequence")),
        stamp(head.get("creationTime", "")),
    )
    return header, found


def _observation(element: ET.Element) -> Observation:
    return Observation(
        element.get("dataItemId", ""),
        _name(element).removesuffix("TimeSeries"),
        (element.text or "").strip(),
        _whole(element.get("sequence")),
        stamp(element.get("timestamp", "")),
    )


def probe(body: bytes) -> list[Item]:
    """The data items of all devices. Raises NotMTConnect, MTConnectRefused."""
    root = _root(body, "MTConnectDevices")
    devices = next((e for e in root if _name(e) == "Devices"), root)
    return [item for device in devices for item in _items(device, "Device", device.get("name", ""))]


def _items(element: ET.Element, component: str, device: str) -> Iterator[Item]:
    for child in element:
        if _name(child) == "DataItem":
            kind = child.get("type", "").replace("_", "").lower()
            units = child.get("units") or _STANDARD.get(kind, "")
            yield Item(child.get("id", ""), kind, units, component, device, child.get("name", ""))
        elif _name(child) not in {"Description", "Configuration", "References", "Compositions"}:
            inside = component if _name(child) in {"DataItems", "Components"} else _name(child)
            yield from _items(child, inside, device)


def stamp(text: str) -> dt.datetime | None:
    """A time such as 2026-06-18T13:50:00.123456Z; one without a zone is UTC, as the standard says; else None."""
    cut = re.sub(r"(\.\d{6})\d+", r"\1", text.strip().partition("@")[0])
    try:
        read = dt.datetime.fromisoformat(cut)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)


def parts(buffer: bytearray, boundary: bytes) -> Iterator[bytes]:
    """The whole parts at the beginning of a multipart stream; they are taken out of the buffer."""
    mark = b"--" + boundary
    while (start := buffer.find(mark)) >= 0:
        ends = buffer.find(b"\r\n\r\n", start)
        if ends < 0:
            return
        head = bytes(buffer[start + len(mark) : ends])
        length = re.search(rb"content-length:\s*(\d+)", head, re.IGNORECASE)
        if length is None:
            raise NotMTConnect("A part of the stream does not say its length.")
        size = int(length[1])
        if size > MOST_BYTES:
            raise NotMTConnect(f"A part of the stream has {size} bytes.")
        if len(buffer) < ends + 4 + size:
            return
        yield bytes(buffer[ends + 4 : ends + 4 + size])
        del buffer[: ends + 4 + size]


def _root(body: bytes, wanted: str) -> ET.Element:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotMTConnect("The answer is no UTF-8.") from None
    if len(body) > MOST_BYTES or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotMTConnect("The answer is too large, or has a DOCTYPE, which MTConnect has not.")
    try:
        root = ET.fromstring(text)  # noqa: S314 no DOCTYPE, so no entities
    except (ET.ParseError, ValueError):
        raise NotMTConnect("The answer is no XML.") from None
    if _name(root) == "MTConnectError":
        error = next((e for e in root.iter() if e.get("errorCode")), root)
        text = " ".join(" ".join(error.itertext()).split())
        raise MTConnectRefused(error.get("errorCode", "ERROR"), text[:200])
    if _name(root) != wanted:
        raise NotMTConnect(f"The answer is <{_name(root)[:40]}>, not <{wanted}>.")
    return root


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 20 else 0
