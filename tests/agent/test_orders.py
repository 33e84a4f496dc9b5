"""Commands at the agent: once, in time, only what is allowed, only the file that was meant."""

import asyncio
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from livingcity_agent.adapters.base import Adapter, Command, CommandKind, Finding, Name, Refused, Sink
from livingcity_agent.config import DeviceConfig, Source
from livingcity_agent.journal import Enrolled, Journal
from livingcity_agent.orders import Orders
from livingcity_agent.tables import Table
from tests.agent.adapters.stage import Quiet, serving

BODY = b"G28\n" * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()


@dataclass
class City:
    """A city that gives the file and writes down the answers."""

    answers: list[tuple[str, str, str]] = field(default_factory=list)


class Handler(Quiet):
    here: City

    def get(self) -> None:
        self.send(BODY)

    def post(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.here.answers.append((self.path.split("/")[-2], told["state"], told["sentence"]))
        self.send({"state": told["state"]})


@dataclass
class Printer(Adapter):
    """Writes down what it was asked."""

    kind: ClassVar[str] = "fake"
    commands: ClassVar[frozenset[CommandKind]] = frozenset({"send", "start", "cancel"})
    did: list[tuple[str, bytes]] = field(default_factory=list)

    @classmethod
    def configure(cls, table: Table, name: Name) -> "Printer":
        return cls(name)

    async def run(self, sink: Sink) -> None:
        """Nothing is heard."""

    async def check(self) -> list[Finding]:
        return []

    async def carry_out(self, command: Command) -> str:
        self.did.append((command.kind, command.file.read_bytes() if command.file else b""))
        if command.body.get("break"):
            raise ValueError("a fault of ours")
        if command.body.get("busy"):
            raise Refused("The printer is busy.")
        return "Well."


@dataclass
class Stage:
    city: City
    printer: Printer
    journal: Journal
    url: str

    def asks(self, id: str, kind: str, *, left: float = 60, allowed: tuple[str, ...] = (), **body: Any) -> Any:
        """What the city hears when it asks for this, from an agent that has just started."""
        words = frozenset(allowed or ("send", "start", "cancel"))
        device = DeviceConfig("A", (Source("fake", self.printer),), words)
        orders = Orders(self.journal, Enrolled(1, "A", "dev", self.url, "lcd_x"), device)
        asked = {"id": id, "kind": kind, "body": body, "expires_in_s": left}
        asyncio.run(orders.one(asked, time.monotonic()))
        return self.city.answers[-1]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    city, journal = City(), Journal(tmp_path / "journal.db")
    with serving(Handler, city) as url:
        yield Stage(city, Printer(Name("A")), journal, url)
    journal.close()


FILE = {"path": "/api/v1/device/commands/1/file/", "name": "x.gcode", "sha256": SHA256}


def test_a_file_is_fetched_checked_and_handed_over(stage: Stage) -> None:
    assert stage.asks("1", "send", **FILE) == ("1", "done", "Well.")
    assert stage.printer.did == [("send", BODY)]
    state, sentence = stage.asks("2", "send", **{**FILE, "sha256": "0" * 64})[1:]
    assert state == "refused" and "not the one that was meant" in sentence
    state, sentence = stage.asks("3", "send", **{**FILE, "path": "//elsewhere.example/x"})[1:]
    assert state == "refused" and "not its own" in sentence
    assert len(stage.printer.did) == 1


def test_the_same_command_again_gets_the_same_answer_and_is_done_once(stage: Stage) -> None:
    assert stage.asks("1", "start", name="x") == stage.asks("1", "start", name="x")
    assert stage.asks("2", "start", busy=True)[1:] == ("refused", "The printer is busy.")
    assert stage.asks("2", "start", busy=True)[1:] == ("refused", "The printer is busy.")
    assert [kind for kind, _body in stage.printer.did] == ["start", "start"]


def test_after_a_kill_in_the_middle_a_start_is_not_tried_again_but_a_stop_is(stage: Stage) -> None:
    for id, kind in (("1", "start"), ("2", "cancel")):
        assert stage.journal.command_begun(id, 1, kind) is None
    state, sentence = stage.asks("1", "start", name="x")[1:]
    assert state == "refused" and "look at the machine" in sentence
    assert stage.asks("2", "cancel")[1] == "done"
    assert [kind for kind, _body in stage.printer.did] == ["cancel"]


def test_what_is_late_not_allowed_or_unknown_is_refused(stage: Stage) -> None:
    assert stage.asks("1", "start", left=0)[1:] == ("refused", "It came too late.")
    assert "not allowed to carry out “start”" in stage.asks("2", "start", allowed=("cancel",))[2]
    assert "not allowed to carry out “dance”" in stage.asks("3", "dance")[2]
    assert stage.asks("4", "start", **{"break": True})[1:] == (
        "refused",
        "The agent went wrong at this; its log says how.",
    )
    assert len(stage.printer.did) == 1
