"""How the site is served: one port, granian, the ASGI application of `livingcity.asgi`."""

import os
import sys

LOCAL = "127.0.0.1"


def web_argv(*, port: int, host: str = "", workers: int = 1) -> list[str]:
    """The command line of the web server. It listens on HOST, which is this machine alone unless it is set."""
    host = host or os.environ.get("HOST") or LOCAL
    argv = [sys.executable, "-m", "granian", "livingcity.asgi:application", "--interface", "asginl", "--host", host]
    argv += ["--port", str(port), "--workers", str(workers), "--no-ws", "--log-level", "warning"]
    # One thread each, so that the pieces of a body reach us one after the other (`livingcity.bridge.Body`).
    argv += ["--runtime-threads", "1", "--blocking-threads", "1"]
    argv += ["--respawn-failed-workers"]  # one that is killed takes nothing with it: the others go on
    return [*argv, "--workers-kill-timeout", "3", "--backlog", "2048"]
