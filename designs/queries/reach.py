"""What the machines near a place can make, as rooms that know machines tell it, and as a condition on cards."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import F, Q, QuerySet

from commons import sockets
from commons.places.models import Place
from designs import vocabulary
from designs.models import Card

Sides = tuple[float, float, float | None]


def reaches_of(place: Place) -> dict[str, list[Sides]]:
    """For each way of making that is at hand there, the working volumes in mm, longest side first, the largest alone.

    A flat machine has no third side. An empty list says that the size is not known.
    """
    volumes: dict[str, set[Sides]] = defaultdict(set)
    for plug in sockets.makeable:
        for reach in plug.reaches(place):
            held = volumes[vocabulary.slug_of(reach.process)]
            if reach.volume_mm is not None:
                held.add(_sides(reach.volume_mm))
    return {process: _largest(held) for process, held in volumes.items() if vocabulary.bit_of(process)}


def _sides(volume_mm: tuple[float, float, float | None]) -> Sides:
    """A box of a machine, turned so that its longest side is first."""
    x, y, z = volume_mm
    if z is None:
        return max(x, y), min(x, y), None
    long, middle, short = sorted((x, y, z), reverse=True)
    return long, middle, short


def _largest(volumes: Iterable[Sides]) -> list[Sides]:
    """Those that go into none of the others."""
    known = sorted(volumes, key=lambda v: (v[0], v[1], v[2] or 0.0), reverse=True)
    return [v for v in known if not any(v != other and _inside(v, other) for other in known)]


def _inside(a: Sides, b: Sides) -> bool:
    if (a[2] is None) != (b[2] is None):
        return False
    return a[0] <= b[0] and a[1] <= b[1] and (a[2] or 0.0) <= (b[2] or 0.0)


def fit(sides: Sides) -> Q:
    """The cards whose parts each go into a box, turned by right angles in any way.

    Two boxes compare by their sides in order of length; this is exact for right angles.
    """
    flat = Q(long_mm__lte=sides[0], middle_mm__lte=sides[1])
    return flat if sides[2] is None else flat & Q(short_mm__lte=sides[2])


def makeable_near(cards: QuerySet[Card], place: Place) -> QuerySet[Card]:
    """The cards with a way of making that is at hand in the place, on a machine into which their parts go."""
    able = Q(pk__in=[])
    for n, (process, volumes) in enumerate(sorted(reaches_of(place).items())):
        cards = cards.alias(**{f"way_{n}": F("facets").bitand(vocabulary.bit_of(process))})
        room = Q(pk__in=[]) if volumes else Q()
        for sides in volumes:
            room |= fit(sides)
        able |= Q(**{f"way_{n}__gt": 0}) & room
    return cards.filter(able)
