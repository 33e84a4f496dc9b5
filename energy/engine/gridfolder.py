"""Reading a grid in the CSV form of SimBench: Node, Line, LineType, Transformer, TransformerType, ExternalNet, and if
they are there Load, RES, Storage, Switch, Coordinates and our own Member (member;node).

Semicolons between columns, `NULL` or nothing for what is not given, lengths in km, currents in A, power in MVA, as
Meinecke et al. 2020 (doi:10.3390/en13123290) and the files themselves have it. Closed switches join the two nodes that
they stand between; the joined node keeps the name of the one that is a busbar. What an open switch leaves behind of a
line is out of use. A folder with a mistake is refused with file, line and column; nothing is guessed.
"""

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from energy.engine.network import Line, Network, Node, Transformer
from energy.engine.refusals import FolderRefusal, gettext_noop

NEEDED = {
    "Node.csv": ("id", "vmR"),
    "ExternalNet.csv": ("id", "node"),
}
OPTIONAL = {
    "Line.csv": ("id", "nodeA", "nodeB", "type", "length"),
    "LineType.csv": ("id", "r", "x", "b", "iMax"),
    "Transformer.csv": ("id", "nodeHV", "nodeLV", "type", "tappos"),
    "TransformerType.csv": ("id", "sR", "vmHV", "vmLV", "vmImp", "pCu", "pFe", "iNoLoad"),
    "Switch.csv": ("id", "nodeA", "nodeB", "cond"),
    "Coordinates.csv": ("id", "x", "y"),
    "Load.csv": ("id", "node"),
    "RES.csv": ("id", "node"),
    "Storage.csv": ("id", "node"),
    "Member.csv": ("member", "node"),
}
SUPPLIED = ("Load.csv", "RES.csv", "Storage.csv")
MOST_NODES = 3000
MOST_BYTES = 20 * 1024 * 1024
MOST_KM = 200.0
NOTHING = ("", "NULL", "null", "nan", "NaN")


