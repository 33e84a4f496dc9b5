"""What stands at addresses, found on look-alikes; and what is left alone."""

import asyncio
import tomllib

import pytest

from livingcity_agent import discovering
from livingcity_agent.adapters.base import AdapterError
from livingcity_agent.cli import main
from livingcity_agent.discovering import Place, places
from tests.agent.adapters.mill import Agent, Mill
from tests.agent.adapters.plugs import Plug, Shelly1, Shelly2, Tasmota
from tests.agent.adapters.stage import Quiet, free_port, serving


class Answering(Quiet):
    """Paths and what they answer."""

    def get(self) -> None:
        status, body = self.here.get(self.path, (404, b"Not Found"))
        self.send(body, status)


KLIPPER = {"/server/info": (200, {"result": {"klippy_connected": True, "klippy_state": "ready"}})}
OCTOPRINT = {"/api/version": (403, b"..."), "/": (200, b"<html><title>OctoPrint Login</title></html>")}
PRUSALINK = {"/api/version": (200, {"api": "2.0.0", "server": "2.1.2", "text": "PrusaLink"})}


def _seen(handler: type[Quiet], here: object) -> tuple[dict[str, object], str]:
    """The source that is found, and the whole text."""
    with serving(handler, here) as address:
        found = asyncio.run(discovering.discover([address.removeprefix("http://")]))
    (thing,) = found
    (device,) = tomllib.loads(thing.toml)["device"]
    (source,) = device["source"]
    assert source.pop("url") == address
    return source, thing.toml


@pytest.mark.parametrize(
    ("handler", "here", "wanted", "says"),
    [
        (Shelly1, Plug(), {"type": "shelly"}, "Shelly SHPLG-S"),
        (Shelly1, Plug(password="x"), {"type": "shelly", "password": ""}, "asks for a password"),
        (Shelly2, Plug(), {"type": "shelly"}, "Shelly SNPL-00112EU"),
        (Tasmota, Plug(), {"type": "tasmota"}, "Tasmota"),
        (Tasmota, Plug(password="x"), {"type": "tasmota", "password": ""}, "asks for a password"),
        (Agent, Mill(), {"type": "mtconnect", "device": "Mill-1"}, "Mill-1"),
        (Agent, Mill(devices=("A", "B")), {"type": "mtconnect", "device": "A"}, "Others there: B"),
        (Answering, KLIPPER, {"type": "moonraker"}, "Klipper"),
        (Answering, OCTOPRINT, {"type": "octoprint", "key": ""}, "Application Keys"),
        (Answering, PRUSALINK, {"type": "prusalink", "key": ""}, "PrusaLink"),
    ],
)
def test_what_is_found(handler: type[Quiet], here: object, wanted: dict[str, str], says: str) -> None:
    source, text = _seen(handler, here)
    assert source == wanted
    assert says in text


def test_what_is_not_known_is_left_out() -> None:
    with serving(Answering, {"/": (200, b"<html>a router</html>")}) as address:
        assert asyncio.run(discovering.discover([address.removeprefix("http://")])) == []
    assert asyncio.run(discovering.discover([f"127.0.0.1:{free_port()}"])) == []


def test_addresses() -> None:
    assert places(["192.168.1.20", "192.168.1.20", "192.168.1.5:8080"]) == [
        Place("192.168.1.20"),
        Place("192.168.1.5", 8080),
    ]
    assert len(places(["192.168.1.0/24"])) == 254


@pytest.mark.parametrize("word", ["8.8.8.8", "10.0.0.0/8", "example.org", "192.168.1.5:99999", "192.168.1.300"])
def test_addresses_that_are_left_alone(word: str) -> None:
    with pytest.raises(AdapterError):
        places([word])


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Shelly2, Plug()) as address:
        assert main(["discover", address.removeprefix("http://")]) == 0
    said = capsys.readouterr()
    assert tomllib.loads(said.out)["device"][0]["source"][0]["type"] == "shelly"
    assert "1 found" in said.err
    assert main(["discover", "8.8.8.8"]) == 1
    assert "not in a private network" in capsys.readouterr().err
