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
def _valkey() -> "redis.Redis[bytes]":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def channel(run_id: UUID | str) -> str:
    """The channel of a run's news."""
    return f"run:{run_id}"


def publish(run_id: UUID | str, news: dict[str, Any]) -> None:
    """Tell who watches; a broker that is away costs only the news."""
    try:
        _valkey().publish(channel(run_id), json.dumps(news))
    except redis.RedisError:
        log.debug("news of run %s was not sent", run_id, exc_info=True)
