"""From the lines of a drawing to what a cutter meets: closed and open contours, gaps, lines drawn twice, areas."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

#: Ends nearer than this are one point; wider openings are gaps.
JOIN_MM = 0.05
#: An opening up to this is likely meant to be closed.
NEAR_MM = 2.0
#: Lines nearer than this, in the same direction, lie on one another.
SAME_MM = 0.02


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the file has it: points (n, 2) in mm, and the layer or colour that says the operation."""

    points: Points
    layer: str


@dataclass(frozen=True, slots=True)
class Contour:
    """Lines joined at their ends. `points` (n, 2) mm; a closed one ends where it begins."""

    points: Points
    closed: bool

    @property
    def length_mm(self) -> float:
        """How long the cut is."""
        return length_mm(self.points)

    @property
    def area_mm2(self) -> float:
        """The area inside a closed contour, 0 of an open one."""
        x, y = (self.points - self.points[0]).T
        return abs(float(x[:-1] @ y[1:] - x[1:] @ y[:-1])) / 2 if self.closed else 0.0


def length_mm(points: Points) -> float:
    """Along a line of points."""
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def without_repeats(lines: list[Line]) -> list[Line]:
    """Each line once, whichever way it runs and wherever a ring begins."""
    seen, kept = set(), []
    for line in lines:
        key = _key(line.points)
        if key not in seen:
            seen.add(key)
            kept.append(line)
    return kept


def _key(points: Points) -> bytes:
    cells = np.round(points / SAME_MM).astype(np.int64)
    if len(cells) > 2 and (cells[0] == cells[-1]).all():
        cells = cells[:-1]
        cells = cells[np.lexsort(cells.T)]
    elif tuple(cells[0]) > tuple(cells[-1]):
        cells = cells[::-1]
    return cells.tobytes()


def join(lines: list[Line]) -> list[Contour]:
    """Contours of lines, joined where exactly two ends meet; a meeting of three or more is left as it is."""
    contours, open_lines = [], []
    for line in lines:
        points = _without_stops(line.points)
        if len(points) < 2:
            continue
        if len(points) > 2 and np.hypot(*(points[0] - points[-1])) <= JOIN_MM:
            contours.append(_closed(points))
        else:
            open_lines.append(points)
    return contours + _chains(open_lines)


def _without_stops(points: Points) -> Points:
    keep = np.concatenate([[True], np.hypot(*np.diff(points, axis=0).T) > 1e-9])
    kept: Points = points[keep]
    return kept


def _closed(points: Points) -> Contour:
    """A ring; what was open by less than the tolerance is pulled shut."""
    return Contour(np.vstack([points[:-1], points[:1]]), closed=True)


