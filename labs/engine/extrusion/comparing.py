"""How far two profiles are apart in mm, laid over each other by the best turn about the vertical."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labs.engine.extrusion.profiles import BETWEEN, DIRECTIONS, HEIGHTS, Profile
from labs.engine.extrusion.program import Floats

#: Heights left out of 24: those that disagree most, where a step of the part lies close to a plane.
LEFT_OUT = 5
#: Layers round a height up or down by up to this, mm.
LAYER_MM = 0.3


@dataclass(frozen=True, slots=True)
class Match:
    """How far apart, in mm: `mm` of all; `hull_mm` of the hulls, `area_mm` of the sections as an offset of their outline
    (nan where that is not known), `height_mm`."""

    mm: float
    hull_mm: float
    area_mm: float
    height_mm: float


def distance(one: Profile, other: Profile) -> Match:
    """How far two profiles are apart."""
    return distances(one, [other])[0]


def distances(one: Profile, others: Sequence[Profile]) -> list[Match]:
    """How far a profile is from each of the others; all of them at once."""
    if not others:
        return []
    support = np.stack([other.support for other in others])
    hull = _hulls(one, support)
    area = _areas(one, others)
    rise = np.maximum(np.abs(one.height_mm - np.array([o.height_mm for o in others])) - LAYER_MM, 0.0)
    total = np.sqrt(hull**2 + np.where(np.isnan(area), hull, area) ** 2) + rise
    return [Match(*(float(n) for n in row)) for row in zip(total, hull, area, rise, strict=True)]


def _hulls(one: Profile, others: Floats) -> Floats:
    """Mean distance (mm) of outlines at the best turn, without the heights that disagree most. `others` (n, 24, 64)."""
    a, b = np.fft.rfft(one.support, axis=-1), np.fft.rfft(others, axis=-1)
    # all heights turn together, so their correlations add up
    joint = np.fft.irfft((a[None] * b.conj()).sum(axis=1), n=DIRECTIONS * BETWEEN, axis=-1)
    fine = one.fine if one.fine is not None else _between(a)
    first, best = joint.argmax(axis=-1), np.full(len(others), np.inf)
    step = np.arange(DIRECTIONS) * BETWEEN
    for turn in range(-3, 4):
        places = (step[None] + first[:, None] + turn) % (DIRECTIONS * BETWEEN)
        off = np.abs(fine[:, places].transpose(1, 0, 2) - others).mean(axis=-1)
        off.partition(HEIGHTS - LEFT_OUT - 1, axis=-1)
        best = np.minimum(best, off[:, : HEIGHTS - LEFT_OUT].mean(axis=-1))
    return best


def _between(turns: "np.ndarray[tuple[int, ...], np.dtype[np.complex128]]") -> Floats:
    """The support in all directions, from its harmonics."""
    found: Floats = np.fft.irfft(turns, n=DIRECTIONS * BETWEEN, axis=-1) * BETWEEN
    return found


def _areas(one: Profile, others: Sequence[Profile]) -> Floats:
    """By how many mm the outlines would have to be offset for the sections to be of one area."""
    area, outline = np.stack([o.area_mm2 for o in others]), np.stack([o.outline_mm for o in others])
    off = np.abs(area - one.area_mm2[None]) / np.maximum(np.fmax(outline, one.outline_mm[None]), 1.0)
    known = (~np.isnan(off)).sum(axis=1)
    kept = np.maximum(known - LEFT_OUT, 1)
    rows = np.sort(off, axis=1)  # nan last
    within = np.arange(HEIGHTS)[None] < kept[:, None]
    sums = np.where(within & ~np.isnan(rows), rows, 0.0).sum(axis=1)
    return np.where(known >= HEIGHTS // 2, sums / kept, np.nan)


def rank(one: Profile, others: Sequence[Profile]) -> list[tuple[int, Match]]:
    """The others by nearness, nearest first."""
    found = distances(one, others)
    return sorted(enumerate(found), key=lambda pair: pair[1].mm)
