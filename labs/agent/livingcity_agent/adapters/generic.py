"""What the two adapters for machines of any make have in common: described values, and jobs from state or power."""

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any

from livingcity_agent.adapters.base import JobFile, Reading, Sink
from livingcity_agent.adapters.making import Making
from livingcity_agent.parsers.by_power import ByPower, Threshold
from livingcity_agent.tables import Table

log = logging.getLogger("livingcity_agent")


@dataclass(frozen=True, slots=True)
class Jobs:
    """How jobs are known: by the channel `state` (`jobs_from_state`), or by power (the table `jobs`), or not at all."""

    by_state: bool = False
    threshold: Threshold | None = None

    @classmethod
    def configure(cls, table: Table, channels: set[str]) -> "Jobs":
        """From the keys `jobs_from_state` and `jobs`; faults where the channel that they need is not there."""
        made = cls(table.flag("jobs_from_state"), Threshold.configure(table))
        if made.by_state and "state" not in channels:
            table.fault("jobs_from_state", "needs a value with the channel “state”.")
        if made.threshold and "power_w" not in channels:
            table.fault("jobs", "needs a value with the channel “power_w”.")
        if made.by_state and made.threshold:
            table.fault("jobs", "and “jobs_from_state” cannot both be there.")
        return made

    def teller(self, sink: Sink) -> "Teller":
        """What tells readings to a sink, and jobs where they are known."""
        return Teller(sink, self)


class Teller:
    """Tells readings, and the jobs that follow from them. `program`: the file that runs, where the machine names it."""

    def __init__(self, sink: Sink, jobs: Jobs) -> None:
        self._sink, self._jobs = sink, jobs
        self.program = ""
        self._missed: set[str] = set()
        self._making = Making(sink) if jobs.by_state or jobs.threshold else None
        self._power = ByPower(jobs.threshold, bool(self._making and self._making.running)) if jobs.threshold else None

    def reading(self, reading: Reading) -> None:
        """Keep a reading; where jobs follow from its channel, those too."""
        at = reading.at or dt.datetime.now(dt.UTC)
        if self._making and self._jobs.by_state and reading.channel == "state":
            self._making.see(str(reading.value), at, file=JobFile(self.program[:200]) if self.program else None)
            return
        self._sink.reading(reading)
        if self._making and self._power and reading.channel == "power_w":
            state, since = self._power.feed(float(reading.value), at)
            self._making.see(state, since)

    def missed(self, sentence: str) -> None:
        """A value was not as described: said once, and the others go on."""
        if sentence not in self._missed and len(self._missed) < 100:
            self._missed.add(sentence)
            log.warning("%s --check says more.", sentence)

    def job(self, *_args: Any, **_named: Any) -> None:
        """Not used: jobs follow from readings here."""

    def remember(self, facts: Any) -> None:
        """The sink's memory."""
        self._sink.remember(facts)

    def recall(self, name: str) -> Any:
        """The sink's memory."""
        return self._sink.recall(name)
