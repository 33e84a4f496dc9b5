"""A machine of a lab, and the agent as a process beside it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from labs.models import Machine
from tests.conftest import ROOT, LiveCity
from tests.labs.conftest import lab, machine

AGENT = ROOT / "labs" / "agent"


def until(happens: Callable[[], Any], *, seconds: float = 60.0, what: str = "it") -> Any:
    """What `happens` answers once that is something."""
    end = time.monotonic() + seconds
    while not (found := happens()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.05)
    return found


@dataclass
class Process:
    """The agent's program with one configuration."""

    folder: Path
    script: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    child: "subprocess.Popen[str] | None" = None
    lines: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "livingcity-agent.toml"

    def argv(self, *words: str) -> list[str]:
        program = [str(self.script)] if self.script else ["-m", "livingcity_agent"]
        return [sys.executable, *program, "--config", str(self.config), *words]

    def env(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(AGENT), **self.environment}

    def does(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run one of its verbs to the end."""
        return subprocess.run(
            self.argv(*words), env=self.env(), cwd=self.folder, capture_output=True, text=True, check=False, timeout=60
        )

    def start(self) -> None:
        self.child = subprocess.Popen(
            self.argv("run"), env=self.env(), cwd=self.folder, stderr=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._read, args=(self.child,), daemon=True).start()

    def _read(self, child: "subprocess.Popen[str]") -> None:
        assert child.stderr is not None
        for line in child.stderr:
            self.lines.append(line.rstrip())

    def kill(self, number: int = signal.SIGKILL) -> int:
        assert self.child is not None
        self.child.send_signal(number)
        return self.child.wait(20)

    def stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.kill(signal.SIGTERM)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Process]:
    """The agent's program in a folder of its own; stopped in the end."""
    process = Process(tmp_path)
    yield process
    process.stop()
    print("\n".join(process.lines[-40:]))  # noqa: T201 seen when the test fails


@pytest.fixture
def city_port(live_city: LiveCity) -> int:
    return int(live_city.url.rpartition(":")[2])


@pytest.fixture
def printer(transactional_db: None) -> Machine:
    return machine(lab())
