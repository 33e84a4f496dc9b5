"""News of devices for whoever watches: which have reported, once a second for each process at most.

Readings are told of after their commit and carry no values: the tables are the truth, and who watches reads them once
for all their viewers. News may be lost. Nobody watching costs one PUBLISH a second.
"""

import logging
import threading
from functools import cache
from uuid import UUID

import orjson
import redis
from django.conf import settings

log = logging.getLogger(__name__)

CHANNEL = "devices:news"
EVERY_S = 1.0


@cache
def valkey() -> "redis.Redis":
    """The connection pool of this process to Valkey."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


class Teller:
    """Gathers who has reported and tells it at most once in `every_s`: the first at once, the rest together."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self.every_s = every_s
        self._waiting: set[UUID] = set()
        self._lock = threading.Lock()
        self._resting = False

    def tell(self, device: UUID) -> None:
        """The device has reported; never waits for Valkey longer than one attempt."""
        with self._lock:
            self._waiting.add(device)
            if self._resting:
                return
            self._resting = True
        self._send()

    def _send(self) -> None:
        with self._lock:
            news, self._waiting = self._waiting, set()
            if not news:
                self._resting = False
                return
        try:
            valkey().publish(CHANNEL, orjson.dumps([str(device) for device in news]))
        except redis.RedisError:
            log.debug("news of %d devices were not sent", len(news), exc_info=True)
        rest = threading.Timer(self.every_s, self._send)
        rest.daemon = True
        rest.start()


teller = Teller()
