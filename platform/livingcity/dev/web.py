"""How the site is served: one port, granian, the ASGI application of `livingcity.asgi`."""

import sys

THREADS = 8


def web_argv(*, port: int, host: str = "0.0.0.0", workers: int = 1) -> list[str]:  # noqa: S104 the city is on the net
    """The command line of the web server."""
    argv = [sys.executable, "-m", "granian", "livingcity.asgi:application", "--interface", "asginl", "--host", host]
    argv += ["--port", str(port), "--workers", str(workers), "--no-ws", "--log-level", "warning"]
    return [*argv, "--workers-kill-timeout", "3", "--backlog", "2048"]
