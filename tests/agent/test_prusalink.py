"""The adapter of PrusaLink against a look-alike that answers as PrusaLink's own description says (no real one runs
without a printer): digest, states, a job's file.
"""

import asyncio
import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from livingcity_agent import hashing
from livingcity_agent.adapters.base import AdapterError, Command, Name, Refused
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
    files: dict[str, bytes] = field(default_factory=dict)
    read_only: bool = False
    breaks_off: bool = False
    key: str = ""

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
        shown = next(iter(self.files), "/usb/cube 0.2mm.gcode").rpartition("/")[2]
        file = {"refs": refs, "name": "CUBE~1.GCO", "display_name": shown, "path": "/usb", "size": 81}
        return {"id": self.job, "state": self.state, "progress": self.progress, "file": file}


class Handler(Quiet):
    """PrusaLink's doors, by digest (MD5) as printers have it."""

    here: Printer

    def do_PUT(self) -> None:  # noqa: N802 as the base class has it
        self.upload() if self.path.startswith("/api/v1/files/") else self.steer()

    def do_HEAD(self) -> None:  # noqa: N802 as the base class has it
        if not self.signed_in():
            return self.challenge()
        return self.send(b"", 200 if self.path.removeprefix("/api/v1/files") in self.here.files else 404)

    def do_DELETE(self) -> None:  # noqa: N802 as the base class has it
        self.steer()

    def signed_in(self) -> bool:
        if self.here.key:  # where a key is set that alone lets in
            return self.headers.get("X-Api-Key") == self.here.key
        found = dict(re.findall(r'(\w+)="?([^",]+)', self.headers.get("Authorization", "")))
        if not found:
            return False

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 as printers have it

        secret, what = md5("maker:Printer API:pass"), md5(f"{self.command}:{found.get('uri')}")
        return found.get("response") == md5(f"{secret}:{found.get('nonce')}:{what}") and found["uri"] == self.path

    def challenge(self) -> None:
        self.send({"title": "401"}, 401, WWW_Authenticate='Digest realm="Printer API", nonce="00ff", stale="false"')

    def get(self) -> None:  # noqa: PLR0911 one address after the other
        if not self.signed_in():
            return self.challenge()
        if self.path == "/api/v1/storage":
            card = {"path": "/sdcard", "name": "sdcard", "type": "SDCARD", "read_only": True, "available": True}
            usb = {"path": "/usb/", "name": "usb", "type": "USB", "read_only": self.here.read_only, "available": True}
            return self.send({"storage_list": [card, usb]})
        if self.path.startswith("/api/v1/files/"):
            held = self.here.files.get(self.path.removeprefix("/api/v1/files"))
            return (
                self.send({"title": "404"}, 404) if held is None else self.send({"name": "X~1.GCO", "size": len(held)})
            )
        if self.path == "/api/version":
            return self.send({"api": "2.0.0", "server": "2.1.2", "nozzle_diameter": 0.4, "text": "PrusaLink"})
        if self.path == "/api/v1/status":
            return self.send(self.here.status())
        if self.path == "/api/v1/job":
            return self.send(self.here.facts()) if self.here.job is not None else self.send(b"", 204)
        return self.send(BODY) if self.path == "/usb/CUBE~1.GCO" else self.send(b"", 404)

    def upload(self) -> None:
        if not self.signed_in():  # as printers do: the rest of what is sent is not read
            self.close_connection = True
            return self.challenge()
        name, body = self.path.removeprefix("/api/v1/files"), self.rfile.read(int(self.headers["Content-Length"]))
        self.here.asked.append(f"PUT {name} {self.headers['Print-After-Upload']} {self.headers['Overwrite']}")
        if name in self.here.files and self.headers["Overwrite"] != "?1":
            return self.send({"title": "File already exists"}, 409)
        if self.here.breaks_off:
            self.here.files[name], self.here.breaks_off = body[: len(body) // 2], False
            self.close_connection = True
            return None
        self.here.files[name] = body
        if self.headers["Print-After-Upload"] == "?1":
            self.here.job, self.here.state = 300, "PRINTING"
        return self.send({"name": name}, 201)

    def post(self) -> None:
        if not self.signed_in():
            return self.challenge()
        self.here.asked.append(f"POST {self.path}")
        self.here.job, self.here.state = 301, "PRINTING"
        return self.send(b"", 204)

    def steer(self) -> None:
        if not self.signed_in():
            return self.challenge()
        verb = self.path.rpartition("/")[2]
        self.here.asked.append(f"{self.command} {self.path}")
        self.here.state = {"pause": "PAUSED", "resume": "PRINTING"}.get(verb, "STOPPED")
        return self.send(b"", 204)


def adapter(url: str, password: str = "pass") -> PrusaLink:  # noqa: S107 of the look-alike
    return PrusaLink(Name("MK4"), url, user="maker", password=password, every_s=0.05)


class OldHandler(Quiet):
    """PrusaLink before version 1 of its interface, in the manner of OctoPrint, by the key alone."""

    here: Printer

    def let_in(self) -> bool:
        return self.headers.get("X-Api-Key") == self.here.key

    def get(self) -> None:
        going = self.here.state in {"PRINTING", "PAUSED"}
        flags = {"operational": True, "printing": self.here.state == "PRINTING", "paused": self.here.state == "PAUSED"}
        flags |= {"error": False, "ready": not going, "busy": False, "cancelling": False, "pausing": False}
        status = self.here.status()["printer"]
        heat = {"tool0": {"actual": status["temp_nozzle"], "target": status["target_nozzle"]}}
        file = {"name": "CUBE~1.GCO", "path": "/usb/CUBE~1.GCO", "display": "cube 0.2mm.gcode"}
        job = {"job": {"file": file}, "progress": {"completion": self.here.progress / 100}} if going else {"job": None}
        answers: dict[str, Any] = {
            "/api/version": {"api": "2.0.0", "server": "2.1.2", "text": "PrusaLink MINI"},
            "/api/printer": {"state": {"text": "Printing", "flags": flags}, "temperature": heat},
            "/api/job": {"state": "Printing", **job},
            "/usb/CUBE~1.GCO": BODY,
        }
        found = self.path in answers
        return (
            self.send({}, 401) if not self.let_in() else self.send(answers.get(self.path, b""), 200 if found else 404)
        )

    def post(self) -> None:
        if not self.let_in():
            return self.send({}, 401)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.here.asked.append(f"{asked['command']} {asked.get('action', '')}".strip())
        self.here.state = {"pause pause": "PAUSED", "pause resume": "PRINTING"}.get(self.here.asked[-1], "IDLE")
        return self.send(b"", 204)


def by_key(url: str, key: str = "prusa-key") -> PrusaLink:
    return PrusaLink(Name("MINI"), url, key=key, every_s=0.05)


def do(worker: AtWork, kind: str, body: Any = None, file: Path | None = None) -> str:
    made = Command("c", kind, body or {}, dt.datetime.now(dt.UTC), file)  # type: ignore[arg-type]
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


NAME = "bracket-" + hashlib.sha256(BODY).hexdigest()[:8] + ".gcode"
SENT = {"name": "out/bracket.gcode", "sha256": hashlib.sha256(BODY).hexdigest(), "start": True}


def test_a_file_is_put_on_the_printer_and_printed(tmp_path: Path) -> None:
    printer, file = Printer(), tmp_path / "file"
    file.write_bytes(BODY * 20_000)  # more than a socket swallows, so that a refused body would break the line
    with serving(Handler, printer) as url, at_work(adapter(url)) as worker:
        assert do(worker, "send", {**SENT, "start": False}, file) == f"{NAME} lies on the printer."
        assert printer.files == {f"/usb/{NAME}": BODY * 20_000}
        assert printer.state == "IDLE"
        assert do(worker, "send", SENT, file) == f"{NAME} is being printed."
        assert do(worker, "send", SENT, file) == f"{NAME} is being printed.", "asked twice, done once"
        with pytest.raises(Refused, match=f"busy with {NAME}"):
            do(worker, "send", {**SENT, "name": "other.gcode"}, file)
        printer.state = "FINISHED"
        assert do(worker, "start", SENT) == f"{NAME} is being printed."
        printer.state, printer.files = "IDLE", {}
        with pytest.raises(Refused, match="send it first"):
            do(worker, "start", SENT)
        assert do(worker, "send", SENT, file) == f"{NAME} is being printed."
    path = f"/api/v1/files/usb/{NAME}"
    assert printer.asked == [f"PUT /usb/{NAME} ?0 ?0", f"POST {path}", f"POST {path}", f"PUT /usb/{NAME} ?1 ?0"]


def test_half_a_file_is_never_printed(tmp_path: Path) -> None:
    printer, file = Printer(breaks_off=True), tmp_path / "file"
    file.write_bytes(BODY)
    with serving(Handler, printer) as url, at_work(adapter(url)) as worker:
        with pytest.raises(AdapterError, match="broke off"):
            do(worker, "send", SENT, file)
        assert printer.state == "IDLE"
        assert do(worker, "send", SENT, file) == f"{NAME} is being printed."
    assert printer.files == {f"/usb/{NAME}": BODY}
    assert printer.asked[-1] == f"PUT /usb/{NAME} ?1 ?1"


@pytest.mark.parametrize(
    ("state", "read_only", "words"), [("ATTENTION", False, "not ready"), ("IDLE", True, "USB drive")]
)
def test_a_printer_that_cannot_begin_says_so(tmp_path: Path, state: str, read_only: bool, words: str) -> None:
    printer, file = Printer(state, read_only=read_only), tmp_path / "file"
    file.write_bytes(BODY)
    with serving(Handler, printer) as url, at_work(adapter(url)) as worker, pytest.raises(Refused, match=words):
        do(worker, "send", SENT, file)
    assert (printer.files, printer.asked) == ({}, [])


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


def test_a_key_lets_in_as_well() -> None:
    printer = Printer("PRINTING", 12, 30.0, key="prusa-key")
    with serving(Handler, printer) as url, at_work(by_key(url)) as worker:
        until(lambda: worker.sink.jobs and worker.sink.file(worker.sink.jobs[0].job), what="the hashes")
        assert do(worker, "cancel") == "The print was stopped."
        until(lambda: worker.sink.events()[-1] == "cancelled", what="the end")
        assert asyncio.run(by_key(url).check())[0].ok
        assert "password or key" in asyncio.run(by_key(url, "another").check())[0].sentence


def test_an_older_firmware_is_read_as_the_newer() -> None:
    """Its states, file and progress; what was seen at 99 % has finished, anything less was stopped."""
    printer = Printer(key="prusa-key")
    with serving(OldHandler, printer) as url, at_work(by_key(url)) as worker:
        until(lambda: worker.sink.readings, what="a first word")
        printer.job, printer.state = 1, "PRINTING"
        file = until(lambda: worker.sink.jobs and worker.sink.file(worker.sink.jobs[0].job), what="the hashes")
        assert file == hashing.of_bytes("CUBE~1.GCO", BODY)
        printer.progress = 40.0
        assert do(worker, "pause") == do(worker, "pause") == "The print waits."
        until(lambda: worker.sink.events() == ["started", "paused"], what="the pause")
        assert do(worker, "resume") == "The print goes on."
        printer.progress = 100.0
        until(lambda: worker.sink.recall("percent") == 100, what="the last layer")
        printer.state = "IDLE"
        until(lambda: worker.sink.events() == ["started", "paused", "finished"], what="the end")
        printer.progress, printer.state = 3.0, "PRINTING"
        until(lambda: worker.sink.events()[-1] == "started", what="the same file once more")
        assert do(worker, "cancel") == "The print was stopped."
        until(lambda: worker.sink.events()[-1] == "cancelled", what="its end")
        assert len({e.job for e in worker.sink.jobs}) == 2
        with pytest.raises(Refused, match="too old"):
            do(worker, "send", {**SENT, "start": False})
        assert printer.asked == ["pause pause", "pause resume", "cancel"]
        found = asyncio.run(by_key(url).check())
        assert found[0].ok
        assert "PrusaLink 2.1.2" in found[0].sentence
        assert not asyncio.run(by_key(url, "another").check())[0].ok
