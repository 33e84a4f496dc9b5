"""The headline figure: how many of the 16 systems are modelled."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from commons.places.models import Place
from commons.sockets import Figure
from twin.coverage.cells import Cell, breadth, cells, collected, depth
from twin.coverage.systems import RULES_VERSION, SYSTEMS
from twin.models import District

VERSION = RULES_VERSION


def places_under(place: Place) -> list[Place]:
    """The neighbourhoods of a city, or the place itself when it has none."""
    parts = list(place.parts.select_related("parent").order_by("slug"))
    return parts or [place]


def coverage(place: Place) -> Figure:
    """Breadth of a place; a city's is the mean over its neighbourhoods."""
    now = timezone.now()
    under = places_under(place)
    each = [cells(collected(part), now) for part in under]
    systems = fmean(breadth(part) for part in each)
    districts = District.objects.filter(place__in=[*under, place], current__isnull=False)
    modelled = len({district.place_id for district in districts})
    if not any(cell.evidence for part in each for cell in part):
        return _nothing()
    words = {
        "n": f"{systems:g}",
        "all": len(SYSTEMS),
        "depth": round(100 * fmean(depth(part) for part in each)),
    }
    return Figure(
        value=systems / len(SYSTEMS),
        numerator=systems,
        denominator=len(SYSTEMS),
        unit=_("city systems"),
        start=None,
        end=now,
        completeness=modelled / len(under),
        sentence=_("%(n)s of %(all)d city systems are modelled; depth %(depth)d %%.") % words,
        evidence=[row for part in each for row in _rows(part)],
        demo=any(district.demo for district in districts),
        notes=_stale(each),
    )


def _nothing() -> Figure:
    return Figure(
        None,
        None,
        float(len(SYSTEMS)),
        _("city systems"),
        None,
        None,
        0.0,
        _("Nothing is modelled here yet."),
    )


def _rows(part: Sequence[Cell]) -> list[dict[str, Any]]:
    """Each piece of evidence as a row, strongest first within its system."""
    return [
        {
            "system": cell.system.slug,
            "title": str(cell.system.title),
            "level": level,
            "what": str(piece.what),
            "count": piece.count,
            "source": piece.source,
            "as_of": piece.as_of,
            "url": piece.url,
        }
        for cell in part
        for piece, level in cell.evidence
    ]


def _stale(each: Sequence[Sequence[Cell]]) -> list[str]:
    names = sorted({str(cell.system.title) for part in each for cell in part if cell.decayed})
    return [_("Stale, so counted lower: %(names)s.") % {"names": ", ".join(names)}] if names else []
