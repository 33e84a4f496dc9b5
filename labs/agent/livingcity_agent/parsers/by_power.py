"""What a machine does, from its power alone: for machines that say nothing else, such as many laser cutters."""

import datetime as dt
from dataclasses import dataclass

from livingcity_agent.tables import Table


@dataclass(frozen=True, slots=True)
class Threshold:
    """Above `above_w` for `for_s` seconds it is making; no more above it for `idle_for_s`, it is idle. A tool that
    pauses between cuts for less than that goes on with the same job.
    """

    above_w: float
    for_s: float = 5.0
    idle_for_s: float = 120.0

    @classmethod
    def configure(cls, table: Table) -> "Threshold | None":
        """From the table `jobs` of an adapter's table; None where there is none."""
        if "jobs" not in table.values:
            table.table("jobs")
            return None
        inner = table.table("jobs")
        made = cls(
            inner.number("above_w", least=0.1, most=1e6),
            inner.number("for_s", 5.0, most=600.0),
            inner.number("idle_for_s", 120.0, least=1.0, most=7200.0),
        )
        inner.done()
        return made


@dataclass
class ByPower:
    """Follows the power of one machine. `making`: what it did when it was last heard of."""

    threshold: Threshold
    making: bool = False
    _since: dt.datetime | None = None

    def feed(self, power_w: float, at: dt.datetime) -> tuple[str, dt.datetime]:
        """What it does, `making` or `idle`, and since when: the moment at which the power rose or fell, which is
        earlier than that at which it was sure. Readings come in the order of their times.
        """
        above = power_w > self.threshold.above_w
        if above == self.making:
            self._since = None
            return self._word, at
        if self._since is None:
            self._since = at
        wait_s = self.threshold.for_s if above else self.threshold.idle_for_s
        if (at - self._since).total_seconds() < wait_s:
            return self._word, at
        since, self._since, self.making = self._since, None, above
        return self._word, since

    @property
    def _word(self) -> str:
        return "making" if self.making else "idle"