@dataclass(frozen=True)
class Folder:
    """A grid, and what its files say of who is where: `members` by their own id, `named` by the id of a load, plant
    or storage (their nodes).
    """

    network: Network
    members: Mapping[str, str]
    named: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a file with its line; `cells` without what is not given."""

    file: str
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """What stands there. Raises FolderRefusal for nothing."""
        found = self.cells.get(column, "")
        if not found:
            raise FolderRefusal(self.file, self.line, column, gettext_noop("nothing stands here; fill it in"))
        return found

    def number(self, column: str, least: float, most: float, default: float | None = None) -> float:
        """A number within bounds. Raises FolderRefusal."""
        cell = self.cells.get(column, "") if default is not None else self.text(column)
        if not cell and default is not None:
            return default
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise FolderRefusal(
                self.file,
                self.line,
                column,
                gettext_noop("“%(cell)s” is not a number; write it with a decimal point"),
                cell=cell,
            )
        if not least <= value <= most:
            raise FolderRefusal(
                self.file,
                self.line,
                column,
                gettext_noop("%(value)g is not between %(least)g and %(most)g; correct the value or its unit"),
                value=value,
                least=least,
                most=most,
            )
        return value


_MISSING = gettext_noop(
    "the file is missing; a grid in the form of SimBench has Node.csv, ExternalNet.csv, Line.csv with LineType.csv and "
    "Transformer.csv with TransformerType.csv"
)


def read(folder: Path) -> Folder:
    """Read and check a folder. Raises FolderRefusal."""
    tables = {name: _table(folder, name, columns, needed=True) for name, columns in NEEDED.items()}
    tables |= {name: _table(folder, name, columns, needed=False) for name, columns in OPTIONAL.items()}
    for rows, types in (("Line.csv", "LineType.csv"), ("Transformer.csv", "TransformerType.csv")):
        if tables[rows] and not tables[types]:
            raise FolderRefusal(types, 0, "", _MISSING)
    if not tables["Line.csv"] and not tables["Transformer.csv"]:
        raise FolderRefusal("Line.csv", 0, "", _MISSING)
    nodes = _nodes(tables)
    joined = _joined(nodes, tables["Switch.csv"])
    lines = _lines(tables, joined, nodes)
    transformers = _transformers(tables, joined, nodes)
    source, source_pu = _source(tables["ExternalNet.csv"], nodes, joined)
    supplied = {_place(row, "node", joined): row for name in SUPPLIED for row in tables[name]}
    kept = _connected(nodes, joined, lines, transformers, source, supplied)
    network = Network(
        [replace(nodes[id][0], supply=id in supplied) for id in kept],
        [line for line in lines if line.a in kept],
        [t for t in transformers if t.high in kept],
        source,
        source_pu,
    )
    named = {row.text("id"): _place(row, "node", joined) for name in SUPPLIED for row in tables[name]}
    members = {row.text("member"): _place(row, "node", joined) for row in tables["Member.csv"]}
    for row in tables["Member.csv"]:
        if members[row.text("member")] not in kept:
            raise FolderRefusal(row.file, row.line, "node", _ISLAND, node=row.text("node"), source=source)
    return Folder(network, members, named)


def content_sha256(folder: Path) -> str:
    """One hash over the bytes of the files that are read, in their fixed order."""
    digest = hashlib.sha256()
    for name in (*NEEDED, *OPTIONAL):
        path = folder / name
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _table(folder: Path, name: str, columns: Sequence[str], *, needed: bool) -> list[_Row]:
    path = folder / name
    if not path.is_file():
        if needed:
            raise FolderRefusal(name, 0, "", _MISSING)
        return []
    if path.stat().st_size > MOST_BYTES:
        raise FolderRefusal(
            name, 0, "", gettext_noop("the file is larger than 20 MB; cut the grid of one transformer out")
        )
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FolderRefusal(name, line, "", gettext_noop("this is not UTF-8 text; save the file as UTF-8")) from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    header = [cell.strip() for cell in next(reader, [])]
    for column in columns:
        if column not in header:
            words = gettext_noop("this column is missing; add it, with semicolons between columns")
            raise FolderRefusal(name, 1, column, words)
    rows = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise FolderRefusal(
                name,
                reader.line_num,
                "",
                gettext_noop("%(n)d values for %(m)d columns; complete the row"),
                n=len(cells),
                m=len(header),
            )
        known = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
        rows.append(_Row(name, reader.line_num, {k: v for k, v in known.items() if v not in NOTHING}))
    return rows


def _nodes(tables: Mapping[str, Sequence[_Row]]) -> dict[str, tuple[Node, _Row]]:
    rows = tables["Node.csv"]
    if len(rows) > MOST_NODES:
        words = gettext_noop("%(n)d nodes are more than %(most)d; cut the grid of one transformer out")
        raise FolderRefusal("Node.csv", 0, "", words, n=len(rows), most=MOST_NODES)
    spots = {row.text("id"): row for row in tables["Coordinates.csv"]}
    found: dict[str, tuple[Node, _Row]] = {}
    for row in rows:
        id = row.text("id")
        if id in found:
            raise FolderRefusal(row.file, row.line, "id", _TWICE, id=id)
        spot = spots.get(row.cells.get("coordID", ""))
        x, y = ((spot.number(axis, -1e9, 1e9)) for axis in ("x", "y")) if spot else (None, None)
        found[id] = (Node(id, row.number("vmR", 0.1, 400.0), x, y), row)
    return found


_TWICE = gettext_noop("“%(id)s” stands twice; give each its own id")
_UNKNOWN_NODE = gettext_noop("Node.csv has no node “%(node)s”; add it or correct the name")
_ISLAND = gettext_noop(
    "no line or transformer leads from “%(node)s” to the external net at “%(source)s”; connect it or take it out"
)


def _joined(nodes: Mapping[str, tuple[Node, _Row]], switches: Sequence[_Row]) -> dict[str, str]:
    """Which node stands for each: closed switches make one of two, and a busbar is kept before an auxiliary node."""
    stands = {id: id for id in nodes}

    def find(id: str) -> str:
        while stands[id] != id:
            stands[id] = stands[stands[id]]
            id = stands[id]
        return id

    for row in switches:
        a, b = (_known(row, column, nodes) for column in ("nodeA", "nodeB"))
        if row.number("cond", 0, 1) != 1:
            continue
        first, second = find(a), find(b)
        if first != second:
            keep, drop = sorted((first, second), key=lambda id: (_auxiliary(nodes[id][1]), list(nodes).index(id)))
            stands[drop] = keep
    return {id: find(id) for id in nodes}


def _auxiliary(row: _Row) -> bool:
    return row.cells.get("type", "") == "auxiliary"


def _known(row: _Row, column: str, nodes: Mapping[str, object]) -> str:
    id = row.text(column)
    if id not in nodes:
        raise FolderRefusal(row.file, row.line, column, _UNKNOWN_NODE, node=id)
    return id


def _place(row: _Row, column: str, joined: Mapping[str, str]) -> str:
    return joined[_known(row, column, joined)]


def _types(rows: Sequence[_Row]) -> dict[str, _Row]:
    return {row.text("id"): row for row in rows}


def _type(row: _Row, types: Mapping[str, _Row], file: str) -> _Row:
    name = row.text("type")
    if name not in types:
        words = gettext_noop("%(file)s has no type “%(type)s”; add it there or name another")
        raise FolderRefusal(row.file, row.line, "type", words, file=file, type=name)
    return types[name]


def _lines(
    tables: Mapping[str, Sequence[_Row]], joined: Mapping[str, str], nodes: Mapping[str, tuple[Node, _Row]]
) -> list[Line]:
    types = _types(tables["LineType.csv"])
    found: dict[str, Line] = {}
    for row in tables["Line.csv"]:
        id, a, b = row.text("id"), _place(row, "nodeA", joined), _place(row, "nodeB", joined)
        kind = _type(row, types, "LineType.csv")
        km = row.number("length", -1e9, 1e9)
        if not 0 < km <= MOST_KM:
            words = gettext_noop("a line of %(km)g km cannot be; write its length in km, above 0 and to %(most)g")
            raise FolderRefusal(row.file, row.line, "length", words, km=km, most=MOST_KM)
        if a == b:
            words = gettext_noop("the line begins and ends at the same node; correct one end")
            raise FolderRefusal(row.file, row.line, "nodeB", words)
        kv = nodes[a][0].kv, nodes[b][0].kv
        if kv[0] != kv[1]:
            words = gettext_noop("the ends have %(a)g and %(b)g kV; a line joins one voltage, a transformer two")
            raise FolderRefusal(row.file, row.line, "nodeB", words, a=kv[0], b=kv[1])
        if id in found:
            raise FolderRefusal(row.file, row.line, "id", _TWICE, id=id)
        found[id] = Line(
            id,
            a,
            b,
            km,
            row.text("type"),
            kind.number("r", 1e-6, 1e3),
            kind.number("x", 0, 1e3),
            kind.number("b", 0, 1e6, 0.0),
            kind.number("iMax", 1e-3, 1e6),
            row.number("loadingMax", 1, 1000, 100.0),
        )
    return list(found.values())


def _transformers(
    tables: Mapping[str, Sequence[_Row]], joined: Mapping[str, str], nodes: Mapping[str, tuple[Node, _Row]]
) -> list[Transformer]:
    types = _types(tables["TransformerType.csv"])
    found: dict[str, Transformer] = {}
    for row in tables["Transformer.csv"]:
        id, high, low = row.text("id"), _place(row, "nodeHV", joined), _place(row, "nodeLV", joined)
        if id in found:
            raise FolderRefusal(row.file, row.line, "id", _TWICE, id=id)
        kind = _type(row, types, "TransformerType.csv")
        if nodes[high][0].kv <= nodes[low][0].kv:
            words = gettext_noop("“%(high)s” has no higher voltage than “%(low)s”; exchange or correct the ends")
            raise FolderRefusal(row.file, row.line, "nodeHV", words, high=high, low=low)
        position = row.number("tappos", -100, 100, 0.0)
        neutral = kind.number("tapNeutr", -100, 100, 0.0)
        least, most = kind.number("tapMin", -100, 100, -100.0), kind.number("tapMax", -100, 100, 100.0)
        if not least <= position <= most:
            words = gettext_noop("the tap stands at %(tap)g, but goes from %(least)g to %(most)g; correct it")
            raise FolderRefusal(row.file, row.line, "tappos", words, tap=position, least=least, most=most)
        mva, copper_kw = kind.number("sR", 1e-3, 1e4), kind.number("pCu", 0, 1e5)
        short = kind.number("vmImp", 0.1, 50)
        if copper_kw / (10 * mva) > short:
            words = gettext_noop(
                "its copper losses are above its short-circuit voltage; correct pCu (kW) or vmImp (%%)"
            )
            raise FolderRefusal(kind.file, kind.line, "pCu", words)
        found[id] = Transformer(
            id,
            high,
            low,
            row.text("type"),
            mva,
            kind.number("vmHV", 0.1, 1000),
            kind.number("vmLV", 0.1, 1000),
            short,
            copper_kw,
            kind.number("pFe", 0, 1e4, 0.0),
            kind.number("iNoLoad", 0, 50, 0.0),
            kind.cells.get("tapside", "HV").upper() != "LV",
            kind.number("dVm", 0, 50, 0.0) if kind.cells.get("tapable", "1") != "0" else 0.0,
            round(position - neutral),
            row.number("loadingMax", 1, 1000, 100.0),
        )
    return list(found.values())


def _source(
    rows: Sequence[_Row], nodes: Mapping[str, tuple[Node, _Row]], joined: Mapping[str, str]
) -> tuple[str, float]:
    feeds = [row for row in rows if row.cells.get("calc_type", "vavm") in ("vavm", "vm", "va")]
    if not feeds:
        words = gettext_noop("there is no external net (calc_type vavm); say at which node the power comes in")
        raise FolderRefusal("ExternalNet.csv", 0, "calc_type", words)
    places = {_place(row, "node", joined) for row in feeds}
    if len(places) > 1:
        words = gettext_noop("power comes in at %(n)d nodes; keep one external net for the grid of one transformer")
        raise FolderRefusal("ExternalNet.csv", feeds[1].line, "node", words, n=len(places))
    node = nodes[feeds[0].text("node")][1]
    return places.pop(), node.number("vmSetp", 0.8, 1.2, 1.0)


def _connected(  # noqa: PLR0917 all parts of the grid
    nodes: Mapping[str, tuple[Node, _Row]],
    joined: Mapping[str, str],
    lines: Sequence[Line],
    transformers: Sequence[Transformer],
    source: str,
    supplied: Mapping[str, _Row],
) -> dict[str, None]:
    """Nodes in the order of their file that the source reaches. Others are refused, unless they are what an open switch
    leaves behind.
    """
    beside: dict[str, list[str]] = {}
    for a, b in [(line.a, line.b) for line in lines] + [(t.high, t.low) for t in transformers]:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    reached, to_do = {source}, [source]
    while to_do:
        for other in beside.get(to_do.pop(), ()):
            if other not in reached:
                reached.add(other)
                to_do.append(other)
    for id, row in supplied.items():
        if id not in reached:
            raise FolderRefusal(row.file, row.line, "node", _ISLAND, node=row.text("node"), source=source)
    for id, (_node, row) in nodes.items():
        if joined[id] not in reached and not _auxiliary(row):
            raise FolderRefusal(row.file, row.line, "id", _ISLAND, node=id, source=source)
    return {id: None for id in nodes if joined[id] == id and id in reached}
