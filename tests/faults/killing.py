"""Killing a process (SIGKILL) at a chosen moment of its work."""

import os
import signal
from collections.abc import Callable
from typing import Any

from django.db import connection, connections


def killed_at(moment: int, work: Callable[[], object], *, commits: bool = False) -> bool:
    """Do the work in a process of its own that dies at its n-th statement; whether it came that far.

    With `commits` the moments before and after each commit count too.
    """
    connections.close_all()
    child = os.fork()
    if child == 0:
        seen = 0

        def tick() -> None:
            nonlocal seen
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        def execute_or_die(execute: Any, *given: Any) -> Any:
            tick()
            return execute(*given)

        commit = connection._commit

        def commit_or_die() -> None:
            tick()
            commit()
            tick()

        if commits:
            connection._commit = commit_or_die
        try:
            with connection.execute_wrapper(execute_or_die):
                work()
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
