"""Celery's beat, which says that it ticks: a clock that stands is seen by who watches over the city.

What was rung when is kept in Valkey, so that a clock that was killed does not ring everything at once on its return,
with the sweep that looks for lost work behind it. A Valkey that has forgotten costs one round of everything.
"""

import contextlib
import datetime as dt
import socket
import time
from typing import Any

import redis
from celery.beat import ScheduleEntry, Scheduler

EVERY_S, FADES_AFTER_S = 5, 300
RUNG = "clock:rung"


class Clock(Scheduler):
    """The schedule stands in code, and what was never rung is rung at the start."""

    max_interval = EVERY_S

    def setup_schedule(self) -> None:
        """Take the schedule of the code, and go on where the clock before us was killed."""
        super().setup_schedule()
        with contextlib.suppress(redis.RedisError):
            rung = _valkey().hgetall(RUNG)
            for name, entry in self.schedule.items():
                if at := rung.get(name.encode()):
                    entry.last_run_at = dt.datetime.fromtimestamp(float(at), dt.UTC)

    def tick(self, *arguments: Any, **named: Any) -> float:
        """Ring what is due; how long until it should be asked again."""
        with contextlib.suppress(redis.RedisError):  # the ringing below says so
            _valkey().set(f"clock:{socket.gethostname()}", time.time(), ex=FADES_AFTER_S)
        self.forget_the_future()
        return min(float(super().tick(*arguments, **named)), EVERY_S)

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Ring, and note when."""
        super().apply_entry(entry, producer=producer)
        with contextlib.suppress(redis.RedisError):
            _valkey().hset(RUNG, entry.name, str(time.time()))

    def forget_the_future(self) -> None:
        """The machine's clock was set back: what was rung “later” would not be rung until then, so it was rung now."""
        ahead = [one for one in self.schedule.values() if one.last_run_at and one.last_run_at > one.default_now()]
        for entry in ahead:
            entry.last_run_at = entry.default_now()
        if ahead:
            self._heap = None


def _valkey() -> Any:
    from commons.runs.signals import valkey  # noqa: PLC0415 settings must be loaded first

    return valkey()
