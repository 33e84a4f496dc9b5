"""Parts in the head of a Markdown file (YAML between two lines of ---) and in OKH manifests."""

import re
from collections.abc import Mapping
from typing import Any

from designs.bom.cells import Reading, line_of
from designs.bom.lines import Bom, Finding, Line
from designs.bom.table import MAX_ROWS
from designs.bom.words import heading
from designs.okh.documents import Unreadable, read_yaml
from designs.okh.manifest import Manifest

HEAD = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.{0,200000}?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
KEYS = ("bom", "bill of materials", "parts", "parts list", "components", "materials", "stuckliste", "nomenclature")
COUNTED = re.compile(r"(\d+(?:[.,]\d+)?)\s*[x×]\s+(.+)|(.+?)\s+[x×]\s*(\d+)")


def read_front_matter(text: str, path: str = "", *, site: str = "") -> Bom | None:
    """The parts in a Markdown file's head under `bom`, `parts` or `components`; None where there are none."""
    head = HEAD.match(text)
    if head is None:
        return None
    try:
        document = read_yaml(head[1])
    except Unreadable as fault:
        row = fault.line + 1 if fault.line else 0
        named = any(re.search(rf"^{key}\s*:", head[1], re.MULTILINE | re.IGNORECASE) for key in KEYS)
        return Bom(path, (), (Finding("error", row, fault.sentence),), "front") if named else None
    key = next((key for key in document.values if _plain(key) in KEYS), None)
    if key is None or not isinstance(document.values[key], list | dict):
        return None
    reading = Reading(site=site)
    lines = []
    for number, cells in enumerate(_items(document.values[key], reading)[:MAX_ROWS]):
        row = document.place((key, number))[0] + 1
        line = line_of(cells, row, reading)
        lines += [line] if line else []
    return Bom(path, tuple(lines), tuple(reading.findings), "front")


def _plain(key: str) -> str:
    return " ".join(re.sub(r"[_-]", " ", key.casefold()).split())


def _items(value: list[Any] | dict[str, Any], reading: Reading) -> list[dict[str, str]]:
    if isinstance(value, dict):
        return [_named(name, item, reading) for name, item in value.items()]
    return [_cells(item, reading) if isinstance(item, dict) else _counted(str(item)) for item in value]


def _named(name: str, item: Any, reading: Reading) -> dict[str, str]:
    """`M3 screw: 4` or `M3 screw: {quantity: 4, …}`."""
    cells = _cells(item, reading) if isinstance(item, dict) else {"quantity": "" if item is None else str(item)}
    return {"name": name, **cells}


def _cells(item: Mapping[str, Any], reading: Reading) -> dict[str, str]:
    cells: dict[str, str] = {}
    for key, value in item.items():
        field, unit = heading(key)
        if not field or isinstance(value, list | dict) or value is None:
            continue
        text = str(value)
        if unit and field.startswith(("mass", "cost")) and re.fullmatch(r"[\d.,]+", text):
            text = f"{text} {unit}"
        cells.setdefault(field, text)
    return cells


def _counted(text: str) -> dict[str, str]:
    """`4 x M3 screw` or `M3 screw x4`."""
    found = COUNTED.fullmatch(text.strip()[:300])
    if found is None:
        return {"name": text}
    return {"name": found[2] or found[3], "quantity": found[1] or found[4]}


def from_manifest(manifest: Manifest, path: str = "") -> Bom | None:
    """The parts that an OKH manifest describes; None where it describes none."""
    lines = tuple(
        Line(
            name=part.name or (part.source or part.export or ("",))[0],
            quantity=part.quantity if part.quantity is not None else 1.0,
            mass_g=part.mass_g,
            path=(part.export or part.source or ("",))[0].removeprefix("/"),
            material=part.material,
            note=part.process,
        )
        for part in manifest.parts
        if part.name or part.source or part.export
    )
    return Bom(path, lines, (), "okh") if lines else None
