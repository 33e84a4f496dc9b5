"""Whether one part of the city is well, as its container asks: `python docker/healthy.py web|ingest|clock|backup`, or
`worker QUEUE`. Exits with 0 or 1 and a sentence. Without Django: it runs every few seconds."""

import json
import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

import redis

CLOCK_S = 60.0


def web() -> str:
    """The site answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz",
        headers={"Host": "localhost", "X-Forwarded-Proto": "https"},
    )
    with urllib.request.urlopen(request, timeout=8) as answer:  # noqa: S310
        return "" if answer.status == 200 else f"the site answers {answer.status}"


def ingest() -> str:
    """Somebody listens where readings are handed over."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(os.environ["INGEST_SOCKET"])
    return ""


def worker(queue: str) -> str:
    """The worker of this host has said within half a minute that it takes the queue."""
    beaten = _valkey().get(f"worker:{queue}@{socket.gethostname()}")
    if not beaten:
        return f"no worker of this host was heard that takes {queue}"
    return "" if queue in json.loads(beaten)["queues"] else f"the worker does not take {queue}"


def clock() -> str:
    """The clock has ticked."""
    ticked = _valkey().get(f"clock:{socket.gethostname()}")
    late_s = time.time() - float(ticked) if ticked else float("inf")
    return "" if late_s < CLOCK_S else f"the clock has not ticked for {late_s:.0f} s"


def backup() -> str:
    """The newest backup is no older than two rounds."""
    done = [path.stat().st_mtime for path in Path("/backups").glob("2*Z*/")]
    most_h = 2 * float(os.environ.get("BACKUP_EVERY_HOURS", "24")) + 1
    late_h = (time.time() - max(done)) / 3600 if done else float("inf")
    return "" if late_h < most_h else f"the newest backup is {late_h:.0f} hours old"


def _valkey() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=5, socket_connect_timeout=5)


def main(words: list[str]) -> int:
    """Ask one part."""
    asks = {"web": web, "ingest": ingest, "worker": worker, "clock": clock, "backup": backup}
    try:
        trouble = asks[words[0]](*words[1:])
    except (OSError, redis.RedisError, ValueError) as fault:
        trouble = f"{words[0]}: {fault}"
    if trouble:
        sys.stdout.write(f"{trouble}\n")
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
