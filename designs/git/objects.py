"""Blobs from a git that stays: GitPython's persistent `cat-file --batch`, a few for each process, closed in turn.

A new process for each blob takes about six times as long. GitPython is used for this alone, and starts no git by
itself: the process gets our clean environment, and only object names that were checked are written to it. Whoever keeps
GitPython's objects without closing them leaks two descriptors and a process each; here the least used one goes first.
"""

import contextlib
import os
import subprocess
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from git.cmd import Git

from designs.errors import GitFailed, TooLarge
from designs.git import environment
from designs.git.names import OID

MOST_OPEN = 6


class Reader(Git):
    """A `cat-file --batch` on one repository. Not for two threads at once: take `lock`."""

    def __init__(self, path: Path) -> None:
        super().__init__("/")
        self.path = path
        self.lock = threading.Lock()

    def execute(self, command: Any, *_arguments: Any, **_options: Any) -> Any:
        """Start the program that GitPython asks for, as every git of ours is started."""
        program, *rest = command
        child = subprocess.Popen(
            [program, f"--git-dir={self.path}", *rest],
            env=environment.clean(),
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        return Git.AutoInterrupt(child, command)

    def read(self, oid: str, limit: int) -> bytes:
        """The bytes of an object. Raises TooLarge, or ValueError or OSError when git does not answer."""
        _name, _kind, size, stream = self.stream_object_data(oid)
        if size > limit:
            stream._nbr = size  # what is left shall not be read when the stream is forgotten
            self.close()
            raise TooLarge(
                _("This file has %(size)d bytes; only %(limit)d can be shown.") % {"size": size, "limit": limit}
            )
        content: bytes = stream.read()
        return content

    def close(self) -> None:
        """End the process and close its pipes."""
        running, self.cat_file_all = self.cat_file_all, None
        child = getattr(running, "proc", None)
        if running is None or child is None:
            return
        running.proc = None  # GitPython would end it once more
        child.kill()
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        child.wait()


_open: "OrderedDict[Path, Reader]" = OrderedDict()
_lock = threading.Lock()


def read(path: Path, oid: str, *, limit: int) -> bytes:
    """The bytes of a blob of the repository at `path`. Raises TooLarge or GitFailed."""
    if not OID.match(oid):
        raise GitFailed(_("“%(oid)s” is not an object.") % {"oid": oid[:40]})
    for last in (False, True):
        reader = _reader(path)
        with reader.lock:
            try:
                return reader.read(oid, limit)
            except (ValueError, OSError):
                reader.close()  # the process is gone, or there is no such object: a new one knows
                if last:
                    break
    raise GitFailed(_("git said: %(words)s") % {"words": f"{oid[:10]} is missing"})


def _reader(path: Path) -> Reader:
    with _lock:
        reader = _open.setdefault(path, Reader(path))
        _open.move_to_end(path)
        old = [_open.popitem(last=False)[1] for _n in range(len(_open) - MOST_OPEN)]
    for other in old:
        with other.lock:
            other.close()
    return reader


def forget(path: Path) -> None:
    """Close what is open of a repository that is deleted."""
    with _lock:
        reader = _open.pop(path, None)
    if reader is not None:
        with reader.lock:
            reader.close()


def _leave_to_parent() -> None:
    """After a fork the processes are the parent's: drop them without ending them."""
    global _lock  # noqa: PLW0603 a lock that was held at the fork would stay so
    for reader in _open.values():
        if reader.cat_file_all is not None:
            reader.cat_file_all.proc = None
    _open.clear()
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_leave_to_parent)
