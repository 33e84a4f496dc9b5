"""How much of a machine's use the local sun would cover, asked of the room of energy if it is there."""

import datetime as dt

from django.apps import apps

from commons.places.models import Place
from labs.engine.times import Sun

STEP = dt.timedelta(hours=1)


def hours(place: Place | None, start: dt.datetime, end: dt.datetime) -> list[Sun]:
    """Hour by hour the share of local surplus; empty when no community of the place is known."""
    if place is None or not apps.is_installed("energy") or start >= end:
        return []
    from energy.queries import surplus  # noqa: PLC0415 the room may be left out

    first = start.replace(minute=0, second=0, microsecond=0)
    return [Sun(at, at + STEP, share) for at, _kw, share in surplus(place, first, end, STEP)]
