"""Shapes of OpenSCAD scripts.

A script that stands alone belongs to its bytes, like any file. One that asks for other files is drawn from all of them,
and what is drawn lies under the hashes of them all (`queries.scripts`), so that it shows only where all of them are.
"""

from designs.engine.flat import scad
from designs.errors import DesignNotFound, GitFailed, LargeFileMissing
from designs.models import Design
from designs.queries import scripts as queries
from designs.queries.files import File, content
from designs.sandbox import more, scripts
from designs.sandbox.results import Result
from designs.services import made

NAME = "script.scad"
#: Facts of a text that is not drawn by itself.
NO_SHAPE = {
    "units": "mm", "triangles": 0, "watertight": False, "volume_mm3": None, "area_mm2": 0.0,
    "extents_mm": [0.0, 0.0, 0.0], "parts": 1, "warnings": [],
}  # fmt: skip
#: Scripts of several files that one run draws; the next look at the page asks for the rest.
MOST = 40


def build(content: bytes) -> Result:
    """Run a script that needs nothing else and draw its shape; of others, say what they need."""
    if len(content) > scad.MAX_BYTES:
        return Result.failed("The script is longer than 2 MB.")
    text = content.decode("utf-8", "replace")
    if any(not one.startswith(queries.BUILT_IN) for one in scad.asks_for(text)):
        return Result(True, "", NO_SHAPE | {"more": more.checked(scad.facts_of(text))})
    return scripts.build({NAME: content}, NAME)


def draw_missing(*, design: Design, files: list[File]) -> int:
    """Draw the scripts of several files of a version that nobody drew yet; how many these were."""
    found = [one for one in queries.scripts(files) if not one.fault and not one.waiting and one.about is None]
    for script in found[:MOST]:
        held = {file.path: file.entry.oid for file in script.files}
        made.keep(kind=queries.KIND, key=script.key, result=_drawn(design, script), files=held)
    return len(found[:MOST])


def _drawn(design: Design, script: queries.Script) -> Result:
    try:
        read = {file.path: b"".join(content(design, file)) for file in script.files}
    except (GitFailed, DesignNotFound, LargeFileMissing, OSError):
        return Result.failed("The files could not be read from their repository.")
    return scripts.build(read, script.main.path)
