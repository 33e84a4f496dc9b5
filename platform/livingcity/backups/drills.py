"""The drill: a backup is really restored, by the very command of a bad day, into a city that is thrown away after."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from livingcity.backups import shelf
from livingcity.backups.files import Say, remove
from livingcity.backups.manifest import Backup
from livingcity.dev.processes import child_environment, spawn, stop

MOST_S = 6 * 3600.0
TOLD = ("tables", "rows", "files", "checked", "notes", "faults")


def drill(backup: Backup, *, say: Say, keep_report: bool = True) -> dict[str, Any]:
    """Restore the backup into a throw-away PostgreSQL and folder, and look at it: every row, file and commit.

    Answers {"ok", "backup", "at", "took_s", "sentence", …}; a drill that fails is an answer, not an exception. Raises
    BackupFailed only where another is at work.
    """
    home, began = backup.folder.parent, time.monotonic()
    with shelf.alone(home, ".drill.lock"):
        shelf.sweep(home, shelf.DRILL)
        scratch = Path(tempfile.mkdtemp(prefix=shelf.DRILL, dir=home))
        try:
            found = _restored(backup, scratch, say)
        finally:
            remove(scratch)
        said = {
            "ok": bool(found.get("ok")),
            "backup": backup.name,
            "at": timezone.now().isoformat(),
            "took_s": round(time.monotonic() - began, 2),
            "restore_s": found.get("took_s"),
            "sentence": _sentence(found),
            **{name: found[name] for name in TOLD if name in found},
        }
        if keep_report:
            shelf.write_drill(home, said)
    return said


def _sentence(found: dict[str, Any]) -> str:
    if not found.get("ok"):
        return str(next(iter(found.get("faults") or [_("The restore ended without a word.")])))
    return _("%(tables)d tables came back byte for byte, %(rows)d rows and %(files)d files.") % found


def _restored(backup: Backup, scratch: Path, say: Say) -> dict[str, Any]:
    """What `manage.py restore` says in a city of its own."""
    scratch.chmod(0o711)  # the account of the throw-away server walks through
    environ = child_environment(
        LIVINGCITY_DATA=str(scratch / "city"), LIVINGCITY_DEMO="0", LIVINGCITY_ROOMS=",".join(backup.manifest.rooms),
        SECRET_KEY=settings.SECRET_KEY, SECRET_KEY_FALLBACKS=" ".join(settings.SECRET_KEY_FALLBACKS),
    )  # fmt: skip
    for name in ("DATABASE_URL", "REDIS_URL", "MQTT_URL", "MQTT_ACCOUNTS", "BACKUP_TO"):
        environ.pop(name, None)
    argv = [sys.executable, str(settings.ROOT / "manage.py"), "restore", str(backup.folder), "--link", "--json"]
    with (scratch / "said").open("w+b") as said:
        child = spawn(argv, death_signal=signal.SIGTERM, log=said, env=environ)
        try:
            _wait(child, said.fileno(), say)
        finally:
            stop(child, signal.SIGTERM, 30.0)
        said.seek(0)
        return _read(said.read().decode(errors="replace").splitlines(), child.returncode)


def _wait(child: "subprocess.Popen[bytes]", said: int, say: Say) -> None:
    until = time.monotonic() + MOST_S
    while child.poll() is None and time.monotonic() < until:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.5)
        share, _percent, what = _last_line(said).partition("% ")
        if share.strip().isdigit():
            say(int(share) / 100, what)


def _last_line(file: int) -> str:
    size = os.fstat(file).st_size
    tail = os.pread(file, 400, max(0, size - 400)).decode(errors="replace")
    return tail.strip().rpartition("\n")[2]


def _read(lines: list[str], status: int) -> dict[str, Any]:
    for text in reversed(lines):
        with contextlib.suppress(ValueError):
            found = json.loads(text)
            if isinstance(found, dict) and "faults" in found:
                return found
    words = [text for text in lines if text.strip() and "% " not in text]
    return {"ok": False, "faults": [words[-1][:500] if words else _("It ended with status %(n)d.") % {"n": status}]}
