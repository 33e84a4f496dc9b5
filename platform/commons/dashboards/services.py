"""Keeping the headline figures of a day."""

from commons.dashboards.models import FigureDay
from commons.places import queries
from commons.places.models import Place
from commons.sockets import Figure, HeadlineFigure

COPIED = ("value", "upper", "numerator", "denominator", "completeness", "estimated", "demo")


def keep_figures(*, place: Place) -> int:
    """Write down what the headline figures of a place are today, its local day; how many.

    Called again on the same day it keeps the newest. A figure that is not known is not kept: a gap is a gap.
    """
    day = queries.local_now(place).date()
    rows = [_row(place, headline, figure) for headline, figure in queries.figures_of(place) if figure.value is not None]
    for row in rows:
        row.day = day
    FigureDay.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["place", "figure", "day"], update_fields=["version", *COPIED]
    )
    return len(rows)


def _row(place: Place, headline: HeadlineFigure, figure: Figure) -> FigureDay:
    known = {name: getattr(figure, name) for name in COPIED}
    return FigureDay(place=place, figure=headline.slug, version=headline.version, **known)
