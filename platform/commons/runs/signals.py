"""News of runs for whoever watches: a Valkey channel for each run. News may be lost, the row is the truth."""

import base64
import json
import logging
from functools import cache
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

log = logging.getLogger(__name__)

RING = "runs.work"
READ_AT_MOST = 2000


@cache
def valkey() -> redis.Redis:
    """The connection pool of this process to Valkey."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def channel(run_id: UUID | str) -> str:
    """The channel of a run's news."""
    return f"run:{run_id}"


def publish(run_id: UUID | str, news: dict[str, Any]) -> None:
    """Tell who watches; a broker that is away costs only the news."""
    try:
        valkey().publish(channel(run_id), json.dumps(news))
    except redis.RedisError:
        log.debug("news of run %s was not sent", run_id, exc_info=True)


def waiting(queue: str) -> int:
    """How many rings stand in a queue; 0 when Valkey is away."""
    try:
        return int(valkey().llen(queue))
    except redis.RedisError:
        return 0


def hanging(queue: str) -> set[str] | None:
    """The ids of runs that a ring stands in a queue for; None when there are more rings than can be looked through.
    Empty when Valkey is away. Other work that waits in the queue says nothing of runs."""
    try:
        found: Any = valkey().lrange(queue, 0, READ_AT_MOST)
    except redis.RedisError:
        return set()
    return None if len(found) > READ_AT_MOST else {run for message in found if (run := _rung_for(json.loads(message)))}


def _rung_for(message: dict[str, Any]) -> str:
    """The run that a message of Celery rings for, if it is a ring."""
    if message["headers"].get("task") != RING:
        return ""
    body = base64.b64decode(message["body"]) if message["properties"]["body_encoding"] == "base64" else message["body"]
    return str(json.loads(body)[0][0])
