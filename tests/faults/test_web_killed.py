"""One of the web processes is killed: the others go on answering, and another takes its place."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.ground.test_services import family

from .serving import answers, site

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.drill]
PATIENCE_S = 120.0


def test_pages_come_while_one_web_process_is_away(city_environment: dict[str, str], tmp_path: Path) -> None:
    with site(city_environment, tmp_path / "web.log", workers=2) as served:

        def processes(mark: str) -> set[int]:
            return {pid for pid, line in family(served.process.pid).items() if mark in line}

        until = time.monotonic() + PATIENCE_S
        while not (processes("worker-1") and processes("worker-2")):
            assert time.monotonic() < until
            time.sleep(0.1)
        former = processes("worker-1")
        for pid in former:
            os.kill(pid, signal.SIGKILL)
        heard: list[bool] = []
        while len(heard) < 30 or not processes("worker-1") - former:
            assert time.monotonic() < until, (tmp_path / "web.log").read_text()[-2000:]
            heard.append(answers(served.url))
            time.sleep(0.05)
    log = (tmp_path / "web.log").read_text()[-2000:]
    assert heard.count(False) <= 1, f"only who was being answered by it hears nothing: {heard} {log}"
