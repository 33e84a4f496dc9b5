"""The walking network as a sparse matrix, and the straight way from a point onto it.

Nodes are the crossings and ends of the streets that are open on foot; lengths are metres in the district's
metric system. Only the largest connected piece is kept to walk from and to (Helsinki's centre: 97.8 % of all
nodes), so that a point beside a lone pier is not cut off from the city.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WalkGraph:
    """`lengths_m`: symmetric (n, n); `xy_m`: (n, 2); both of the largest piece. `pieces`: how many pieces
    there were. `ids`: what the streets call each node, ascending.
    """

    lengths_m: "csr_array[np.float64]"
    xy_m: Floats
    pieces: int
    kept_share: float
    tree: KDTree
    ids: Ints

    def snap(self, xy_m: Floats) -> tuple[Ints, Floats]:
        """The nearest node of each point (m, 2) and the straight distance to it in metres."""
        distance_m, node = self.tree.query(xy_m)
        return node.astype(np.int64), distance_m


def graph(a: Ints, b: Ints, length_m: Floats, xy_a_m: Floats, xy_b_m: Floats) -> WalkGraph:
    """The graph of edges (m,) between node ids `a` and `b`, whose positions are (m, 2).

    Of parallel edges the shortest counts; loops are dropped. Raises ValueError when there is no edge.
    """
    ids, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    if not len(ids):
        raise ValueError("no street is open on foot")
    xy = np.empty((len(ids), 2))
    xy[place] = np.concatenate([xy_a_m, xy_b_m])
    start, end = place[: len(a)], place[len(a) :]
    matrix = _symmetric(start, end, length_m, len(ids))
    pieces, label = connected_components(matrix, directed=False)
    keep = np.flatnonzero(label == np.bincount(label).argmax())
    kept = csr_array(matrix[keep][:, keep])
    return WalkGraph(kept, xy[keep], int(pieces), len(keep) / len(ids), KDTree(xy[keep]), ids[keep].astype(np.int64))


def _symmetric(start: Ints, end: Ints, length_m: Floats, n: int) -> "csr_array[np.float64]":
    """Both directions, the shortest of parallel edges (scipy would add them up)."""
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.lexsort((length_m, high, low))
    low, high, length = low[order], high[order], np.maximum(length_m[order], 1e-3)
    first = np.ones(len(low), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    first &= low != high
    low, high, length = low[first], high[first], length[first]
    rows, columns = np.concatenate([low, high]), np.concatenate([high, low])
    return csr_array((np.concatenate([length, length]), (rows, columns)), shape=(n, n))