def _chains(lines: list[Points]) -> list[Contour]:
    if not lines:
        return []
    ends = np.vstack([[line[0], line[-1]] for line in lines])
    place = _places(ends)
    at: dict[int, list[int]] = {}
    for end, spot in enumerate(place.tolist()):
        at.setdefault(spot, []).append(end)
    used, contours = np.zeros(len(lines), bool), []
    starts = [end for spot, ends_here in at.items() if len(ends_here) != 2 for end in ends_here]
    for start in [*starts, *range(0, 2 * len(lines), 2)]:
        if not used[start // 2]:
            contours.append(_walk(start, lines, place, at, used))
    return contours


def _walk(start: int, lines: list[Points], place: npt.NDArray[np.int64], at: dict[int, list[int]],
          used: npt.NDArray[np.bool_]) -> Contour:  # fmt: skip
    """Follow the lines from this end (2 × line, + 1 for its last point) to a dead end, a fork or around."""
    pieces: list[Points] = []
    end, first = start, int(place[start])
    while True:
        used[end // 2] = True
        points = lines[end // 2] if end % 2 == 0 else lines[end // 2][::-1]
        pieces.append(points if not pieces else points[1:])
        spot = int(place[end ^ 1])
        here = at[spot]
        onward = [other for other in here if not used[other // 2]]
        if spot == first or len(here) != 2 or not onward:
            break
        end = onward[0]
    joined = np.vstack(pieces)
    return _closed(joined) if spot == first and len(joined) > 3 else Contour(joined, closed=False)


def _places(ends: Points) -> npt.NDArray[np.int64]:
    """For each end the number of its place; ends within JOIN_MM share one."""
    from scipy.sparse import coo_matrix  # noqa: PLC0415 heavy, and only in the sandbox
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415
    from scipy.spatial import cKDTree  # noqa: PLC0415

    spots, number = np.unique(np.round(ends / (JOIN_MM / 50)), axis=0, return_inverse=True)
    pairs = cKDTree(spots * (JOIN_MM / 50)).query_pairs(JOIN_MM, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), (len(spots), len(spots)))
    _count, label = connected_components(links, directed=False)
    places: npt.NDArray[np.int64] = label[number.reshape(-1)].astype(np.int64)
    return places


def gaps(contours: list[Contour]) -> list[tuple[float, float, float]]:
    """Small openings: (size, x, y) in mm between an open end and the nearest other one, widest first."""
    from scipy.spatial import cKDTree  # noqa: PLC0415

    ends = [point for one in contours if not one.closed for point in (one.points[0], one.points[-1])]
    if len(ends) < 2:
        return []
    spots = np.array(ends)
    distance, nearest = cKDTree(spots).query(spots, k=2)
    found = {
        (min(i, j), max(i, j)): (round(float(d), 3), *(round(float(c), 2) for c in (spots[i] + spots[j]) / 2))
        for i, (d, j) in enumerate(zip(distance[:, 1].tolist(), nearest[:, 1].tolist(), strict=True))
        if JOIN_MM < d <= NEAR_MM
    }
    return sorted(found.values(), reverse=True)  # type: ignore[arg-type]


def enclosed_mm2(contours: list[Contour]) -> float:
    """The area that comes out: rings in rings are holes, rings in holes are parts again."""
    from shapely import STRtree, points, polygons, prepare  # noqa: PLC0415

    rings = [one for one in contours if one.closed and len(one.points) > 3 and one.area_mm2 > 1e-6]
    if not rings:
        return 0.0
    shapes = np.array([polygons(one.points) for one in rings])
    prepare(shapes)
    inner = points(np.array([(one.points[0] + one.points[1]) / 2 for one in rings]))
    holder = STRtree(shapes).query(inner, predicate="within")
    depth = np.zeros(len(rings), np.int64)
    for ring, around in holder.T.tolist():
        depth[ring] += ring != around and rings[around].area_mm2 > rings[ring].area_mm2
    return float(sum(one.area_mm2 * (1 if d % 2 == 0 else -1) for one, d in zip(rings, depth.tolist(), strict=True)))


def doubled_mm(lines: list[Line]) -> float:
    """How much of the drawing lies on another line of it, so that it would be cut twice (straight pieces, mm)."""
    if not lines:
        return 0.0
    starts = np.vstack([line.points[:-1] for line in lines])
    ends = np.vstack([line.points[1:] for line in lines])
    step = ends - starts
    size = np.hypot(*step.T)
    starts, step, size = starts[size > 1e-6], step[size > 1e-6], size[size > 1e-6]
    if not len(size):
        return 0.0
    along = step / size[:, None]
    along = np.where(
        ((along[:, 0] < -1e-9) | ((np.abs(along[:, 0]) <= 1e-9) & (along[:, 1] < 0)))[:, None], -along, along
    )
    offset = along[:, 0] * starts[:, 1] - along[:, 1] * starts[:, 0]
    turn = np.round(np.arctan2(along[:, 1], along[:, 0]) / 1e-4).astype(np.int64)
    turn[turn == round(-np.pi / 2 / 1e-4)] = round(np.pi / 2 / 1e-4)
    row = np.round(offset / SAME_MM).astype(np.int64)
    low = np.einsum("ij,ij->i", along, starts)
    high = np.einsum("ij,ij->i", along, starts + step)
    low, high = np.minimum(low, high), np.maximum(low, high)
    order = np.lexsort((low, row, turn))
    turn, row, low, high = turn[order], row[order], low[order], high[order]
    new = np.concatenate([[True], (turn[1:] != turn[:-1]) | (row[1:] != row[:-1])])
    # The furthest end so far on the same line, by shifting every line beyond all before it.
    span = float(high.max() - low.min()) + 1.0
    shift = np.cumsum(new) * span
    reach = np.maximum.accumulate(high + shift)
    before = np.concatenate([[-np.inf], reach[:-1]])
    over = np.minimum(before, high + shift) - (low + shift)
    return float(over[(over > SAME_MM) & ~new].sum())
