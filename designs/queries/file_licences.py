"""Which licence each file of a version has: its own (REUSE), else the design's."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from designs import git
from designs.engine import formats
from designs.git.contents import heads
from designs.git.repository import Entry
from designs.licences import files as reuse
from designs.licences.files import HEADER_BYTES, REUSE_TOML, SIBLING, Annotations, Declared, Rules
from designs.models import Design

#: Larger texts are drawings and logs; their header would be in a sibling.
MOST_TEXT = 1024 * 1024
MOST_ALL = 128 * 1024 * 1024
#: Formats whose bytes are no text that could carry a comment.
BINARY = frozenset({"stl", "step", "3mf", "glb", "png", "jpeg", "webp", "gif", "pdf", "zip", "gcode"})


@dataclass(frozen=True, slots=True)
class FileLicence:
    """A file's licence. `declared` is what REUSE finds for it; without that `expression` is the design's own."""

    path: str
    expression: str
    declared: Declared

    @property
    def is_own(self) -> bool:
        """Whether the file says it itself, or a REUSE.toml for it."""
        return bool(self.declared.licences)


@dataclass(frozen=True, slots=True)
class Licences:
    """All files of a version. `faults` are REUSE.toml files that cannot be read, with the reason."""

    files: dict[str, FileLicence]
    faults: tuple[tuple[str, str], ...]
    #: Licences whose text is in LICENSES/.
    texts: tuple[str, ...]

    @property
    def expressions(self) -> tuple[str, ...]:
        """Each licence that some file has, the commonest first."""
        found = [file.expression for file in self.files.values()]
        return tuple(sorted(dict.fromkeys(found), key=lambda each: (-found.count(each), each)))


def licences_at(design: Design, commit: str, *, whole: str = "") -> Licences:
    """The licence of every file of a version; `whole` is as in `licences_of`."""
    entries = git.of(design.repository).files(commit) if commit else []
    return licences_of(design, entries, entries, whole=whole)


def licence_at(design: Design, commit: str, path: str) -> FileLicence:
    """The licence of one file, reading no others than those that may speak of it."""
    entries = git.of(design.repository).files(commit)
    return licences_of(design, entries, [entry for entry in entries if entry.path == path]).files[path]


def licences_of(design: Design, entries: Sequence[Entry], wanted: Sequence[Entry], *, whole: str = "") -> Licences:
    """What the files of a version (`entries`) say of some of them (`wanted`); those of which nothing is said have the
    licence `whole`, without it the design's."""
    siblings = {entry.path: entry for entry in entries if entry.path.endswith(SIBLING)}
    tomls = [entry for entry in entries if entry.name == REUSE_TOML and entry.size <= reuse.MOST_TOML]
    speaking = {entry.path: siblings.get(entry.path + SIBLING, entry) for entry in wanted}
    texts = _texts(design, [*speaking.values(), *tomls])
    rules = Rules(tuple(sorted((_annotations(each, texts) for each in tomls), key=lambda each: each.folder.count("/"))))
    found = {}
    for entry in wanted:
        speaker = speaking[entry.path]
        source = "" if speaker.path == entry.path else speaker.path
        own = reuse.header(texts.get(speaker.oid, ""), source=source or entry.path)
        declared = rules.of(entry.path, own)
        found[entry.path] = FileLicence(entry.path, declared.expression or whole or design.licence, declared)
    faults = tuple((each.folder, each.fault) for each in rules.annotations if each.fault)
    return Licences(found, faults, tuple(PurePosixPath(e.path).stem for e in entries if e.path.startswith("LICENSES/")))


def _annotations(entry: Entry, texts: dict[str, str]) -> Annotations:
    folder = entry.path.rpartition("/")[0]
    return reuse.annotations(texts.get(entry.oid, ""), folder=folder)


def _texts(design: Design, entries: Sequence[Entry]) -> dict[str, str]:
    """The beginnings of those that are texts, by blob; at most so much in all that a page stays quick."""
    wanted, total = [], 0
    for entry in entries:
        may_speak = entry.name.endswith((SIBLING, REUSE_TOML)) or formats.of_name(entry.path) not in BINARY
        if entry.size <= MOST_TEXT and not entry.is_symlink and may_speak and total + entry.size <= MOST_ALL:
            wanted.append(entry.oid)
            total += entry.size
    limit = max(HEADER_BYTES, reuse.MOST_TOML)
    found = heads(git.of(design.repository), wanted, limit=limit) if wanted else {}
    return {oid: raw.decode("utf-8", "replace") for oid, raw in found.items() if formats.is_text(raw[:8192])}
