"""Finds SUMO and runs its programs: own environment, a limit of time, an end when the run is stopped.

`SUMO_HOME` and `PROJ_DATA` are set for the child alone: without them SUMO does not find its schemas and complains of
proj.db, and another SUMO or PROJ of the machine may not be mixed in.
"""

import importlib.metadata
import importlib.util
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from django.utils.translation import gettext as _

from twin.errors import NoSumo, SumoFailed

WHEEL = "eclipse-sumo"
NAME = "SUMO"
MOST_S = 3600.0


def home() -> Path | None:
    """Where the wheel lies, found without importing it; None where it is not installed."""
    spec = importlib.util.find_spec("sumo")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / "bin" / "sumo").is_file():
            return Path(folder)
    return None


def version() -> str:
    """Such as "SUMO 1.28.0"; raises NoSumo where it is not installed."""
    check()
    return f"{NAME} {importlib.metadata.version(WHEEL)}"


def check() -> Path:
    """Where it is. Raises NoSumo with what to install."""
    found = home()
    if found is None:
        raise NoSumo(
            _("SUMO is not installed here, so the deep runs cannot be made. Install the extra “deep” (%(wheel)s).")
            % {"wheel": WHEEL}
        )
    return found


def run(
    tool: str,
    words: Sequence[str],
    *,
    folder: Path,
    most_s: float = MOST_S,
    tick: Callable[[float], None] = lambda _seconds: None,
) -> str:
    """Run one program in `folder`; what it said. `tick` is called each half second with the seconds so far; what it
    raises ends the program. Raises NoSumo, SumoFailed.
    """
    place = check()
    said, wrong = folder / f"{tool}.out", folder / f"{tool}.err"
    with said.open("wb") as out, wrong.open("wb") as err:
        child = subprocess.Popen(
            [str(place / "bin" / tool), *words],
            cwd=folder,
            env=_environment(place),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        began = time.monotonic()
        try:
            while True:
                try:
                    child.wait(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    tick(time.monotonic() - began)
                if time.monotonic() - began > most_s:
                    raise SumoFailed(_("SUMO was not done in %(s)d seconds; take fewer trips.") % {"s": most_s})
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
    if child.returncode:
        lines = [line for line in wrong.read_text("utf-8", "replace").splitlines() if line.startswith("Error")]
        detail = (lines or [_("it gave no reason")])[0][:300]
        raise SumoFailed(_("SUMO’s %(tool)s stopped: %(detail)s") % {"tool": tool, "detail": detail})
    return said.read_text("utf-8", "replace")


def _environment(place: Path) -> dict[str, str]:
    """Only what SUMO needs."""
    from pyproj.datadir import get_data_dir  # noqa: PLC0415 a worker's dependency

    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    proj = get_data_dir()
    return kept | {
        "PATH": f"{place / 'bin'}:/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "SUMO_HOME": str(place),
        "PROJ_DATA": proj,
        "PROJ_LIB": proj,
        "OMP_NUM_THREADS": "1",
    }
