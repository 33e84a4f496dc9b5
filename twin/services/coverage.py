"""Writes of coverage: each place's levels, once a day, as they were found."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.db import transaction

from commons.places.models import Place
from twin import queries
from twin.coverage.cells import breadth, cells, collected, depth
from twin.coverage.systems import RULES_VERSION
from twin.models import CoverageDay


@transaction.atomic
def write_day(*, place: Place, now: dt.datetime) -> CoverageDay | None:
    """Keep today's levels of a place; None where they stand already."""
    day = now.astimezone(ZoneInfo(place.timezone)).date()
    if CoverageDay.objects.filter(place=place, day=day).exists():
        return None
    found = cells(collected(place), now)
    kept, made = CoverageDay.objects.get_or_create(
        place=place,
        day=day,
        defaults={
            "levels": {cell.system.slug: cell.level for cell in found},
            "breadth": breadth(found),
            "depth": depth(found),
            "rules": RULES_VERSION,
        },
    )
    return kept if made else None


def write_due(*, now: dt.datetime) -> int:
    """Today's levels of every place that a district models; how many were written."""
    places = {district.place_id: district.place for district in queries.districts().exclude(place=None)}
    return sum(write_day(place=place, now=now) is not None for place in places.values() if place is not None)
