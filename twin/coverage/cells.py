"""The 16 cells of a place, from every room's evidence."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from commons import sockets
from commons.places.models import Place
from commons.shelf import asked_once
from commons.sockets import Evidence
from twin.coverage.levels import HIGHEST, standing
from twin.coverage.systems import LEVELS, SYSTEMS, System


@dataclass(frozen=True, slots=True)
class Cell:
    """One system of a place: its level now, and each piece of evidence with the level that it still gives."""

    system: System
    level: int
    evidence: Sequence[tuple[Evidence, int]]

    @property
    def level_title(self) -> str | Promise:
        """The level in words."""
        return LEVELS[self.level]

    @property
    def decayed(self) -> bool:
        """Whether there is evidence for more than counts now."""
        return any(piece.level > self.level for piece, _now in self.evidence)

    @property
    def filled(self) -> Sequence[bool]:
        """For each level from 1 to 5, whether there is evidence of just that level."""
        return tuple(any(now == level for _piece, now in self.evidence) for level in range(1, HIGHEST + 1))


def level_now(piece: Evidence, now: dt.datetime) -> int:
    """The level that a piece of evidence gives at `now`."""
    return standing(piece, now).level


def collected(place: Place) -> list[Evidence]:
    """Every room's evidence for a place, and for its city as far as it holds for the whole city."""
    places = [place, place.parent] if place.parent else [place]
    with asked_once():
        return [piece for source in sockets.evidence for where in places for piece in source.collect(where)]


def cells(evidence: Iterable[Evidence], now: dt.datetime) -> list[Cell]:
    """The 16 cells; evidence for a system that is none of the 16 is left out."""
    by_system: dict[str, list[tuple[Evidence, int]]] = defaultdict(list)
    for piece in evidence:
        by_system[piece.system].append((piece, level_now(piece, now)))
    return [_cell(system, by_system[system.slug]) for system in SYSTEMS]


def _cell(system: System, found: list[tuple[Evidence, int]]) -> Cell:
    """The strongest first; what a district and its city both tell in the same words is told once."""
    found.sort(key=lambda pair: -pair[1])
    once: dict[tuple[str, str], tuple[Evidence, int]] = {}
    for piece, level in found:
        once.setdefault((str(piece.what), str(piece.source)), (piece, level))
    return Cell(system, max((level for _piece, level in found), default=0), tuple(once.values()))


def breadth(of: Sequence[Cell]) -> int:
    """Systems at level 1 or more."""
    return sum(cell.level >= 1 for cell in of)


def depth(of: Sequence[Cell]) -> float:
    """Sum of levels over the most there could be, 0..1."""
    return sum(cell.level for cell in of) / (len(of) * HIGHEST)
