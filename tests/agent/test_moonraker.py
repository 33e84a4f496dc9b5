"""The adapter of Moonraker against the real Moonraker, with a look-alike of Klipper behind it."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from livingcity_agent import hashing
from livingcity_agent.adapters.base import Command, Name, Refused
from livingcity_agent.adapters.moonraker import Moonraker
from tests.agent.conftest import until
from tests.agent.hearing import at_work
from tests.agent.machines import RealMoonraker, moonraker

CUBE = b"; lc-source=sha256:" + b"5a" * 32 + b"\nG28\n" + b"".join(b"G1 X%d Y10 E%d\n" % (n, n) for n in range(20))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMoonraker]:
    with moonraker(tmp_path_factory.mktemp("moonraker")) as started:
        yield started


def adapter(real: RealMoonraker) -> Moonraker:
    return Moonraker(Name("Voron"), real.url)


def command(kind: str, file: Path | None = None, **body: Any) -> Command:
    return Command("c1", kind, body, dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1), file)  # type: ignore[arg-type]


def test_a_print_is_told_with_the_hashes_of_its_bytes(real: RealMoonraker) -> None:
    with at_work(adapter(real)) as worker:
        until(lambda: worker.sink.readings, what="a first word")
        real.upload("cube.gcode", CUBE, start=True)
        until(lambda: "finished" in worker.sink.events(), what="the end")
        name = worker.sink.jobs[0].job
        file = until(lambda: worker.sink.file(name), what="the hashes")
    assert file == hashing.of_bytes("cube.gcode", CUBE)
    assert file.source_sha256 == "5a" * 32
    assert worker.sink.events() == ["started", "finished"]
    grams = next(e.material_g for e in worker.sink.jobs if e.event == "finished")
    lines = len(CUBE.splitlines())
    assert grams == pytest.approx(lines * 10 * 3.14159265 * 0.875**2 / 1000 * 1.24, abs=0.001)
    assert {r.value for r in worker.sink.readings if r.channel == "state"} >= {"idle", "making"}


def test_commands_send_pause_go_on_and_stop(real: RealMoonraker, tmp_path: Path) -> None:
    long, sent = CUBE * 20, tmp_path / "file"
    sent.write_bytes(long)
    facts = {"name": "long way.gcode", "sha256": hashing.of_bytes("", long).sha256}
    with at_work(adapter(real)) as worker:
        until(lambda: worker.sink.readings, what="a first word")
        does = worker.adapter.carry_out
        said = worker.ask(does(command("send", sent, **facts, start=True)))
        assert said == f"long_way-{facts['sha256'][:8]}.gcode is being printed."
        assert worker.ask(does(command("send", sent, **facts, start=True))) == said  # the same again is nothing
        with pytest.raises(Refused, match="busy"):
            worker.ask(does(command("start", name="other.gcode", sha256="00" * 32)))
        for verb in ("pause", "pause", "resume", "cancel", "cancel"):
            worker.ask(does(command(verb)))
        until(lambda: "cancelled" in worker.sink.events(), what="the end")
        with pytest.raises(Refused, match="Nothing is being printed"):
            worker.ask(does(command("pause")))
        with pytest.raises(Refused, match="send it first"):
            worker.ask(does(command("start", name="never.gcode", sha256="00" * 32)))
    assert worker.sink.events() == ["started", "paused", "cancelled"]
    assert worker.sink.file(worker.sink.jobs[0].job).sha256 == facts["sha256"]


def test_what_happened_while_nobody_listened_is_told_once(real: RealMoonraker) -> None:
    with at_work(adapter(real)) as first:
        until(lambda: first.sink.readings, what="a first word")
        real.upload("away.gcode", CUBE * 3, start=True)
        until(lambda: first.sink.events() == ["started"], what="the start")
    until(lambda: real.printer.stats["state"] == "complete", what="the end of the print")
    with at_work(adapter(real), dict(first.sink.memory)) as second:
        until(second.sink.events, what="the end")
    assert [e.event for e in second.sink.jobs if e.event != "progress"] == ["finished"]
    assert second.sink.jobs[-1].job == first.sink.jobs[0].job
    assert second.sink.memory["job"] is None


def test_check_says_what_is_wrong(real: RealMoonraker) -> None:
    import asyncio

    good = asyncio.run(adapter(real).check())
    assert [f.ok for f in good] == [True] and "0.11" in good[0].sentence
    gone = asyncio.run(Moonraker(Name("x"), "http://127.0.0.1:9").check())
    assert not gone[0].ok and "Connection refused" in gone[0].sentence
