"""The adapter of PrusaLink against a look-alike that answers as PrusaLink's own description says (no real one runs
without a printer): digest, states, a job's file.
"""

import asyncio
import datetime as dt
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from livingcity_agent import hashing
from livingcity_agent.adapters.base import Command, Name, Refused
from livingcity_agent.adapters.prusalink import PrusaLink
from tests.agent.adapters.stage import Quiet, serving
from tests.agent.conftest import until
from tests.agent.hearing import AtWork, at_work

BODY = b"; lc-source=sha256:" + b"77" * 32 + b"\nG28\n"


@dataclass
class Printer:
    """What the look-alike shows."""

    state: str = "IDLE"
    job: int | None = None
    progress: float = 0.0
    asked: list[str] = field(default_factory=list)

    def status(self) -> dict[str, Any]:
        hot = self.state == "PRINTING" and self.progress < 1
        printer = {
            "state": self.state, "temp_bed": 59.8, "target_bed": 60.0, "temp_nozzle": 25.0 if hot else 214.9,
            "target_nozzle": 215.0, "axis_z": 0.2, "flow": 100, "speed": 100, "fan_hotend": 0, "fan_print": 5099,
        }  # fmt: skip
        said: dict[str, Any] = {"storage": {"path": "/usb/", "name": "usb", "read_only": False}, "printer": printer}
        if self.job is not None:
            said["job"] = {"id": self.job, "progress": self.progress, "time_remaining": 520, "time_printing": 26}
        return said

    def facts(self) -> dict[str, Any]:
        refs = {"icon": "/thumb/s/usb/CUBE~1.BGC", "download": "/usb/CUBE~1.GCO"}
        file = {"refs": refs, "name": "CUBE~1.GCO", "display_name": "cube 0.2mm.gcode", "path": "/usb", "size": 81}
        return {"id": self.job, "state": self.state, "progress": self.progress, "file": file}


class Handler(Quiet):
    """PrusaLink's doors, by digest (MD5) as printers have it."""

    here: Printer

    def do_PUT(self) -> None:  # noqa: N802 as the base class has it
        self.steer()

    def do_DELETE(self) -> None:  # noqa: N802 as the base class has it
        self.steer()

    def signed_in(self) -> bool:
        found = dict(re.findall(r'(\w+)="?([^",]+)', self.headers.get("Authorization", "")))
        if not found:
            return False

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 as printers have it

        secret, what = md5("maker:Printer API:pass"), md5(f"{self.command}:{found.get('uri')}")
        return found.get("response") == md5(f"{secret}:{found.get('nonce')}:{what}") and found["uri"] == self.path

    def get(self) -> None:
        if not self.signed_in():
            challenge = 'Digest realm="Printer API", nonce="00ff", stale="false"'
            return self.send({"title": "401"}, 401, WWW_Authenticate=challenge)
        if self.path == "/api/version":
            return self.send({"api": "2.0.0", "server": "2.1.2", "nozzle_diameter": 0.4, "text": "PrusaLink"})
        if self.path == "/api/v1/status":
            return self.send(self.here.status())
        if self.path == "/api/v1/job":
            return self.send(self.here.facts()) if self.here.job is not None else self.send(b"", 204)
        return self.send(BODY) if self.path == "/usb/CUBE~1.GCO" else self.send(b"", 404)

    def steer(self) -> None:
        if not self.signed_in():
            return self.send({"title": "401"}, 401, WWW_Authenticate='Digest realm="Printer API", nonce="00ff"')
        verb = self.path.rpartition("/")[2]
        self.here.asked.append(f"{self.command} {self.path}")
        self.here.state = {"pause": "PAUSED", "resume": "PRINTING"}.get(verb, "STOPPED")
        return self.send(b"", 204)


def adapter(url: str, password: str = "pass") -> PrusaLink:  # noqa: S107 of the look-alike
    return PrusaLink(Name("MK4"), url, user="maker", password=password, every_s=0.05)


def do(worker: AtWork, kind: str) -> str:
    made = Command("c", kind, {}, dt.datetime.now(dt.UTC))  # type: ignore[arg-type]
    return str(worker.ask(worker.adapter.carry_out(made)))


def test_a_print_is_told_paused_and_ended() -> None:
    printer = Printer()
    with serving(Handler, printer) as url, at_work(adapter(url)) as worker:
        until(lambda: worker.sink.readings, what="a first word")
        printer.job, printer.state = 297, "PRINTING"
        file = until(lambda: worker.sink.jobs and worker.sink.file(worker.sink.jobs[0].job), what="the hashes")
        assert file == hashing.of_bytes("CUBE~1.GCO", BODY) and file.source_sha256 == "77" * 32
        until(lambda: "warming" in [r.value for r in worker.sink.readings], what="warming")
        printer.progress = 42.0
        assert do(worker, "pause") == do(worker, "pause") == "The print waits."
        until(lambda: worker.sink.events() == ["started", "paused"], what="the pause")
        assert do(worker, "resume") == "The print goes on."
        until(lambda: [e for e in worker.sink.jobs if e.progress == 0.42 and e.event == "progress"], what="going on")
        printer.state = "FINISHED"
        until(lambda: worker.sink.events() == ["started", "paused", "finished"], what="the end")
        printer.job, printer.state = 298, "PRINTING"
        until(lambda: worker.sink.events()[-1] == "started", what="the next")
        assert do(worker, "cancel") == "The print was stopped."
        until(lambda: worker.sink.events()[-1] == "cancelled", what="its end")
        assert do(worker, "cancel") == "Nothing was being printed."
        with pytest.raises(Refused, match="Nothing is being printed"):
            do(worker, "pause")
    assert printer.asked == ["PUT /api/v1/job/297/pause", "PUT /api/v1/job/297/resume", "DELETE /api/v1/job/298"]
    assert len({e.job for e in worker.sink.jobs}) == 2


def test_a_restart_in_the_middle_tells_no_second_start() -> None:
    printer = Printer("PRINTING", 12, 30.0)
    with serving(Handler, printer) as url:
        with at_work(adapter(url)) as first:
            until(lambda: first.sink.jobs and first.sink.file(first.sink.jobs[0].job), what="the start")
        with at_work(adapter(url), dict(first.sink.memory)) as second:
            until(lambda: second.sink.readings, what="a first word")
            printer.state = "STOPPED"
            until(second.sink.events, what="the end")
    assert second.sink.events() == ["cancelled"]
    assert second.sink.jobs[-1].job == first.sink.jobs[0].job


def test_check_says_what_is_wrong() -> None:
    with serving(Handler, Printer()) as url:
        good = asyncio.run(adapter(url).check())
        bad = asyncio.run(adapter(url, "wrong").check())
    assert good[0].ok and "IDLE" in good[0].sentence
    assert not bad[0].ok and "does not accept the password" in bad[0].sentence
    gone = asyncio.run(adapter("http://127.0.0.1:9").check())
    assert not gone[0].ok and "Is the printer on" in gone[0].sentence
