"""Celery's beat, which says that it ticks: a clock that stands is seen by who watches over the city."""

import contextlib
import socket
import time
from typing import Any

import redis
from celery.beat import Scheduler

EVERY_S, FADES_AFTER_S = 5, 300


class Clock(Scheduler):
    """The schedule stands in code and everything is rung once at the start, so there is no file to remember by."""

    max_interval = EVERY_S

    def tick(self, *arguments: Any, **named: Any) -> float:
        """Ring what is due; how long until it should be asked again."""
        from commons.runs.signals import valkey  # noqa: PLC0415 settings must be loaded first

        with contextlib.suppress(redis.RedisError):  # the ringing below says so
            valkey().set(f"clock:{socket.gethostname()}", time.time(), ex=FADES_AFTER_S)
        return min(float(super().tick(*arguments, **named)), EVERY_S)
