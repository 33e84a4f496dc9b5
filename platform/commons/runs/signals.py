"""News of runs for whoever watches: a Valkey channel for each run. News may be lost, the row is the truth."""

import json
import logging
from functools import cache
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

log = logging.getLogger(__name__)


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
