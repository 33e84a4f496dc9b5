"""`livingcity-agent discover`: what answers at addresses that somebody names, as a configuration to begin with.

Only addresses that are named, and only private ones, are asked; each with a handful of harmless requests that change
nothing. What asks for a password is told, not guessed.
"""

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livingcity_agent.adapters.base import AdapterError
from livingcity_agent.http import Answer, Http
from livingcity_agent.parsers import mtconnect

MOST = 1024
AT_ONCE = 32
CONNECT_S = 1.0
ANSWER_S = 3.0
HTTP_PORTS = (80, 5000, 7125)
OPCUA_PORT = 4840
BROKER_PORT = 1883


@dataclass(frozen=True, slots=True)
class Found:
    """Something that the agent can listen to. `lines`: the keys of its source; `hint`: what is still to be done."""

    name: str
    lines: tuple[str, ...]
    hint: str = ""

    @property
    def toml(self) -> str:
        """A [[device]] of the configuration."""
        hint = f"# {self.hint}\n" if self.hint else ""
        return f"[[device]]\nname = {json.dumps(self.name, ensure_ascii=False)}\n\n[[device.source]]\n{hint}" + "".join(
            f"{line}\n" for line in self.lines
        )


@dataclass(frozen=True, slots=True)
class Place:
    """An address, and a port where one was named."""

    host: str
    port: int | None = None


def places(words: Sequence[str]) -> list[Place]:
    """The addresses that are meant: 192.168.1.20, 192.168.1.20:8080, 192.168.1.0/24. Raises AdapterError."""
    found = [place for word in words for place in _places(word)]
    if len(found) > MOST:
        raise AdapterError(f"That are {len(found)} addresses; {MOST} at once are enough.")
    return list(dict.fromkeys(found))


def _places(word: str) -> Iterator[Place]:
    host, colon, port = word.partition(":")
    try:
        if colon and not 0 < int(port) < 65_536:
            raise ValueError
        network = ipaddress.ip_network(host, strict=False)
    except ValueError:
        raise AdapterError(f"“{word}” is no address such as 192.168.1.20 or 192.168.1.0/24.") from None
    if not network.is_private:
        raise AdapterError(f"“{word}” is not in a private network, and is left alone.")
    if network.num_addresses > MOST:
        raise AdapterError(f"“{word}” are {network.num_addresses} addresses; {MOST} at once are enough.")
    for address in network if network.num_addresses == 1 else network.hosts():
        yield Place(str(address), int(port) if colon else None)


async def discover(words: Sequence[str]) -> list[Found]:
    """What answers at the addresses, in their order. Raises AdapterError."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(place: Place) -> list[Found]:
        async with limit:
            return await _at(place)

    found = await asyncio.gather(*(one(place) for place in places(words)))
    return [thing for things in found for thing in things]


async def _at(place: Place) -> list[Found]:
    found: list[Found] = []
    for port in (place.port,) if place.port else HTTP_PORTS:
        if await _open(place.host, port):
            url = f"http://{place.host}" + ("" if port == 80 else f":{port}")
            if (thing := await _http(url)) is not None:
                found.append(thing)
    if place.port is None and await _open(place.host, OPCUA_PORT):
        lines = ('type = "opcua"', f'url = "opc.tcp://{place.host}:{OPCUA_PORT}"')
        found.append(Found(f"OPC UA at {place.host}", lines, "Add a [[device.source.value]] for each node to read."))
    if place.port is None and await _open(place.host, BROKER_PORT):
        lines = ('type = "mqtt"', f'broker = "mqtt://{place.host}"')
        found.append(Found(f"Broker at {place.host}", lines, "Add a [[device.source.value]] for each topic to read."))
    return found


async def _open(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(CONNECT_S):
            _reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _http(url: str) -> Found | None:
    for look in _LOOKS:
        try:
            if (found := await look(url)) is not None:
                return found
        except AdapterError:
            continue
    return None


async def _get(url: str, path: str) -> Answer:
    return await Http(url, timeout_s=ANSWER_S).ask("GET", path)


def _json(answer: Answer) -> Mapping[str, Any]:
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, Mapping) else {}


def _found(kind: str, name: str, url: str, *more: str, hint: str = "") -> Found:
    return Found(f"{name} at {url.partition('//')[2]}", (f'type = "{kind}"', f'url = "{url}"', *more), hint)


async def _shelly(url: str) -> Found | None:
    said = _json(await _get(url, "/shelly"))
    model = said.get("model") if "gen" in said else said.get("type") if "mac" in said else None
    if not isinstance(model, str):
        return None
    locked = said.get("auth") is True or said.get("auth_en") is True
    return _found("shelly", f"Shelly {model[:40]}", url, *(['password = ""'] if locked else []), hint=_locked(locked))


async def _tasmota(url: str) -> Found | None:
    said = _json(await _get(url, "/cm?cmnd=Status%208"))
    locked = "WARNING" in said
    if not locked and "StatusSNS" not in said:
        return None
    return _found("tasmota", "Tasmota", url, *(['password = ""'] if locked else []), hint=_locked(locked))


async def _moonraker(url: str) -> Found | None:
    said = _json(await _get(url, "/server/info"))
    inner = said.get("result")
    return _found("moonraker", "Klipper", url) if isinstance(inner, Mapping) and "klippy_state" in inner else None


async def _print_server(url: str) -> Found | None:
    """OctoPrint and PrusaLink both have /api/version; each without a key says so in its own way."""
    answer = await _get(url, "/api/version")
    text, said = answer.body[:2000].decode("utf-8", "replace"), _json(answer)
    if "PrusaLink" in str(said.get("text", "")) or "Printer API" in answer.headers.get("www-authenticate", ""):
        return _found(
            "prusalink", "PrusaLink", url, 'key = ""', hint="The key stands on the printer: Settings, PrusaLink."
        )
    page = "" if "OctoPrint" in text else (await _get(url, "/")).body[:4000].decode("utf-8", "replace")
    if "OctoPrint" in text or "octoprint" in page.lower():
        return _found(
            "octoprint", "OctoPrint", url, 'key = ""', hint="Make a key: OctoPrint, Settings, Application Keys."
        )
    return None


async def _mtconnect(url: str) -> Found | None:
    try:
        items = mtconnect.probe((await _get(url, "/probe")).body)
    except (mtconnect.NotMTConnect, mtconnect.MTConnectRefused):
        return None
    devices = sorted({item.device for item in items if item.device})
    device = [f"device = {json.dumps(devices[0], ensure_ascii=False)}"] if devices else []
    hint = f"Others there: {', '.join(devices[1:])}." if len(devices) > 1 else ""
    return _found("mtconnect", devices[0] if devices else "MTConnect", url, *device, hint=hint)


def _locked(locked: bool) -> str:
    return "It asks for a password." if locked else ""


_LOOKS: tuple[Callable[[str], Awaitable[Found | None]], ...] = (
    _shelly,
    _tasmota,
    _moonraker,
    _print_server,
    _mtconnect,
)
