"""A worker process loads what its work will need before it is asked: engines, compiled code, the city of today.

Loading takes seconds where the work itself takes one. It is done in a thread of least priority, a while after the
process has begun, so that a start of the whole city is not slowed down; work that comes meanwhile only shares it.
"""

import logging
import os
import threading
import time
from collections.abc import Collection

from django.db import connection

from commons.runs.registry import kinds_of

log = logging.getLogger(__name__)

WAIT_S = 8.0
LEAST = 19


def begin(queues: Collection[str]) -> threading.Thread:
    """Warm this process up for the kinds of these queues, in its own time."""
    thread = threading.Thread(target=_warm_up, args=(tuple(queues),), name="warming", daemon=True)
    thread.start()
    return thread


def _warm_up(queues: Collection[str]) -> None:
    time.sleep(WAIT_S)
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LEAST)  # Linux: of this thread alone
    try:
        for kind in kinds_of(queues):
            if kind.warm is not None:
                kind.warm()
    except Exception:
        log.warning("a worker could not warm up; its first work loads what is missing", exc_info=True)
    finally:
        connection.close()
