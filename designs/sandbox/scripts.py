"""OpenSCAD as a stranger's program behind the walls: one folder to read, one to write, no network, no other program.

The program is run in two steps, each a child of its own: the first makes an STL of the script, the second draws it like
any STL.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from designs.engine.errors import Unreadable
from designs.engine.flat import scad
from designs.sandbox import client, more, results
from designs.sandbox.limits import Limits
from designs.sandbox.results import Result

LIMITS = Limits(memory_bytes=2 * 1024**3, cpu_s=60, file_bytes=64 * 1024**2, open_files=64, wall_s=180.0)
MAX_MESSAGE = 20_000
LIBRARY = "The script makes nothing by itself: it is meant to be used by others."
MISSING = "OpenSCAD is not installed here, so its shape cannot be shown."


def program() -> str | None:
    """Where OpenSCAD is on this machine, if it is."""
    return shutil.which("openscad")


def build(files: Mapping[str, bytes], main: str) -> Result:
    """The shape of a script, drawn. `files` are the script and what it asks for, by paths in the design.

    Never raises because of a file.
    """
    found = program()
    with tempfile.TemporaryDirectory(prefix="lc-script-") as name:
        folder = Path(name)
        sources, out = folder / "files", folder / "out"
        for path, content in files.items():
            _put(sources, path, content)
        out.mkdir()
        about = more.checked(scad.facts(sources / main))
        if found is None:
            return Result.failed(MISSING)
        request = f"{found}\n{main}"
        answer = client.ask(source=sources, folder=out, file_format=request, work="script", limits=LIMITS)
        shape = out / "model.stl"
        if answer["timeout"] or answer["signal"]:
            return Result.failed(client.sentence(answer))
        said = _message(out / "messages.txt")
        if answer["status"] != 0 or not shape.is_file() or shape.is_symlink():
            return Result.failed(_why(said))
        drawn = client.draw(shape, "stl").result
        if not drawn.ready or drawn.facts is None:
            return drawn
        facts = drawn.facts | {"more": about, "units": "mm"}
        facts["warnings"] = [w for w in [*_warnings(said), *facts["warnings"]] if "names no unit" not in w][:20]
        return Result(True, "", facts, drawn.png, drawn.small, drawn.glb)


def _put(folder: Path, path: str, content: bytes) -> None:
    """Write a file under a folder. Raises Unreadable for a path that would lead out of it."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise Unreadable("A file that the script asks for lies outside the design.")
    place = folder.joinpath(*parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def _message(path: Path) -> str:
    try:
        return results._bytes(path, 64 * 1024**2)[:MAX_MESSAGE].decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def _why(said: str) -> str:
    """OpenSCAD's own first error, or a sentence."""
    if "top level object is empty" in said:
        return LIBRARY
    if "not a 3D object" in said:
        return "The script makes a flat shape, not a solid."
    for line in said.splitlines():
        if line.startswith(("ERROR:", "WARNING: Can't open")):
            return f"OpenSCAD says: {line.split(':', 1)[1].strip()[:250]}"
    return "OpenSCAD could not make a shape of it."


def _warnings(said: str) -> list[str]:
    lines = dict.fromkeys(line for line in said.splitlines() if line.startswith(("WARNING:", "DEPRECATED:")))
    return [f"OpenSCAD says: {line.split(':', 1)[1].strip()[:200]}" for line in list(lines)[:8]]
