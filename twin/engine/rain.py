"""Where heavy rain runs and stands, on a terrain raster: sinks filled, then flow by the steepest way down.

Sinks: priority flood (Barnes, Lehman and Mulla 2014, Computers & Geosciences 62, 117-127): water stands as high as
the lowest rim on its way out of the raster. Flow: D8 (O'Callaghan and Mark 1984): each cell gives all its water to
the neighbour that lies lowest for its distance; flat water gives it the way it was flooded from. Rim and cells
without data let water out. There are no drains, no infiltration and no time in this: it says where, not how much.
"""

import heapq
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from energy.engine.compiled import compiled
from twin.engine.errors import Unreadable

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

LARGEST_CELLS = 25_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Heights in metres (rows from north, columns from west; NaN: no data), the corner and the side of a cell."""

    z_m: Floats
    west_m: float
    south_m: float
    cell_m: float

    def at(self, xy_m: Floats) -> tuple[Ints, Ints]:
        """Row and column of positions (n, 2); -1 outside."""
        column = np.floor((xy_m[:, 0] - self.west_m) / self.cell_m).astype(np.int64)
        row = len(self.z_m) - 1 - np.floor((xy_m[:, 1] - self.south_m) / self.cell_m).astype(np.int64)
        out = (column < 0) | (row < 0) | (column >= self.z_m.shape[1]) | (row >= len(self.z_m))
        return np.where(out, -1, row), np.where(out, -1, column)


@dataclass(frozen=True, slots=True)
class Rain:
    """`depth_m`: how deep water stands where it cannot run off; `upstream`: cells whose water passes, itself too."""

    depth_m: Floats
    upstream: Floats


def read_ascii(text: str, name: str = "") -> Grid:
    """An ESRI ASCII grid. Raises `Unreadable`."""
    head: dict[str, float] = {}
    lines = text.splitlines()
    start = 0
    for start, line in enumerate(lines):
        words = line.split()
        if len(words) != 2 or not words[0][:1].isalpha():
            break
        try:
            head[words[0].lower()] = float(words[1])
        except ValueError as fault:
            raise Unreadable("broken", f"{name}:{start + 1}", line[:60]) from fault
    try:
        columns, rows, cell = int(head["ncols"]), int(head["nrows"]), head["cellsize"]
        half = cell / 2
        west = head["xllcorner"] if "xllcorner" in head else head["xllcenter"] - half
        south = head["yllcorner"] if "yllcorner" in head else head["yllcenter"] - half
    except KeyError as fault:
        raise Unreadable("unknown-format", name, str(fault)) from fault
    if not (0 < columns * rows <= LARGEST_CELLS and columns > 0 and cell > 0):
        raise Unreadable("broken", name, f"{columns} x {rows}")
    try:
        values = np.array(" ".join(lines[start:]).split(), dtype=np.float64)
    except ValueError as fault:
        raise Unreadable("broken", name, str(fault)) from fault
    if len(values) != columns * rows:
        raise Unreadable("broken", name, f"{len(values)} / {columns * rows}")
    values[values == head.get("nodata_value", -9999.0)] = np.nan
    return Grid(values.reshape(rows, columns), west, south, cell)


@compiled
def _flood(z: Floats, filled: Floats, into: Ints, order: Ints) -> int:
    """Fill sinks; `into`: the cell (flat number, -1 outside) each was flooded from; `order`: lowest first."""
    rows, columns = z.shape
    done = np.zeros((rows, columns), dtype=np.bool_)
    heap = [(0.0, 0)]
    heap.clear()
    for r in range(rows):
        for c in range(columns):
            if np.isnan(z[r, c]):
                continue
            rim = r == 0 or c == 0 or r == rows - 1 or c == columns - 1
            if not rim:
                for dr in range(-1, 2):
                    for dc in range(-1, 2):
                        rim = rim or np.isnan(z[r + dr, c + dc])
            if rim:
                done[r, c] = True
                filled[r, c] = z[r, c]
                into[r * columns + c] = -1
                heapq.heappush(heap, (z[r, c], r * columns + c))
    count = 0
    while len(heap) > 0:
        level, cell = heapq.heappop(heap)
        order[count] = cell
        count += 1
        r, c = cell // columns, cell % columns
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                a, b = r + dr, c + dc
                if a < 0 or b < 0 or a >= rows or b >= columns or done[a, b] or np.isnan(z[a, b]):
                    continue
                done[a, b] = True
                filled[a, b] = max(z[a, b], level)
                into[a * columns + b] = cell
                heapq.heappush(heap, (filled[a, b], a * columns + b))
    return count


@compiled
def _flow(filled: Floats, into: Ints, order: Ints, count: int, upstream: Floats) -> None:
    """Pass the water on, highest first, to the steepest neighbour down, else the way it was flooded from."""
    rows, columns = filled.shape
    for i in range(count - 1, -1, -1):
        cell = order[i]
        r, c = cell // columns, cell % columns
        best, to = 0.0, into[cell]
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                a, b = r + dr, c + dc
                if a < 0 or b < 0 or a >= rows or b >= columns or np.isnan(filled[a, b]):
                    continue
                fall = (filled[r, c] - filled[a, b]) / (1.4142135623730951 if dr != 0 and dc != 0 else 1.0)
                if fall > best:
                    best, to = fall, a * columns + b
        if to >= 0:
            upstream[to // columns, to % columns] += upstream[r, c]


def runoff(grid: Grid) -> Rain:
    """Standing water and passing water of each cell; NaN where there are no data."""
    z = np.ascontiguousarray(grid.z_m)
    filled = np.full(z.shape, np.nan)
    into = np.full(z.size, -1, dtype=np.int64)
    order = np.zeros(z.size, dtype=np.int64)
    count = _flood(z, filled, into, order)
    upstream = np.where(np.isnan(z), np.nan, 1.0)
    _flow(filled, into, order, count, upstream)
    return Rain(filled - z, upstream)
