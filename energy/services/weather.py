"""Weather of a place: files are imported, feeds are asked through the one way out, and what is best for a time is
found. Loads numpy: for workers and commands.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import CityError
from commons.people.models import User
from commons.places.models import Place
from commons.web import outside
from energy import policies, series, standards
from energy.errors import NotSteward, from_engine
from energy.models import Community, WeatherFeed, WeatherReport

if TYPE_CHECKING:
    from energy.engine import pv
    from energy.engine.weather import Reading

ACCEPT = "application/json"
MOST_BYTES = 4 * 1024 * 1024
#: Reports of a feed are kept so long; a year of them is what forecasts are judged by.
KEPT = dt.timedelta(days=430)
SERIES = ("ghi", "dni", "dhi", "air_c", "wind_m_s")
Fetch = Callable[[str], bytes]


def _fetch(url: str) -> bytes:
    return outside.fetch(url, accept=ACCEPT, most_bytes=MOST_BYTES)


@transaction.atomic
def set_feed(*, community: Community, by: User, url: str) -> WeatherFeed | None:
    """Say where the forecast of a community's place is had, or with an empty address that it is no longer asked.
    Raises NotSteward.
    """
    if not policies.is_steward(by, community) or community.place is None:
        raise NotSteward(_("Only those who look after a community with a place choose its weather."))
    if not url:
        WeatherFeed.objects.filter(place=community.place).delete()
        return None
    feed, _made = WeatherFeed.objects.update_or_create(place=community.place, defaults={"url": url, "trouble": ""})
    return feed


def keep(*, place: Place, content: bytes, name: str, issued_at: dt.datetime | None = None) -> WeatherReport:
    """Read a file of weather and keep it; the same bytes once. Raises BadWeather with file, line and remedy."""
    from energy.engine import weather  # noqa: PLC0415 numpy is loaded by workers alone
    from energy.engine.refusals import EngineRefusal  # noqa: PLC0415 as above

    sha256 = hashlib.sha256(content).hexdigest()
    there = WeatherReport.objects.filter(place=place, content_sha256=sha256).first()
    if there is not None:
        return there
    try:
        reading = weather.read(content, name)
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None
    found = reading.weather
    return WeatherReport.objects.create(
        place=place,
        typical=reading.typical,
        source=reading.source,
        station=reading.place[:120],
        issued_at=issued_at or timezone.now(),
        content_sha256=sha256,
        offset_minutes=reading.offset_minutes,
        start=found.start,
        step_minutes=found.step_minutes,
        steps=len(found.ghi),
        latitude=found.latitude,
        longitude=found.longitude,
        altitude_m=found.altitude_m,
        **{key: series.pack(getattr(found, key)) for key in SERIES},
    )


def ask(*, feed: WeatherFeed, fetch: Fetch = _fetch) -> bool:
    """Ask a feed and keep what it says; whether it could be read. Never raises for what the feed does."""
    trouble = ""
    try:
        keep(place=feed.place, content=fetch(feed.url), name="weather.json")
    except outside.Unreachable as fault:
        trouble = str(fault)
    except CityError as refusal:
        trouble = str(refusal.sentence)
    WeatherFeed.objects.filter(pk=feed.pk).update(asked_at=timezone.now(), trouble=trouble[:300])
    return not trouble


def ask_all() -> int:
    """Ask all feeds and let go of what is old; how many could be read."""
    WeatherReport.objects.filter(typical=False, issued_at__lt=timezone.now() - KEPT).delete()
    return sum(ask(feed=feed) for feed in WeatherFeed.objects.select_related("place"))


def of_report(report: WeatherReport) -> "pv.Weather":
    """A report as the engine takes it."""
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine.pv import Weather  # noqa: PLC0415 as above

    packed = [np.frombuffer(series.raw(getattr(report, key)), dtype="<f8").astype(np.float64) for key in SERIES]
    return Weather(
        report.start,
        report.step_minutes,
        report.latitude,
        report.longitude,
        **dict(zip(SERIES, packed, strict=True)),
        altitude_m=report.altitude_m,
    )


def for_place(place: Place | None) -> "tuple[Reading, str]":
    """The typical year of a place: its own newest, else that of the nearest German station; and where it is from, in
    words.
    """
    from energy.engine.weather import Reading  # noqa: PLC0415 numpy is loaded by workers alone
    from energy.engine.weather.files import read_path  # noqa: PLC0415 as above

    report = WeatherReport.objects.filter(place=place, typical=True).order_by("-issued_at").first() if place else None
    if report is not None:
        reading = Reading(of_report(report), report.station, report.source, True, report.offset_minutes)
        return reading, _("typical year of %(station)s (%(source)s)") % {
            "station": report.station,
            "source": report.source,
        }
    path = standards.nearest_station(middle(place))
    reading = read_path(Path(path))
    return reading, _("typical year of %(station)s (TRY 2010), the nearest that is here") % {"station": reading.place}


def middle(place: Place | None) -> tuple[float, float] | None:
    """Latitude and longitude of the middle of a place's outline, its own or its city's."""
    outline = place.outline if place else None
    if not outline and place is not None and place.parent is not None:
        outline = place.parent.outline
    if not outline:
        return None
    points: list[tuple[float, float]] = []

    def walk(part: object) -> None:
        if isinstance(part, list):
            if len(part) >= 2 and all(isinstance(x, int | float) for x in part[:2]):
                points.append((float(part[1]), float(part[0])))
            else:
                for inner in part:
                    walk(inner)

    walk(outline.get("coordinates") if isinstance(outline, dict) else None)
    if not points:
        return None
    return sum(lat for lat, _lon in points) / len(points), sum(lon for _lat, lon in points) / len(points)
