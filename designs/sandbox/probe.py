"""What a hostile file would try, tried on purpose, so that a test can see that each is refused."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path


def run(source: Path, folder: Path) -> None:
    """Write result.json: for each attempt the error that stopped it, or "done"."""
    attempts: dict[str, Callable[[], object]] = {
        "read own file": source.read_bytes,
        "read /etc/passwd": Path("/etc/passwd").read_bytes,
        "read a sibling": (source.parent.parent / "sibling.txt").read_bytes,
        "write outside": lambda: (folder.parent / "escaped.txt").write_text("x"),
        "write inside": lambda: (folder / "inside.txt").write_text("x"),
        "socket": socket.socket,
        "run a program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
        "fork": os.fork,
        "kill the parent": lambda: os.kill(os.getppid(), 0),
    }
    answers = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            answers[name] = "done"
        except OSError as error:
            answers[name] = type(error).__name__
    (folder / "result.json").write_text(json.dumps({"status": "failed", "reason": json.dumps(answers)}))
