"""Which workers live: each one's main process writes a key in Valkey that fades unless it is written again.

The key is written by the worker's own heart, not by a task, so a worker that is busy for an hour still counts.
"""

import json
import time
from collections.abc import Sequence
from typing import Any

import redis
from django.conf import settings

from commons.runs.signals import valkey
from commons.sockets import Health

PREFIX = "worker:"
FADES_AFTER_S = 30


def beat(hostname: str, queues: Sequence[str] = ()) -> None:
    """Say that this worker lives and which queues it takes; a Valkey that is away costs only this beat."""
    try:
        said = json.dumps({"at": time.time(), "queues": sorted(queues)})
        valkey().set(f"{PREFIX}{hostname}", said, ex=FADES_AFTER_S)
    except redis.RedisError:
        return


def forget(hostname: str) -> None:
    """Say that this worker has left."""
    try:
        valkey().delete(f"{PREFIX}{hostname}")
    except redis.RedisError:
        return


def _said() -> dict[str, dict[str, Any]]:
    """What each living worker said last, by its name."""
    found: dict[str, dict[str, Any]] = {}
    for key in valkey().scan_iter(match=f"{PREFIX}*", count=100):
        beaten: Any = valkey().get(key)
        if beaten:
            found[key.decode().removeprefix(PREFIX)] = json.loads(beaten)
    return found


def alive() -> dict[str, float]:
    """Seconds since the last beat of each living worker, by its name; raises RedisError when Valkey is away."""
    return {name: round(time.time() - float(said["at"]), 1) for name, said in _said().items()}


def queues() -> dict[str, list[str]]:
    """The queues that each living worker takes, by its name; raises RedisError when Valkey is away."""
    return {name: list(said.get("queues", ())) for name, said in _said().items()}


def unserved() -> list[str]:
    """The queues that no living worker takes; raises RedisError when Valkey is away."""
    taken = {queue for said in _said().values() for queue in said.get("queues", ())}
    return [queue for queue in settings.QUEUES if queue not in taken]


def health() -> Health:
    """Whether every queue has somebody who works on it."""
    try:
        workers, missing = alive(), unserved()
    except redis.RedisError:
        return Health(False, "Valkey does not answer, so no worker can be seen.")
    if not workers:
        return Health(False, f"No worker has been heard of for {FADES_AFTER_S} s.")
    if missing:
        return Health(False, f"No worker takes the queues {', '.join(missing)}.", {"workers": workers})
    return Health(True, f"{len(workers)} at work.", {"workers": workers})
