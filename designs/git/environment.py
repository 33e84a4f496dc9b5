"""What git sees of the world: nothing of the caller's environment, one configuration of ours, hooks of ours."""

import os
from functools import cache
from pathlib import Path

from django.conf import settings

MAX_PUSH_BYTES = 256 * 1024 * 1024
MAX_BLOB_BYTES = 128 * 1024 * 1024
MAX_FILES = 20_000

CONFIG = f"""\
[safe]
\tdirectory = *
\tbareRepository = explicit
[core]
\thooksPath = {{hooks}}
\tfsync = all
\tfsyncMethod = fsync
\tsymlinks = false
\tprotectNTFS = true
\tprotectHFS = true
\tfsmonitor = false
\talternateRefsCommand = true
\tbigFileThreshold = 32m
\tlogAllRefUpdates = false
[init]
\tdefaultBranch = main
\ttemplateDir =
[receive]
\tfsckObjects = true
\tmaxInputSize = {MAX_PUSH_BYTES}
\tunpackLimit = 1
\tautogc = false
\tadvertisePushOptions = false
[transfer]
\tfsckObjects = true
\thideRefs = refs/internal
[fetch]
\tfsckObjects = true
\tunpackLimit = 1
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = false
[http]
\tfollowRedirects = false
\tlowSpeedLimit = 1000
\tlowSpeedTime = 30
[protocol]
\tallow = never
[protocol "https"]
\tallow = always
[pack]
\tthreads = 1
\twindowMemory = 128m
[gc]
\tauto = 0
[user]
\tuseConfigOnly = true
"""

COME_IN = "come in"
#: pre-receive: asks the process that started git (`incoming`), and waits for its word. Nothing comes in without one.
HOOK = f"""\
#!/bin/sh
[ -n "$LIVINGCITY_ASK" ] && [ -n "$LIVINGCITY_WORD" ] || {{ echo "Living City: pushes come over HTTP" >&2; exit 1; }}
{{ printf '%s\\n' "$GIT_QUARANTINE_PATH"; cat; echo; }} > "/dev/fd/$LIVINGCITY_ASK"
IFS= read -r word < "/dev/fd/$LIVINGCITY_WORD"
[ "$word" = "{COME_IN}" ] && exit 0
cat "/dev/fd/$LIVINGCITY_WORD" >&2
exit 1
"""


def prepare() -> Path:
    """Our configuration, which stands beside the repositories with our hooks; the configuration's path.

    Whether it is there is asked each time: git says nothing of one that is gone, and would force nothing to the disk
    and take what comes.
    """
    folder = Path(settings.DATA_DIR) / "git"
    if not (folder / "config").exists():
        _prepared.cache_clear()
    return _prepared(folder)


@cache
def _prepared(folder: Path) -> Path:
    """Write both, once in a process."""
    hooks = folder / "hooks"
    hooks.mkdir(parents=True, exist_ok=True)
    _write(hooks / "pre-receive", HOOK, mode=0o500)
    quoted = '"' + str(hooks).replace("\\", "\\\\").replace('"', '\\"') + '"'
    config = folder / "config"
    _write(config, CONFIG.format(hooks=quoted), mode=0o400)
    return config


def _write(path: Path, text: str, *, mode: int) -> None:
    """Replace the file at once, so that a git that starts meanwhile reads the old or the new one, never half of it."""
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.chmod(mode)
    draft.replace(path)


def clean(**more: str) -> dict[str, str]:
    """The whole environment of a git process; nothing is inherited but where programs and temporary files are."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "SSL_CERT_FILE") if name in os.environ}
    return {
        "PATH": os.defpath,
        **kept,
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(prepare()),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        **more,
    }
