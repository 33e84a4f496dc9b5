"""GRBL: its lines, and the adapter on a pseudo-terminal."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livingcity_agent.adapters import grbl as module
from livingcity_agent.adapters.base import AdapterError, Refused
from livingcity_agent.adapters.grbl import Grbl
from livingcity_agent.parsers import grbl as parse
from tests.agent.adapters.controller import Controller, controller
from tests.agent.adapters.stage import Kept, command, free_port, made, sentences, tried, until


@pytest.mark.parametrize(
    ("line", "state", "sub", "feed", "spindle", "number"),
    [
        # the examples of GRBL 1.1's interface.md
        ("<Idle|MPos:0.000,0.000,0.000|FS:0.0,0>", "idle", None, 0.0, 0.0, None),
        ("<Run|MPos:0.000,0.000,0.000|FS:500,8000|Ln:99999>", "run", None, 500.0, 8000.0, 99_999),
        ("<Hold:0|MPos:0.000,0.000,0.000|F:500>", "hold", 0, 500.0, None, None),
        (
            "<Door:3|WPos:1.0,2.0,3.0|Bf:15,128|FS:0,0|Pn:D|WCO:0.000,1.551,5.664|Ov:100,100,100|A:SFM>",
            "door",
            3,
            0,
            0,
            None,
        ),
        ("<Alarm|MPos:0.000,0.000,0.000|FS:0,0|Pn:XYZ>", "alarm", None, 0.0, 0.0, None),
        ("<Jog|WPos:-1.000,0.000,0.000|FS:1000,0>", "jog", None, 1000.0, 0.0, None),
        # 0.9j, with everything that $10 can turn on
        ("<Idle,MPos:0.000,0.000,0.000,WPos:0.000,0.000,0.000>", "idle", None, None, None, None),
        (
            "<Run,MPos:5.529,0.560,7.000,WPos:1.529,-5.44,-0.0,Buf:9,RX:24,Ln:17,F:635.>",
            "run",
            None,
            635.0,
            None,
            17,
        ),
        ("<Hold,MPos:1.0,2.0,3.0,Lim:000>", "hold", None, None, None, None),
    ],
)
def test_status_reports_of_both_versions(
    line: str, state: str, sub: int | None, feed: float | None, spindle: float | None, number: int | None
) -> None:
    said = parse.status(line)
    assert said is not None
    assert (said.state, said.sub, said.feed_mm_min, said.spindle_rpm, said.line) == (state, sub, feed, spindle, number)


def test_positions_and_files_of_the_card() -> None:
    said = parse.status("<Run,MPos:5.529,0.560,7.000,WPos:1.529,-5.440,-0.000,Buf:9>")
    assert said is not None
    assert said.position_mm == (5.529, 0.56, 7.0)
    played = parse.status("<Run|MPos:1,2,3|FS:1,0|SD:42.50,/sd/bracket.nc>")
    assert played is not None
    assert (played.file_progress, played.file_name, played.word) == (0.425, "/sd/bracket.nc", "making")


@pytest.mark.parametrize("line", ["ok", "[MSG:Pgm End]", "$0=10", "<", "<Idle", "Idle|MPos:0>", "<|>", "<Run>x", ""])
def test_other_lines_are_no_status(line: str) -> None:
    assert parse.status(line) is None


@given(st.text(max_size=60))
def test_noise_on_the_line_is_no_error(noise: str) -> None:
    for line in (noise, f"<{noise}>", f"<Run|{noise}>", f"<Run,{noise}>"):
        parse.status(line)
        parse.answer(line)


def test_what_answers_a_line() -> None:
    said = [
        "ok",
        "error:9",
        "error: Expected command letter",
        "ALARM:1",
        "[MSG:Caution]",
        ">G54G20:ok",
        "<Idle>",
        "$J=X1",
    ]
    assert [parse.answer(line) is not None for line in said] == [True, True, True, False, False, False, False, False]
    assert [parse.is_greeting(line) for line in ("Grbl 1.1h ['$' for help]", "GrblHAL 1.1f", "grbl", "ok")] == [
        True,
        True,
        False,
        False,
    ]
    assert parse.is_alarm("ALARM: Hard/soft limit")


def test_a_file_becomes_a_program() -> None:
    raw = ["%", "O100 (bracket)", "G21 G90 ; mm", "", "(all", "/G0 X9", "g1 x1.5 f300 (cut) y2", "M30"]
    assert list(parse.program(raw)) == ["O100", "G21G90", "g1x1.5f300y2", "M30"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "no G-code in it"),
        (["G1X" + "1" * 80], "GRBL takes 78"),
        (["$130=999"], "changes the controller's settings"),
        (["solid cube"], ""),
        (["12345"], "is no G-code"),
        (["G1X1é"], "is no G-code"),
    ],
)
def test_what_cannot_be_streamed(lines: list[str], why: str) -> None:
    assert (why in parse.unfit(lines)) if why else not parse.unfit(lines)


@given(st.lists(st.text("GXYZ0123456789.", min_size=1, max_size=70), min_size=1, max_size=60), st.data())
def test_the_receive_buffer_never_overflows_and_every_line_is_sent_once(lines: list[str], data: Any) -> None:
    stream = parse.Stream(lines)
    sent, waiting = b"", []
    while not stream.complete:
        due = stream.due()
        sent += due
        waiting += [len(line) + 1 for line in due.decode().split("\n")[:-1]]
        assert sum(waiting) <= 128
        assert waiting
        for _answer in range(data.draw(st.integers(1, len(waiting)))):
            waiting.pop(0)
            stream.take("ok")
    assert sent.decode().split("\n")[:-1] == lines
    assert stream.progress == 1.0


def test_after_an_error_nothing_more_is_sent() -> None:
    stream = parse.Stream(["G21", "G1X1", "G5X2"] + ["G1X1"] * 90)
    stream.due()
    for said in ("ok", "ok", "error:20"):
        stream.take(said)
    assert stream.due() == b""
    assert stream.error == "line 3 (G5X2) was answered by error:20"
    assert not stream.complete


# --- the adapter


def _cut(folder: Path, lines: list[str]) -> tuple[Path, str]:
    file = folder / "part.nc"
    file.write_text("\n".join(lines) + "\n")
    return file, hashlib.sha256(file.read_bytes()).hexdigest()


def _grbl(here: Controller, more: str = "") -> Grbl:
    return made(Grbl, f'port = "{here.path}"\nevery_s = 0.2\nfor_s = 0.1\nidle_for_s = 0.5\n{more}')


async def _beside(adapter: Grbl, sink: Kept, do: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.create_task(adapter.run(sink))
    try:
        async with asyncio.timeout(20):
            await _when(lambda: "state" in {r.channel for r in sink.readings}, task)
            await do()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _when(happens: Callable[[], object], task: "asyncio.Task[None] | None" = None) -> None:
    while not happens():
        if task and task.done():
            task.result()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("version", ["0.9j", "1.1h"])
def test_a_file_is_streamed_and_told_as_a_job(tmp_path: Path, version: str) -> None:
    lines = ["G21 (mm)", "G90", "G10 L2 P1 X0", *[f"G1 X{n}.123456 Y{n}.654321 F300" for n in range(60)], "M5", "M2"]
    file, sha256 = _cut(tmp_path, lines)
    body = {"name": "part.nc", "sha256": sha256, "start": True}
    sink = Kept()
    with controller(version=version) as here:
        adapter = _grbl(here)

        async def do() -> None:
            said = await adapter.carry_out(command("send", body=body, file=file))
            assert said == "Plug 1 makes part.nc."
            assert "already" in await adapter.carry_out(command("start", body=body))
            await _when(lambda: sink.events[-1:] == ["finished"])

        asyncio.run(_beside(adapter, sink, do))
        assert here.lines == list(parse.program(lines)), "each line once, in order"
        assert 0 < here.fullest <= 128
    assert sink.events == ["started", "finished"]
    told = sink.jobs[0].file
    assert told is not None
    assert (told.name, told.sha256) == ("part.nc", sha256)
    assert told.blob == hashlib.sha1(b"blob %d\0" % file.stat().st_size + file.read_bytes()).hexdigest()  # noqa: S324
    assert sink.jobs[0].job == sink.jobs[1].job
    assert sink.values("state") == ["idle", "making", "idle"]
    assert sink.memory == {}


def test_pause_resume_cancel(tmp_path: Path) -> None:
    file, sha256 = _cut(tmp_path, [f"G1 X{n} F300" for n in range(400)])
    body = {"name": "part.nc", "sha256": sha256, "start": True}
    sink = Kept()
    with controller(block_s=0.05) as here:
        adapter = _grbl(here)

        async def do() -> None:
            with pytest.raises(Refused, match="nothing to resume"):
                await adapter.carry_out(command("resume", body={}))
            await adapter.carry_out(command("send", body=body, file=file))
            await adapter.carry_out(command("pause", body={}))
            await _when(lambda: "paused" in sink.events)
            await adapter.carry_out(command("resume", body={}))
            await _when(lambda: "progress" in sink.events)
            assert "has stopped" in await adapter.carry_out(command("cancel", body={}))
            await _when(lambda: "\x18" in here.realtime)
            assert "was not at work" in await adapter.carry_out(command("cancel", body={}))

        asyncio.run(_beside(adapter, sink, do))
        assert here.realtime.index("!") < here.realtime.index("\x18"), "it holds before it is reset"
        assert len(here.lines) < 400
    assert sink.events == ["started", "paused", "progress", "cancelled"]


def test_an_error_stops_the_machine_and_the_job(tmp_path: Path) -> None:
    file, sha256 = _cut(tmp_path, ["G21", "G1 X1 F300", "G5 X2", *["G1 X3"] * 200])
    sink = Kept()
    with controller(bad="G5") as here:
        adapter = _grbl(here)

        async def do() -> None:
            body = {"name": "part.nc", "sha256": sha256, "start": True}
            await adapter.carry_out(command("send", body=body, file=file))
            await _when(lambda: "failed" in sink.events and "\x18" in here.realtime)

        asyncio.run(_beside(adapter, sink, do))
        assert len(here.lines) < 60, "what was on its way arrived, the rest was not sent"
    assert sink.events == ["started", "failed"]


def test_a_reset_at_the_machine_fails_the_job(tmp_path: Path) -> None:
    file, sha256 = _cut(tmp_path, ["G1 X1 F300"] * 400)
    sink = Kept()
    with controller(block_s=0.05) as here:
        adapter = _grbl(here)

        async def do() -> None:
            body = {"name": "part.nc", "sha256": sha256, "start": True}
            await adapter.carry_out(command("send", body=body, file=file))
            here.greet()
            await _when(lambda: "failed" in sink.events)

        asyncio.run(_beside(adapter, sink, do))
    assert sink.events == ["started", "failed"]


def test_an_agent_that_was_killed_in_the_middle_tells_that_the_job_failed() -> None:
    sink = Kept(memory={"job": {"job": "part.nc@x", "file": "part.nc", "paused": False}, "ours": True})
    with controller() as here:
        until(_grbl(here), sink, lambda kept: bool(kept.jobs) and bool(kept.readings))
    assert [(job.event, job.job) for job in sink.jobs] == [("failed", "part.nc@x")]


def test_a_file_that_was_changed_on_disk_is_not_started(tmp_path: Path) -> None:
    file, sha256 = _cut(tmp_path, ["G1 X1"])
    folder, sink = tmp_path / "kept", Kept()
    with controller() as here:
        adapter = _grbl(here, f'folder = "{folder}"')

        async def do() -> None:
            await adapter.carry_out(command("send", body={"name": "a", "sha256": sha256}, file=file))
            (folder / f"{sha256}.nc").write_text("G1 X999\n")
            with pytest.raises(Refused, match="is not the file that was meant"):
                await adapter.carry_out(command("start", body={"name": "a", "sha256": sha256}))

        asyncio.run(_beside(adapter, sink, do))
        assert here.lines == []


def test_only_the_newest_files_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    folder = tmp_path / "kept"
    with controller() as here:
        adapter = _grbl(here, f'folder = "{folder}"')

        async def do() -> None:
            for n in range(4):
                file, sha256 = _cut(tmp_path, [f"G1 X{n}"])
                await adapter.carry_out(command("send", body={"name": "a", "sha256": sha256}, file=file))
                os.utime(folder / f"{sha256}.nc", (n, n))

        asyncio.run(_beside(adapter, Kept(), do))
    assert len(list(folder.iterdir())) == 2


def test_what_is_not_started(tmp_path: Path) -> None:
    file, sha256 = _cut(tmp_path, ["G1 X1"])
    bad, bad_sha = tmp_path / "bad.nc", "0" * 64
    bad.write_text("$130=5\n")
    sink = Kept()
    with controller(state="Alarm") as here:
        adapter = _grbl(here)

        async def do() -> None:
            with pytest.raises(Refused, match="does not have that file"):
                await adapter.carry_out(command("start", body={"name": "a", "sha256": sha256}))
            with pytest.raises(Refused, match="does not name its file"):
                await adapter.carry_out(command("start", body={"name": "a", "sha256": "../../etc/passwd"}))
            with pytest.raises(Refused, match="changes the controller's settings"):
                await adapter.carry_out(command("send", body={"name": "bad.nc", "sha256": bad_sha}, file=bad))
            await adapter.carry_out(command("send", body={"name": "a", "sha256": sha256}, file=file))
            with pytest.raises(Refused, match=r"is alarm\. It must stand still"):
                await adapter.carry_out(command("start", body={"name": "a", "sha256": sha256}))
            with pytest.raises(Refused, match="came too late"):
                await adapter.carry_out(command("start", body={"name": "a", "sha256": sha256}, late_s=-1))

        asyncio.run(_beside(adapter, sink, do))
        assert here.lines == []
    assert sink.values("state") == ["error"]


def test_a_job_from_the_controllers_own_card() -> None:
    sink = Kept()
    with controller(state="Idle") as here:
        adapter = _grbl(here)

        async def do() -> None:
            here.extra = "|SD:10.0,/sd/bracket.nc"
            here.block_s, here.state = 1.5, "Run"
            await _when(lambda: sink.events[-1:] == ["finished"])

        asyncio.run(_beside(adapter, sink, do))
    assert sink.events == ["started", "finished"]
    assert sink.jobs[0].file is not None
    assert sink.jobs[0].file.name == "bracket.nc"


def test_a_sender_goes_through_the_shared_door() -> None:
    sink, port = Kept(), free_port()
    with controller() as here:
        adapter = _grbl(here, f'share = "127.0.0.1:{port}"')

        async def do() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            second, other = await asyncio.open_connection("127.0.0.1", port)
            assert b"in use" in await second.readline()
            other.close()
            oks = 0
            for n in range(40):
                writer.write(f"G1X{n}\n".encode())
                while (await reader.readline()).strip() != b"ok":
                    pass
                oks += 1
            await _when(lambda: sink.events[-1:] == ["finished"])
            writer.close()
            assert oks == 40

        asyncio.run(_beside(adapter, sink, do))
        assert here.lines == [f"G1X{n}" for n in range(40)]
    assert sink.events == ["started", "finished"]


def test_a_machine_that_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENT_S", 1.0)
    sink = Kept()
    with controller() as here:
        adapter = _grbl(here)

        async def do() -> None:
            with pytest.raises(AdapterError, match="does not answer any more"):
                here.silent = True
                await _when(lambda: False, next(t for t in asyncio.all_tasks() if "Grbl.run" in repr(t.get_coro())))

        asyncio.run(_beside(adapter, sink, do))
    with pytest.raises(AdapterError, match="There is no port"):
        until(made(Grbl, 'port = "/dev/ttyNOT"'), sink, lambda _kept: False)


# --- what a beginner gets wrong


def test_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GREET_S", 0.6)
    with controller() as here:
        assert sentences(_grbl(here)) == (True, f"GRBL on {here.path} answers; it is idle.")
    with controller(state="Alarm") as here:
        assert "It is locked" in sentences(_grbl(here))[1]
    with controller(silent=True) as here:
        well, said = sentences(_grbl(here))
        assert not well
    with controller() as here:
        here.status = lambda: "echo:Unknown command"  # type: ignore[method-assign]
        assert "use OctoPrint" in sentences(_grbl(here))[1]
    with controller() as here:
        here.status = lambda: "\x80\x07f"  # type: ignore[method-assign]
        assert "right “baud”" in sentences(_grbl(here))[1]
    well, said = sentences(made(Grbl, 'port = "/dev/ttyNOT"'))
    assert not well
    assert "There is no port /dev/ttyNOT" in said
    assert "is no serial port" in sentences(made(Grbl, 'port = "/dev/null"'))[1]
    assert any("“baud” must be a speed" in f for f in tried(Grbl, 'port = "p"\nbaud = 12345')[1])
    assert any("127.0.0.1:2300" in f for f in tried(Grbl, 'port = "p"\nshare = "2300"')[1])


def test_a_port_has_one_owner() -> None:
    sink = Kept()
    with controller() as here:
        adapter, other = _grbl(here), _grbl(here)

        async def do() -> None:
            found = await other.check()
            assert "Another program has the port" in found[0].sentence
            assert (await adapter.check())[0].ok

        asyncio.run(_beside(adapter, sink, do))
