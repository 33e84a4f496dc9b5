"""Reads networks and trips in the TNTP form (github.com/bstabler/TransportationNetworks): metadata in angle
brackets, then a table of links, or for each origin its "destination : trips;". `~` begins a comment.

A file that is cut off or makes no sense is refused with its line; nothing is guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import numpy as np

from twin.engine.assignment import Demand, Floats, Links

_META = re.compile(r"^\s*<\s*([^>]+?)\s*>\s*([^~]*)")
_ORIGIN = re.compile(r"^Origin\s+(\S+)\s*$", re.IGNORECASE)
_COLUMNS = ("init_node", "term_node", "capacity", "length", "free_flow_time", "b", "power", "speed", "toll")
MOST_NODES = 2_000_000


class NotTntp(Exception):
    """A file that cannot be read; says the line (0: the file as a whole) and what to mend."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}" if line else why)
        self.line = line


@dataclass(frozen=True, slots=True)
class Network:
    """A network as the file has it: its links, and the zones 1..`zones` as the nodes 0..`zones` - 1."""

    zones: int
    table: Links
    length: Floats
    toll: Floats

    def links(self) -> Links:
        """For the assignment."""
        return self.table


def network(text: str, *, toll_weight: float = 0.0, distance_weight: float = 0.0) -> Network:
    """The network of a `_net.tntp`; a link's fixed cost is its toll and length times the weights (time per unit).

    Raises NotTntp.
    """
    meta, body = _parts(text)
    zones, nodes = _count(meta, "NUMBER OF ZONES"), _count(meta, "NUMBER OF NODES")
    through = _count(meta, "FIRST THRU NODE") if "FIRST THRU NODE" in meta else 1
    if zones > nodes:
        raise NotTntp(0, f"{zones} zones, but only {nodes} nodes: mend <NUMBER OF ZONES>")
    rows = [_link(line, words, nodes) for line, words in body]
    wanted = _count(meta, "NUMBER OF LINKS") if "NUMBER OF LINKS" in meta else len(rows)
    if wanted != len(rows):
        raise NotTntp(0, f"<NUMBER OF LINKS> says {wanted}, but the table has {len(rows)}: the file may be cut off")
    table = np.array(rows, dtype=np.float64).reshape(-1, len(_COLUMNS))
    length, toll = table[:, 3].copy(), table[:, 8].copy()
    fixed = toll_weight * toll + distance_weight * length
    if (fixed < 0).any():
        raise NotTntp(0, "a toll or its weight is below 0, which a shortest way cannot take")
    links = Links(
        nodes=nodes,
        tail=table[:, 0].astype(np.int64) - 1,
        head=table[:, 1].astype(np.int64) - 1,
        free_flow=table[:, 4].copy(),
        capacity=table[:, 2].copy(),
        b=table[:, 5].copy(),
        power=table[:, 6].copy(),
        fixed=fixed,
        through=np.arange(nodes) >= through - 1,
        closed=np.zeros(len(rows), dtype=np.bool_),
    )
    return Network(zones, links, length, toll)


def trips(text: str, zones: int) -> Demand:
    """The trips of a `_trips.tntp` between the `zones` of its network. Raises NotTntp."""
    meta, body = _parts(text, table=False)
    if "NUMBER OF ZONES" in meta and _count(meta, "NUMBER OF ZONES") != zones:
        raise NotTntp(meta["NUMBER OF ZONES"][0], f"the trips are between other zones than the network's {zones}")
    found: dict[tuple[int, int], float] = {}
    origin = 0
    for line, words in body:
        if match := _ORIGIN.match(words):
            origin = _zone(line, match[1], zones)
            continue
        for entry in filter(None, (part.strip() for part in words.split(";"))):
            to, colon, amount = entry.partition(":")
            if not colon:
                raise NotTntp(line, f"“{entry[:40]}” is not “destination : trips;”")
            if not origin:
                raise NotTntp(line, "trips stand before the first “Origin”")
            pair = origin, _zone(line, to, zones)
            if pair in found:
                raise NotTntp(line, f"trips from {pair[0]} to {pair[1]} are given twice")
            found[pair] = _number(line, "trips", amount)
    total = sum(found.values())
    if "TOTAL OD FLOW" in meta:
        line, said = meta["TOTAL OD FLOW"]
        stated = _number(line, "TOTAL OD FLOW", said)
        if abs(stated - total) > 0.01 * max(stated, total):
            raise NotTntp(line, f"<TOTAL OD FLOW> says {stated:g}, but the trips sum to {total:g}: is it cut off?")
    pairs = np.array(list(found), dtype=np.int64).reshape(-1, 2) - 1
    return Demand(pairs[:, 0].copy(), pairs[:, 1].copy(), np.array(list(found.values()), dtype=np.float64))


Meta = dict[str, tuple[int, str]]


def _parts(text: str, *, table: bool = True) -> tuple[Meta, list[tuple[int, str]]]:
    """The metadata with their lines, and the lines after them that say something."""
    meta: Meta = {}
    numbered = enumerate(text.splitlines(), 1)
    for number, line in numbered:
        if match := _META.match(line):
            name = match[1].upper()
            if name == "END OF METADATA":
                return meta, list(_said(numbered, table=table))
            meta[name] = number, match[2].strip()
        elif line.split("~")[0].strip():
            raise NotTntp(number, "before <END OF METADATA> only lines such as “<NUMBER OF ZONES> 24” may stand")
    raise NotTntp(0, "there is no <END OF METADATA>: this is not a TNTP file")


def _said(numbered: Iterator[tuple[int, str]], *, table: bool) -> Iterator[tuple[int, str]]:
    for number, line in numbered:
        words = line.split("~")[0].strip()
        if table:
            words = words.rstrip(";").strip()
        if words:
            yield number, words


def _count(meta: Meta, name: str) -> int:
    """A whole number of the metadata, at least 1."""
    if name not in meta:
        raise NotTntp(0, f"<{name}> is missing")
    line, text = meta[name]
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST_NODES):
        raise NotTntp(line, f"<{name}> must be a whole number from 1 to {MOST_NODES}, not “{text[:20]}”")
    return int(text)


def _number(line: int, what: str, text: str) -> float:
    """A finite number, not below 0."""
    try:
        value = float(text)
    except ValueError:
        raise NotTntp(line, f"{what}: “{text.strip()[:20]}” is not a number") from None
    if not isfinite(value) or value < 0:
        raise NotTntp(line, f"{what}: {text.strip()[:20]} must be finite and not below 0")
    return value


def _zone(line: int, text: str, zones: int) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= zones):
        raise NotTntp(line, f"“{text[:20]}” is not one of the zones 1 to {zones}")
    return int(text)


def _link(line: int, words: str, nodes: int) -> list[float]:
    """A row of the table; speed and toll may be missing."""
    cells = words.split()
    if len(cells) < 7:
        raise NotTntp(line, f"a link has at least 7 columns ({', '.join(_COLUMNS[:7])}), here are {len(cells)}")
    cells = [*cells, "0", "0"][: len(_COLUMNS)]
    row = [_number(line, name, cell) for name, cell in zip(_COLUMNS, cells, strict=True)]
    for end, name in zip(row[:2], _COLUMNS, strict=False):
        if end != int(end) or not 1 <= end <= nodes:
            raise NotTntp(line, f"{name}: {end:g} is not one of the nodes 1 to {nodes}")
    if row[2] == 0 and row[4] > 0 and row[5] > 0 and row[6] > 0:
        raise NotTntp(line, "a link with capacity 0 whose time grows with its flow can never be used: mend or drop it")
    return row
