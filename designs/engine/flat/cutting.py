"""What cutting a drawing means: contours, areas, and an estimate of the laser's time.

The speeds are starting points for a CO₂ laser of 60 W (a teaching laboratory's table of settings,
protolab.certifitrax.com, “Material Settings Reference”), the middle of each range; travel and the start of each cut are
our own assumptions. Every machine differs: it is an estimate and is called so.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designs.engine.flat import contours
from designs.engine.flat.contours import Contour, Line

Points = npt.NDArray[np.float64]

#: mm/s that a 60 W CO₂ laser cuts at, one pass.
CUT_MM_S = {"plywood 3 mm": 15.0, "acrylic 3 mm": 12.5, "mdf 3 mm": 17.5, "cardboard 2 mm": 30.0, "plywood 6 mm": 6.5}
USUAL = "plywood 3 mm"
TRAVEL_MM_S = 300.0
#: Seconds for each start of a cut: settling, air, piercing.
START_S = 0.3
MAX_LAYERS = 60


@dataclass(frozen=True, slots=True)
class Cut:
    """A drawing as a cutter sees it. Lengths mm, areas mm², times s; `gaps` are (size, x, y), widest first."""

    length_mm: float
    travel_mm: float
    closed: int
    open: int
    gaps: tuple[tuple[float, float, float], ...]
    area_mm2: float
    doubled_mm: float
    box: tuple[float, float, float, float]
    layers: tuple[tuple[str, int, float], ...]
    laser_s: dict[str, float]

    def as_json(self) -> dict[str, object]:
        """For the facts of the file."""
        return {
            "cut_mm": round(self.length_mm, 3), "travel_mm": round(self.travel_mm, 1), "closed": self.closed,
            "open": self.open, "gap_count": len(self.gaps), "largest_gap_mm": self.gaps[0][0] if self.gaps else None,
            "gap_at_mm": list(self.gaps[0][1:]) if self.gaps else None, "area_mm2": round(self.area_mm2, 3),
            "doubled_mm": round(self.doubled_mm, 3),
            "layers": [{"name": name, "lines": count, "cut_mm": round(size, 3)} for name, count, size in self.layers],
            "laser_s": {name: round(seconds, 1) for name, seconds in self.laser_s.items()},
        }  # fmt: skip

    def warnings(self) -> list[str]:
        """What its maker should look at before cutting."""
        found = []
        if self.doubled_mm > 0.5:
            found.append(f"{self.doubled_mm:.1f} mm of line lie on another line and would be cut twice.")
        if self.gaps:
            size, x, y = self.gaps[0]
            found.append(
                f"{len(self.gaps)} contours nearly close; the widest gap is {size:.2f} mm, at {x:g}, {y:g} mm."
            )
        return found


def cut_of(lines: list[Line]) -> Cut:
    """What is cut and what that costs. The drawing has at least one line that is longer than nothing."""
    whole = contours.join(contours.without_repeats(lines))
    length = sum(contours.length_mm(line.points) for line in lines)
    everything = np.vstack([line.points for line in lines])
    low, high = everything.min(axis=0), everything.max(axis=0)
    travel = travel_mm(whole)
    return Cut(
        length_mm=length,
        travel_mm=travel,
        closed=sum(one.closed for one in whole),
        open=sum(not one.closed for one in whole),
        gaps=tuple(contours.gaps(whole)[:200]),
        area_mm2=contours.enclosed_mm2(whole),
        doubled_mm=contours.doubled_mm(lines),
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        layers=_layers(lines),
        laser_s={
            name: length / speed + travel / TRAVEL_MM_S + START_S * len(whole) for name, speed in CUT_MM_S.items()
        },
    )


def _layers(lines: list[Line]) -> tuple[tuple[str, int, float], ...]:
    found: dict[str, list[float]] = {}
    for line in lines:
        found.setdefault(line.layer, []).append(contours.length_mm(line.points))
    told = [(name[:80], len(sizes), sum(sizes)) for name, sizes in found.items()]
    return tuple(sorted(told, key=lambda one: -one[2])[:MAX_LAYERS])


def travel_mm(found: list[Contour]) -> float:
    """How far the head moves without cutting: from the first contour always to the nearest end not yet visited."""
    if not found:
        return 0.0
    ends = np.array([[one.points[0], one.points[-1]] for one in found])
    if len(found) > 4000:  # by the order of the file: a picture of hatching, not a part
        return float(np.hypot(*(ends[1:, 0] - ends[:-1, 1]).T).sum())
    left = np.ones(len(found), bool)
    at, total, here = 0, 0.0, ends[0, 1]
    left[0] = False
    while left.any():
        way = np.hypot(*(ends - here).transpose(2, 0, 1))
        way[~left] = np.inf
        at, side = divmod(int(way.argmin()), 2)
        total += float(way[at, side])
        here, left[at] = ends[at, 1 - side], False
    return total
