"""A low-voltage grid as the engine takes it: places, lines, transformers and where the power comes from.

Pure Python, so that pages may read it; `grid` makes numbers of it and `gridfolder` reads it from files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """A place where lines meet. `kv` is its nominal voltage between two phases; x and y are as the file has them."""

    id: str
    kv: float
    x: float | None = None
    y: float | None = None
    supply: bool = False  # the file has a load or a plant here: somebody is connected


@dataclass(frozen=True, slots=True)
class Line:
    """A cable or overhead line between two nodes; r and x in ohm a km, b in microsiemens a km, one of three phases."""

    id: str
    a: str
    b: str
    km: float
    type: str
    r_ohm_per_km: float
    x_ohm_per_km: float
    b_us_per_km: float
    most_a: float
    most_percent: float = 100.0


@dataclass(frozen=True, slots=True)
class Transformer:
    """A transformer with the losses of its plate; the tap raises the ratio of its side by `tap_percent` a step."""

    id: str
    high: str
    low: str
    type: str
    mva: float
    high_kv: float
    low_kv: float
    short_percent: float
    copper_kw: float
    iron_kw: float
    idle_percent: float
    tap_high: bool = True
    tap_percent: float = 0.0
    tap_steps: int = 0  # position less neutral
    most_percent: float = 100.0


@dataclass(frozen=True)
class Network:
    """A grid with one source, whose voltage is held at `source_pu` of nominal."""

    nodes: Sequence[Node]
    lines: Sequence[Line]
    transformers: Sequence[Transformer]
    source: str
    source_pu: float = 1.0

    @cached_property
    def place(self) -> dict[str, int]:
        """The row of each node."""
        return {node.id: i for i, node in enumerate(self.nodes)}

    @cached_property
    def ends(self) -> list[tuple[str, str]]:
        """Both ends of each branch: lines, then transformers (high, low)."""
        return [(line.a, line.b) for line in self.lines] + [(t.high, t.low) for t in self.transformers]

    @property
    def branch_names(self) -> list[str]:
        """Lines, then transformers."""
        return [line.id for line in self.lines] + [t.id for t in self.transformers]

    @property
    def radial(self) -> bool:
        """Whether there is exactly one way from the source to every node."""
        return len(self.ends) == len(self.nodes) - 1

    @cached_property
    def homes(self) -> list[str]:
        """Nodes where somebody can be connected: those with a load or a plant in the file; without any, all ends of
        lines at the lowest voltage but the transformers' own.
        """
        with_supply = [node.id for node in self.nodes if node.supply]
        if with_supply:
            return with_supply
        low = min(node.kv for node in self.nodes)
        own = {self.source} | {end for t in self.transformers for end in (t.high, t.low)}
        return [node.id for node in self.nodes if node.kv == low and node.id not in own] or [self.source]

    @cached_property
    def root(self) -> str:
        """Where something that is the whole community's is connected: the low side of the first transformer."""
        return self.transformers[0].low if self.transformers else self.source

    def reached(self) -> list[tuple[int, int, int]]:
        """Nodes as they are found from the source: node, the node before it, the branch between them (-1, -1 first)."""
        by_node: dict[str, list[tuple[int, str]]] = {node.id: [] for node in self.nodes}
        for k, (a, b) in enumerate(self.ends):
            by_node[a].append((k, b))
            by_node[b].append((k, a))
        found, seen = [(self.place[self.source], -1, -1)], {self.source}
        for at, _before, _branch in found:
            for k, other in by_node[self.nodes[at].id]:
                if other not in seen:
                    seen.add(other)
                    found.append((self.place[other], at, k))
        return found

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "nodes": [asdict(node) for node in self.nodes],
            "lines": [asdict(line) for line in self.lines],
            "transformers": [asdict(t) for t in self.transformers],
            "source": self.source,
            "source_pu": self.source_pu,
        }


def from_dict(document: Mapping[str, Any]) -> Network:
    """What `as_dict` made."""
    return Network(
        [Node(**row) for row in document["nodes"]],
        [Line(**row) for row in document["lines"]],
        [Transformer(**row) for row in document["transformers"]],
        document["source"],
        document["source_pu"],
    )
