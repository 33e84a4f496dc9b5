"""Scripts of OpenSCAD that are made of several files of a design, and what is drawn of them.

What a script asks for is among the facts of its content (`more.uses`). Which files of a version these are is worked out
here from paths alone, so no file is read to show a page.
"""

import copy
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from designs.engine import ENGINE_VERSION
from designs.models import Blob
from designs.queries import made

if TYPE_CHECKING:
    from designs.queries.files import File

KIND = "scripts"
MAX_FILES, MAX_BYTES = 60, 24 * 1024 * 1024
#: What the sandbox says of a script that others use; see `sandbox.scripts`, which the web does not load.
LIBRARY = "The script makes nothing by itself: it is meant to be used by others."
#: A library that comes with OpenSCAD itself.
BUILT_IN = "MCAD/"
#: What a script may name and yet be drawn without: a shape or table that OpenSCAD only warns of.
DATA = (".stl", ".off", ".amf", ".3mf", ".dxf", ".svg", ".png", ".dat", ".csv", ".json")


@dataclass(frozen=True, slots=True)
class Script:
    """A script with all files it asks for, itself the first; the names of those that the design lacks; and whether
    one of them was not read yet, so that what it asks for in turn is not known."""

    files: tuple["File", ...]
    missing: tuple[str, ...] = ()
    waiting: bool = False

    @property
    def main(self) -> "File":
        """The script itself."""
        return self.files[0]

    @property
    def key(self) -> str:
        """Paths and contents of its files and the engine's version, as one hash."""
        return made.key_of(((file.path, file.entry.oid) for file in self.files), self.main.path)

    @property
    def about(self) -> dict[str, Any] | None:
        """{"reason", "facts", "files"} once it was drawn, else None."""
        return made.about(KIND, self.key)

    @property
    def fault(self) -> str:
        """Why it cannot be drawn at all, or nothing."""
        if self.missing:
            named = ", ".join(self.missing[:5])
            return f"The script asks for files that the design does not hold: {named}."
        if len(self.files) > MAX_FILES or sum(file.size for file in self.files) > MAX_BYTES:
            return f"The script asks for more than {MAX_FILES} files or {MAX_BYTES // 1024 // 1024} MB of them."
        return ""


def uses(blob: Blob | None) -> list[str]:
    """What the content of a script asks for, as written; nothing for what stands alone or is no script."""
    if blob is None or blob.format != "openscad":
        return []
    more = (blob.facts or {}).get("more") or {}
    return [one for one in more.get("uses") or () if not one.startswith(BUILT_IN)]


def scripts(files: Iterable["File"]) -> list[Script]:
    """The scripts among the files of a version that ask for others."""
    listed = list(files)
    if not any(uses(file.blob) for file in listed):
        return []
    known = {file.path: file for file in listed if not file.entry.is_symlink and file.blob is not None}
    return [_script(file, known) for file in known.values() if uses(file.blob)]


def _script(main: "File", known: Mapping[str, "File"]) -> Script:
    found, missing, waiting = {main.path: main}, dict[str, None](), _is_unread(main)
    todo = [main]
    while todo and len(found) <= MAX_FILES:
        asking = todo.pop()
        for asked in uses(asking.blob):
            # OpenSCAD looks beside the file that asks; what an included file imports it may look for beside the first.
            hits = [known[path] for path in _places(asked, asking.path, main.path) if path in known]
            if not hits and not asked.lower().endswith(DATA):
                missing[asked] = None
            for hit in hits:
                if hit.path not in found:
                    found[hit.path] = hit
                    waiting |= _is_unread(hit)
                    todo.append(hit)
    return Script(tuple(found.values()), tuple(missing), waiting)


def _places(asked: str, *askers: str) -> list[str]:
    """Paths in the design that a name may mean; none that would lead out of it."""
    found = dict.fromkeys(posixpath.normpath(posixpath.join(posixpath.dirname(path), asked)) for path in askers)
    return [path for path in found if not path.startswith(("..", "/"))]


def _is_unread(file: "File") -> bool:
    blob = file.blob
    return (
        blob is not None
        and blob.format == "openscad"
        and (blob.preview in {Blob.Preview.PENDING, Blob.Preview.NONE} or blob.engine_version != ENGINE_VERSION)
    )


def composed(files: Sequence["File"]) -> list["File"]:
    """The same files, where each script of several files shows what was drawn of all of them together."""
    shown = {script.main.path: _shown(script) for script in scripts(files)}
    return [shown.get(file.path, file) for file in files]


def _shown(script: Script) -> "File":
    """The script with a copy of its row that is never saved: facts and pictures are of all its files."""
    blob = copy.copy(script.main.blob)
    if blob is None:
        return script.main
    about = None if script.fault or script.waiting else script.about
    blob.made_of = script.key
    if script.fault:
        blob.preview, blob.reason = Blob.Preview.FAILED, script.fault
    elif about is None:
        blob.preview = Blob.Preview.PENDING
    elif about["facts"] is None:
        blob.preview, blob.reason = Blob.Preview.FAILED, str(about["reason"])
    else:
        folder = made.name_of(KIND, script.key)
        blob.preview, blob.facts = Blob.Preview.READY, about["facts"]
        blob.png, blob.small, blob.glb = (f"{folder}/{name}" for name in ("picture.png", "small.png", "model.glb"))
    return replace(script.main, blob=blob)
