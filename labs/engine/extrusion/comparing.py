"""How far two profiles are apart in mm, laid over each other by the best turn about the vertical."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from labs.engine.extrusion.profiles import BETWEEN, DIRECTIONS, HEIGHTS, Profile
from labs.engine.extrusion.program import Floats

Key = TypeVar("Key")

#: Heights left out of 24: those that disagree most, where a step of the part lies close to a plane.
LEFT_OUT = 5
#: Layers round a height up or down by up to this, mm.
LAYER_MM = 0.3


@dataclass(frozen=True, slots=True)
class Match:
    """How far apart, in mm: `mm` of all; `hull_mm` of the hulls, `area_mm` of the sections as an offset of their
    outline (nan where that is not known), `height_mm`. `strict_mm` is of all heights and of the outlines' lengths too,
    for what is alike but for a few features."""

    mm: float
    hull_mm: float
    area_mm: float
    height_mm: float
    strict_mm: float


def distance(one: Profile, other: Profile) -> Match:
    """How far two profiles are apart."""
    return distances(one, [other])[0]


def distances(one: Profile, others: Sequence[Profile]) -> list[Match]:
    """How far a profile is from each of the others; all of them at once."""
    if not others:
        return []
    hulls = _hulls(one, np.stack([other.support for other in others]))
    areas = _areas(one, others)
    hull, area = _most(hulls), _most(areas)
    rise = np.maximum(np.abs(one.height_mm - np.array([o.height_mm for o in others])) - LAYER_MM, 0.0)
    total = np.sqrt(hull**2 + np.where(np.isnan(area), hull, area) ** 2) + rise
    strict = hulls.mean(axis=1) + _mean(areas) + _mean(_lengths(one, others)) + rise
    return [Match(*(float(n) for n in row)) for row in zip(total, hull, area, rise, strict, strict=True)]


def _most(off: Floats) -> Floats:
    """The mean over heights without those that disagree most; nan where less than half of them are known."""
    known = (~np.isnan(off)).sum(axis=1)
    kept = np.maximum(known - LEFT_OUT, 1)
    rows = np.sort(off, axis=1)  # nan last
    within = np.arange(HEIGHTS)[None] < kept[:, None]
    sums = np.where(within & ~np.isnan(rows), rows, 0.0).sum(axis=1)
    return np.where(known >= HEIGHTS // 2, sums / kept, np.nan)


def _mean(off: Floats) -> Floats:
    """The mean over heights of what is known, 0 where nothing is."""
    known = ~np.isnan(off)
    found: Floats = np.where(known, off, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return found


def _hulls(one: Profile, others: Floats) -> Floats:
    """Distance (mm) of outlines at each height, at the turn that is best for most. `others` (n, 24, 64)."""
    a, b = np.fft.rfft(one.support, axis=-1), np.fft.rfft(others, axis=-1)
    # all heights turn together, so their correlations add up
    joint = np.fft.irfft((a[None] * b.conj()).sum(axis=1), n=DIRECTIONS * BETWEEN, axis=-1)
    fine = one.fine if one.fine is not None else _between(a)
    first, step = joint.argmax(axis=-1), np.arange(DIRECTIONS) * BETWEEN
    best, found = np.full(len(others), np.inf), np.zeros((len(others), HEIGHTS))
    for turn in range(-3, 4):
        places = (step[None] + first[:, None] + turn) % (DIRECTIONS * BETWEEN)
        off = np.abs(fine[:, places].transpose(1, 0, 2) - others).mean(axis=-1)
        mean = _most(off)
        better = mean < best
        best, found[better] = np.where(better, mean, best), off[better]
    return found


def _between(turns: "np.ndarray[tuple[int, ...], np.dtype[np.complex128]]") -> Floats:
    """The support in all directions, from its harmonics."""
    found: Floats = np.fft.irfft(turns, n=DIRECTIONS * BETWEEN, axis=-1) * BETWEEN
    return found


def _areas(one: Profile, others: Sequence[Profile]) -> Floats:
    """By how many mm the outlines would have to be offset for the sections to be of one area, at each height."""
    area, outline = np.stack([o.area_mm2 for o in others]), np.stack([o.outline_mm for o in others])
    found: Floats = np.abs(area - one.area_mm2[None]) / np.maximum(np.fmax(outline, one.outline_mm[None]), 1.0)
    return found


def _lengths(one: Profile, others: Sequence[Profile]) -> Floats:
    """The outlines' difference in length at each height, as mm to and fro over the hull's girth."""
    outline = np.stack([o.outline_mm for o in others])
    found: Floats = np.abs(outline - one.outline_mm[None]) / np.maximum(np.fmax(outline, one.outline_mm[None]), 1.0)
    return found


def rank(one: Profile, others: Sequence[Profile]) -> list[tuple[int, Match]]:
    """The others by nearness, nearest first."""
    found = distances(one, others)
    return sorted(enumerate(found), key=lambda pair: pair[1].mm)


#: Nearer than this, in mm, is the same shape; larger things are sliced and sampled with larger faults.
SAME_MM, SAME_SHARE = 0.15, 0.0004
#: What is, of all heights and features, less than this much farther than the nearest cannot be told from it.
TIE_MM, TIE = 0.02, 1.3
#: An object on a plate that is less of its filament says nothing of the plate.
LEAST_SHARE = 0.5


def limit_mm(profile: Profile) -> float:
    """How near another profile must be to be of the same shape."""
    return SAME_MM + SAME_SHARE * (profile.girth_mm + profile.height_mm)


def close(ranked: Sequence[tuple[Key, Match]], profile: Profile) -> list[tuple[Key, Match]]:
    """Of others those of the same shape that cannot be told from the nearest, nearest first; none when that is too far.

    Among what is near enough the strict distance decides: twins differ in a few features only.
    """
    same = sorted((pair for pair in ranked if pair[1].mm <= limit_mm(profile)), key=lambda pair: pair[1].strict_mm)
    return [pair for pair in same if pair[1].strict_mm <= same[0][1].strict_mm * TIE + TIE_MM]
