"""Today's spare sun in a place: the thread under the masthead, from whichever room knows it."""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.utils import timezone

from commons import sockets
from commons.places.models import Place
from commons.places.queries import local_now

log = logging.getLogger(__name__)

KEEP_S = 60


@dataclass(frozen=True, slots=True)
class SunToday:
    """The hours of the ribbon and what they say now. `until` is when the sun to spare ends (or begins again)."""

    place: Place
    hours: Sequence[sockets.SunHour]
    now: dt.datetime
    spare_kw: float | None
    until: dt.datetime | None

    @property
    def is_spare(self) -> bool:
        """Whether the roofs make more than the neighbourhood uses just now."""
        return self.spare_kw is not None and self.spare_kw > 0


def today(here: Place) -> SunToday | None:
    """What the ribbon of a place says now, or None when no room knows its sun."""
    hours = hours_of(here)
    if not hours:
        return None
    now = timezone.now()
    current = next((h for h in reversed(hours) if h.start <= now < h.start + dt.timedelta(hours=1)), None)
    spare_kw = current.spare_kw if current else None
    until = None
    if spare_kw is not None:
        until = next((h.start for h in hours if h.start > now and (h.spare_kw > 0) != (spare_kw > 0)), None)
    return SunToday(here, hours, local_now(here), spare_kw, until)


def hours_of(here: Place) -> list[sockets.SunHour]:
    """Today's hours from the first room that knows them, or none. Kept for a minute."""
    key = f"sun:{here.pk}"
    try:
        kept: list[sockets.SunHour] | None = cache.get(key)
    except Exception:
        log.debug("the cache does not answer", exc_info=True)
        kept = None
    if kept is not None:
        return kept
    hours = _ask_rooms(here)
    try:
        cache.set(key, hours, KEEP_S)
    except Exception:
        log.debug("the cache does not answer", exc_info=True)
    return hours


def _ask_rooms(here: Place) -> list[sockets.SunHour]:
    for plug in sockets.sun:
        try:
            if hours := list(plug.hours(here)):
                return hours
        except Exception:
            log.exception("the sun of %s from %s failed", here.slug, plug.slug)
    return []
