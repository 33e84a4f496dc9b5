"""The agent with a source that counts: `python counting_agent.py --config FILE run`, UNTIL in the environment.

It tells 1, 2, 3 … as an energy counter, and a job for every 50, and remembers how far it is: after any kill it goes
on where its memory ends, so each number must be in the city once.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import ClassVar

from livingcity_agent import adapters, cli, running, sending
from livingcity_agent.adapters.base import Adapter, Finding, JobEvent, JobFile, Name, Reading, Sink
from livingcity_agent.tables import Table

UNTIL = int(os.environ.get("UNTIL", "1000"))


@dataclass
class Counting(Adapter):
    """Counts."""

    kind: ClassVar[str] = "counting"

    @classmethod
    def configure(cls, table: Table, name: Name) -> "Counting":
        return cls(name)

    async def run(self, sink: Sink) -> None:
        n = int(sink.recall("n") or 0)
        while n < UNTIL:
            n += 1
            sink.reading(Reading("energy_wh_total", float(n)))
            job = f"job-{(n - 1) // 50}"
            if n % 50 == 1:
                sink.job(JobEvent("started", job, JobFile(f"{job}.gcode", sha1="ab" * 20)), remember={"n": n})
            elif n % 50 == 0:
                sink.job(JobEvent("finished", job), remember={"n": n})
            else:
                sink.remember({"n": n})
            await asyncio.sleep(0.002)
        await asyncio.Event().wait()

    async def check(self) -> list[Finding]:
        return [Finding(True, "It counts.")]


if __name__ == "__main__":
    sys.modules["livingcity_agent.adapters.counting"] = sys.modules["__main__"]
    adapters.KINDS["counting"] = "counting:Counting"
    running.FLUSH_S = 0.05
    sending.SHORTEST_PAUSE_S = sending.LONGEST_PAUSE_S = 0.05
    sys.exit(cli.main())
