"""How many shapes a file places, counted before a reader unfolds them: a kilobyte can place millions."""

import re
import zipfile
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from designs.engine.errors import Unreadable

MAX_PLACED = 2000
MAX_DRAWN_LINES = 200_000
MAX_NODES = 100_000


@dataclass(slots=True)
class Node:
    """A thing that holds `own` shapes and places others, each so many times."""

    own: int = 0
    places: list[tuple[Hashable, int]] = field(default_factory=list)


def count(nodes: Mapping[Hashable, Node], roots: Iterable[Hashable]) -> int:
    """Shapes that unfold from the roots. Raises Unreadable where something contains itself, at any distance."""
    totals: dict[Hashable, int] = {}
    listed = list(roots)
    todo, above = list(listed), set[Hashable]()
    while todo:
        here = todo[-1]
        node = nodes.get(here, Node())
        waiting = [child for child, _times in node.places if child not in totals]
        if here in totals:
            todo.pop()
        elif waiting:
            above.add(here)
            if not above.isdisjoint(waiting):
                raise Unreadable("A part of the file contains itself.")
            todo += waiting
        else:
            totals[here] = node.own + sum(totals[child] * times for child, times in node.places)
            above.discard(here)
            todo.pop()
    return sum(totals[root] for root in listed)


def check_3mf(path: Path) -> None:
    """Objects, their components and what the build places, over all model documents of the package."""
    nodes: dict[Hashable, Node] = {}
    roots: list[Hashable] = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.lower().endswith(".model"):
                _read_model(archive.read(name), name.lower().lstrip("/"), nodes, roots)
    if count(nodes, roots) > MAX_PLACED:
        raise Unreadable(f"The file places more than {MAX_PLACED} parts; up to that many are drawn.")


_TAG = re.compile(rb"<(?:[\w.-]+:)?(object|component|item|mesh)\b([^>]*)>")


def _read_model(raw: bytes, name: str, nodes: dict[Hashable, Node], roots: list[Hashable]) -> None:
    held: Node | None = None
    for found in _TAG.finditer(raw):
        kind, rest = found.group(1), found.group(2)
        if kind == b"object":
            held = nodes.setdefault((name, _attribute(rest, b"id")), Node())
        elif kind == b"mesh" and held is not None:
            held.own += 1
        elif kind != b"mesh":
            key = (_attribute(rest, b"path").lower().lstrip("/") or name, _attribute(rest, b"objectid"))
            if kind == b"item":
                roots.append(key)
            elif held is not None:
                held.places.append((key, 1))
        if len(nodes) + len(roots) > MAX_NODES:
            raise Unreadable(f"The file lists more than {MAX_NODES} objects.")


def _attribute(text: bytes, name: bytes) -> str:
    found = re.search(rb"(?:^|[\s:])" + name + rb"\s*=\s*[\"']([^\"']*)", text)
    return found.group(1).decode("utf-8", "replace") if found else ""


def check_gltf(document: Mapping[str, object]) -> None:
    """The nodes of a glTF document, which must be trees, and the meshes that they place."""
    listed = document.get("nodes", [])
    listed = listed if isinstance(listed, list) else []
    if len(listed) > MAX_NODES:
        raise Unreadable(f"The file lists more than {MAX_NODES} nodes.")
    nodes: dict[Hashable, Node] = {}
    seen: set[object] = set()
    for number, entry in enumerate(listed):
        children = entry.get("children", []) if isinstance(entry, dict) else []
        if not isinstance(children, list) or not all(isinstance(child, int) for child in children):
            raise Unreadable("The nodes of the glTF document cannot be read.")
        if len(set(children)) < len(children) or not seen.isdisjoint(children):
            raise Unreadable("A node of the file hangs at two places; glTF allows one.")
        seen |= set(children)
        nodes[number] = Node(int("mesh" in entry), [(child, 1) for child in children])
    if count(nodes, nodes) and count(nodes, [n for n in nodes if n not in seen]) > MAX_PLACED:
        raise Unreadable(f"The file places more than {MAX_PLACED} parts; up to that many are drawn.")


def check_dxf(path: Path) -> None:
    """Blocks of a text DXF and how often they are placed; a grid of a block counts each of its places."""
    nodes: dict[Hashable, Node] = {None: Node()}
    here: Hashable = None
    kind, name, columns, rows = b"", "", 1, 1
    for code, value in [*_pairs(path), (b"0", b"EOF")]:
        if code == b"0":
            if kind == b"INSERT":
                nodes[here].places.append((name, max(1, columns) * max(1, rows)))
            elif kind == b"BLOCK":
                here = name
                nodes.setdefault(here, Node())
            elif kind in {b"ENDBLK", b"ENDSEC"}:
                here = None
            elif kind:
                nodes[here].own += 1
            kind, name, columns, rows = value.upper(), "", 1, 1
        elif code == b"2":
            name = value.decode("utf-8", "replace").lower()
        elif kind == b"INSERT" and code in {b"70", b"71"} and value.isdigit() and len(value) < 12:
            columns, rows = (int(value), rows) if code == b"70" else (columns, int(value))
    if count(nodes, [None]) > MAX_DRAWN_LINES:
        raise Unreadable(f"The drawing unfolds to more than {MAX_DRAWN_LINES} lines; up to that many are drawn.")


def _pairs(path: Path) -> Sequence[tuple[bytes, bytes]]:
    """Group codes and values; a binary DXF has none that we read."""
    with path.open("rb") as file:
        if file.read(22).startswith(b"AutoCAD Binary DXF"):
            return []
        file.seek(0)
        lines = [line.strip() for line in file]
    return list(zip(lines[::2], lines[1::2], strict=False))
