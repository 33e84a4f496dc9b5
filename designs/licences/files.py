"""The licence of each file, as REUSE 3.3 says it: headers, `.license` siblings, REUSE.toml. Pure.

Section names in this file are those of https://reuse.software/spec-3.3. The deprecated DEP5 file is not read.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from designs.licences.reading import as_spdx

#: How much of a file is looked at for a header ("as close to the top as possible", section Comment headers).
HEADER_BYTES = 64 * 1024
MOST_TOML = 256 * 1024
MOST_TABLES = 2000
REUSE_TOML = "REUSE.toml"
SIBLING = ".license"
TAG = re.compile(r"SPDX-License-Identifier:[ \t]*(?P<value>[^\r\n]+)")
NOTICE = re.compile(r"SPDX-(?:File|Snippet)CopyrightText:[ \t]*(?P<value>[^\r\n]+)")
IGNORED = re.compile(r"REUSE-IgnoreStart.*?(?:REUSE-IgnoreEnd|\Z)", re.DOTALL)
#: What closes a comment on the line of a tag.
CLOSING = re.compile(r"[ \t]*(?:\*+/|--+>|-->|\*\)|\]\]|%>|\?>|\"\"\"|''')?[ \t]*$")


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file, its sibling or a table says: SPDX expressions and who holds the copyright. `source` says where."""

    licences: tuple[str, ...] = ()
    copyrights: tuple[str, ...] = ()
    source: str = ""
    unreadable: tuple[str, ...] = ()

    @property
    def expression(self) -> str:
        """All of them at once, as one expression; empty when nothing is said."""
        several = len(self.licences) > 1
        return " AND ".join(f"({each})" if several and " OR " in each else each for each in self.licences)


@dataclass(frozen=True, slots=True)
class Table:
    """One `[[annotations]]` of a REUSE.toml."""

    paths: tuple[str, ...]
    precedence: str
    declared: Declared


@dataclass(frozen=True, slots=True)
class Annotations:
    """A REUSE.toml: the folder that it is in ("" is the top) and its tables. `fault` says why it could not be read."""

    folder: str
    tables: tuple[Table, ...] = ()
    fault: str = ""

    def covers(self, path: str) -> Table | None:
        """The last table that names the file ("exclusively the last matching table in the file is used")."""
        prefix = f"{self.folder}/" if self.folder else ""
        if not path.startswith(prefix):
            return None
        inner = path[len(prefix) :]
        found = [t for t in self.tables if any(_pattern(each).fullmatch(inner) for each in t.paths)]
        return found[-1] if found else None


@dataclass(frozen=True, slots=True)
class Rules:
    """Every REUSE.toml of a version, from the top down."""

    annotations: tuple[Annotations, ...] = field(default=())

    def of(self, path: str, own: Declared) -> Declared:
        """What holds for a file, given what it or its sibling says itself (section REUSE.toml, key `precedence`)."""
        covering = [(each, table) for each in self.annotations if (table := each.covers(path)) is not None]
        for place, (each, table) in enumerate(covering):
            if table.precedence == "override":
                # Nearest to the root decides; what is closer to the file is ignored, what is further up still adds.
                further = [t for _a, t in covering[:place] if t.precedence == "aggregate"]
                return _joined([_placed(table.declared, each), *(t.declared for t in further)])
        added = [_placed(table.declared, each) for each, table in covering if table.precedence == "aggregate"]
        closest = [_placed(table.declared, each) for each, table in reversed(covering) if table.precedence == "closest"]
        return _joined([_filled(own, closest), *added])


def _placed(declared: Declared, place: Annotations) -> Declared:
    source = f"{place.folder}/{REUSE_TOML}" if place.folder else REUSE_TOML
    return Declared(declared.licences, declared.copyrights, source, declared.unreadable)


def _filled(own: Declared, closest: list[Declared]) -> Declared:
    """The file's own words; where it has none, the closest table's, for licence and copyright apart."""
    by_licence = next((each for each in closest if each.licences), Declared())
    by_notice = next((each for each in closest if each.copyrights), Declared())
    licences, source = (own.licences, own.source) if own.licences else (by_licence.licences, by_licence.source)
    return Declared(licences, own.copyrights or by_notice.copyrights, source or own.source, own.unreadable)


def _joined(several: Iterable[Declared]) -> Declared:
    listed = [each for each in several if each.licences or each.copyrights or each.unreadable]
    return Declared(
        tuple(dict.fromkeys(x for each in listed for x in each.licences)),
        tuple(dict.fromkeys(x for each in listed for x in each.copyrights)),
        ", ".join(dict.fromkeys(each.source for each in listed if each.source)),
        tuple(dict.fromkeys(x for each in listed for x in each.unreadable)),
    )


def header(text: str, *, source: str) -> Declared:
    """What the tags in a text say (section Comment headers; Ignore block). Unreadable expressions are kept apart."""
    text = IGNORED.sub("", text[:HEADER_BYTES])
    values = [CLOSING.sub("", found["value"]).strip() for found in TAG.finditer(text)]
    read = {value: as_spdx(value) for value in values if value}
    return Declared(
        tuple(dict.fromkeys(spdx for spdx in read.values() if spdx)),
        tuple(dict.fromkeys(CLOSING.sub("", found["value"]).strip() for found in NOTICE.finditer(text))),
        source,
        tuple(value for value, spdx in read.items() if not spdx),
    )


def annotations(text: str, *, folder: str) -> Annotations:
    """A REUSE.toml. One that cannot be read says nothing, and says why."""
    if len(text) > MOST_TOML:
        return Annotations(folder, fault=f"{REUSE_TOML} is larger than {MOST_TOML // 1024} KB")
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Annotations(folder, fault=str(error)[:200] or "it is nested too deeply")
    if data.get("version") != 1 or isinstance(data.get("version"), bool):
        return Annotations(folder, fault="it lacks “version = 1”")
    listed = data.get("annotations", [])
    if not isinstance(listed, list) or len(listed) > MOST_TABLES:
        return Annotations(folder, fault="“annotations” is no list of tables")
    return Annotations(folder, tuple(_table(each) for each in listed if isinstance(each, dict)))


def _table(data: Mapping[str, Any]) -> Table:
    said = _strings(data.get("SPDX-License-Identifier"))
    read = {value: as_spdx(value) for value in said}
    precedence = data.get("precedence", "closest")
    return Table(
        _strings(data.get("path")),
        precedence if precedence in {"closest", "aggregate", "override"} else "closest",
        Declared(
            tuple(dict.fromkeys(spdx for spdx in read.values() if spdx)),
            _strings(data.get("SPDX-FileCopyrightText")),
            "",
            tuple(value for value, spdx in read.items() if not spdx),
        ),
    )


def _strings(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(each.strip() for each in listed if isinstance(each, str) and each.strip())


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """`*` is everything but a slash, `**` and `**/` everything; a backslash lets the next letter stand for itself."""
    out, at = [], 0
    while at < len(glob):
        if glob.startswith("**", at):
            out.append(".*")
            at += 3 if glob.startswith("**/", at) else 2
            while glob.startswith("*", at):
                at += 1
        elif glob[at] == "*":
            out.append("[^/]*")
            at += 1
        else:
            at += glob[at] == "\\" and at + 1 < len(glob)
            out.append(re.escape(glob[at]))
            at += 1
    return re.compile("".join(out))
