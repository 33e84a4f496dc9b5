"""Each process tells Valkey every few seconds what it has counted, and which faults it wrote down; whoever asks any web
process for `/metrics` or opens the page of operations sees them all, of every machine.

It may be lost: a process that has ended fades within a minute, and a Valkey that is away costs the picture of now.
"""

import atexit
import contextlib
import json
import logging
import os
import socket
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import redis

from commons.runs.signals import valkey
from commons.watching import measures, tracing
from commons.web.masking import masked

PREFIX, FAULTS = "measures:", "faults"
EVERY_S, FADES_AFTER_S, MOST_FAULTS = 5.0, 60, 200

_faults: deque[dict[str, Any]] = deque(maxlen=MOST_FAULTS)
_telling: set[int] = set()


def announce(role: str) -> None:
    """From now on this process tells what it counts, as one of its role; after a fork the child says so anew."""
    if os.getpid() in _telling:
        return
    _telling.clear()
    _telling.add(os.getpid())
    measures.counts.clear()
    _faults.clear()
    measures.counts.role = role
    measures.gauge("city_process_started_seconds", round(time.time(), 3))
    threading.Thread(target=_tell_on, args=(threading.Event(),), name="measures", daemon=True).start()
    atexit.register(tell)


def _tell_on(never: threading.Event) -> None:
    while True:
        tell()
        never.wait(EVERY_S)


def name_of_this() -> str:
    """This process among all."""
    return f"{measures.role() or 'process'}:{socket.gethostname()}:{os.getpid()}"


def tell() -> None:
    """Say what was counted so far."""
    _weigh()
    with contextlib.suppress(redis.RedisError, OSError):
        line = valkey().pipeline(transaction=False)
        line.set(PREFIX + name_of_this(), json.dumps(measures.counts.snapshot()), ex=FADES_AFTER_S)
        faults = list(_faults)
        if faults:
            line.lpush(FAULTS, *(json.dumps(fault) for fault in faults))
            line.ltrim(FAULTS, 0, MOST_FAULTS - 1)
        line.execute()
        for _ in faults:  # told; a Valkey that is away leaves them for the next time
            _faults.popleft()


def _weigh() -> None:
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        measures.gauge("city_process_memory_bytes", pages * os.sysconf("SC_PAGE_SIZE"))
        measures.gauge("city_process_open_files", len(list(Path("/proc/self/fd").iterdir())))


def told() -> dict[str, dict[str, Any]]:
    """What each process said last, by its name; raises RedisError when Valkey is away."""
    found: dict[str, dict[str, Any]] = {}
    for key in valkey().scan_iter(match=f"{PREFIX}*", count=200):
        said: Any = valkey().get(key)
        if said:
            found[key.decode().removeprefix(PREFIX)] = json.loads(said)
    return dict(sorted(found.items()))


def faults() -> list[dict[str, Any]]:
    """The newest faults that were written down, newest first; raises RedisError when Valkey is away."""
    said: Any = valkey().lrange(FAULTS, 0, MOST_FAULTS - 1)
    return sorted((json.loads(one) for one in said), key=lambda fault: fault["at"], reverse=True)


class Faults(logging.Handler):
    """Keeps what was logged as an error, for the page of operations: what it was and where, never what was sent."""

    def emit(self, record: logging.LogRecord) -> None:
        """Put it with the others; it is told with the next counts."""
        measures.count("city_faults_total", logger=record.name)
        trace = tracing.current()
        fault = record.exc_info[1] if record.exc_info else None
        _faults.append(
            {
                "id": trace.trace_id if trace else "",
                "at": record.created,
                "role": measures.role(),
                "logger": record.name,
                "what": type(fault).__name__ if fault else masked(str(record.msg))[:200],
                "where": _where(fault) if fault else f"{Path(record.pathname).name}:{record.lineno}",
            }
        )


def _where(fault: BaseException) -> str:
    """The innermost line of our own code."""
    at, found = fault.__traceback__, ""
    while at is not None:
        path = at.tb_frame.f_code.co_filename
        if not found or "site-packages" not in path:
            found = f"{'/'.join(Path(path).parts[-3:])}:{at.tb_lineno}"
        at = at.tb_next
    return found
