"""Writes of coverage: each place's levels, day by day, as they were last found."""

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
    """Keep today's levels of a place in the place of those that were found earlier today; None where they are the same.
    Days that are over are never touched.
    """
    day = now.astimezone(ZoneInfo(place.timezone)).date()
    found = cells(collected(place), now)
    levels = {cell.system.slug: cell.level for cell in found}
    kept = CoverageDay.objects.select_for_update().filter(place=place, day=day).first()
    if kept is not None and kept.levels == levels and kept.rules == RULES_VERSION:
        return None
    made, _new = CoverageDay.objects.update_or_create(
        place=place,
        day=day,
        defaults={"levels": levels, "breadth": breadth(found), "depth": depth(found), "rules": RULES_VERSION},
    )
    return made


def write_due(*, now: dt.datetime) -> int:
    """Today's levels of every place that a district models; how many were new or had changed."""
    places = {district.place_id: district.place for district in queries.districts().exclude(place=None)}
    return sum(write_day(place=place, now=now) is not None for place in places.values() if place is not None)
