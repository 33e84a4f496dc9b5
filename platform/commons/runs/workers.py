"""Whether a worker lives: each one's main process writes a key in Valkey that fades unless it is written again.

The key is written by the worker's own heart, not by a task, so a worker that is busy for an hour still counts.
"""

import json
import time
from typing import Any

import redis

from commons.runs.signals import valkey
from commons.sockets import Health

PREFIX = "worker:"
FADES_AFTER_S = 30


def beat(hostname: str) -> None:
    """Say that this worker lives; a Valkey that is away costs only this beat."""
    try:
        valkey().set(f"{PREFIX}{hostname}", json.dumps({"at": time.time()}), ex=FADES_AFTER_S)
    except redis.RedisError:
        return


def forget(hostname: str) -> None:
    """Say that this worker has left."""
    try:
        valkey().delete(f"{PREFIX}{hostname}")
    except redis.RedisError:
        return


def alive() -> dict[str, float]:
    """Seconds since the last beat of each living worker, by its name; raises RedisError when Valkey is away."""
    found: dict[str, float] = {}
    for key in valkey().scan_iter(match=f"{PREFIX}*", count=100):
        beaten: Any = valkey().get(key)
        if beaten:
            found[key.decode().removeprefix(PREFIX)] = round(time.time() - float(json.loads(beaten)["at"]), 1)
    return found


def health() -> Health:
    """Whether anybody works."""
    try:
        workers = alive()
    except redis.RedisError:
        return Health(False, "Valkey does not answer, so no worker can be seen.")
    if not workers:
        return Health(False, f"No worker has been heard of for {FADES_AFTER_S} s.")
    return Health(True, f"{len(workers)} at work.", {"workers": workers})
