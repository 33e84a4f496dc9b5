"""What is known of a district by local day, as everybody may see it. Loads numpy: for workers."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_noop

from commons.places.models import Place
from twin.models import Ahead

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from energy.engine.community import Floats

MOST_DAYS = 400
HOUR = dt.timedelta(hours=1)
ENERGY = {Ahead.Series.LOAD: "load", Ahead.Series.SOLAR: "pv"}
NO_DATA = gettext_noop("no community of this place shows its hours to everybody, with data up to yesterday")
NO_LABS = gettext_noop("no machine of this place has worked")


@dataclass(frozen=True)
class Past:
    """Whole local days (days x 24, kWh or machine hours; NaN where nothing was measured) up to the day before `until`.

    `booked` and `told` (issues x 48): what was booked, and what an energy community foresaw, as it stood at each
    midnight. `source` says in words what it is of.
    """

    first_day: dt.date
    until: dt.date
    days: "Floats"
    source: str
    booked: "Floats | None" = None
    told: "Floats | None" = None

    @property
    def sha256(self) -> str:
        """What names the data."""
        parts = [self.days, *(rows for rows in (self.booked, self.told) if rows is not None)]
        return hashlib.sha256(b"".join(rows.tobytes() for rows in parts)).hexdigest()

    def of(self, day: dt.date, count: int) -> "Floats":
        """The hours of some days from one on, one row after the other; NaN beyond what is known."""
        import numpy as np  # noqa: PLC0415 a worker's

        at = (day - self.first_day).days
        rows = np.full((count, 24), np.nan)
        for k in range(count):
            if 0 <= at + k < len(self.days):
                rows[k] = self.days[at + k]
        return np.asarray(rows.ravel())


def clock(place: Place) -> ZoneInfo:
    """The clock of a place."""
    return ZoneInfo(place.timezone)


def midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The moment at which a local day begins."""
    return dt.datetime.combine(day, dt.time(), tzinfo=zone).astimezone(dt.UTC)


def holidays(known: Past, place: Place) -> "NDArray[np.bool_] | None":
    """Whether each day of a past, and of the two to come, is a public holiday of the place's country; None where no
    calendar knows that country.
    """
    import numpy as np  # noqa: PLC0415 a worker's

    if not apps.is_installed("energy"):
        return None
    from energy.engine import holidays as calendar  # noqa: PLC0415 only where the room is there

    dates = [known.first_day + dt.timedelta(days=n) for n in range(len(known.days) + 2)]
    off = calendar.between(place.country, dates[0], dates[-1])
    return np.array([date in off for date in dates]) if off else None


def past(place: Place, series: str, until: dt.date) -> Past | None:
    """The past of a series of a place up to the midnight that begins `until`; None where nothing is known."""
    if series == Ahead.Series.MACHINES:
        return _machines(place, until) if apps.is_installed("labs") else None
    return _energy(place, series, until) if apps.is_installed("energy") else None


# --- use and solar ------------------------------------------------------------------------------------------
def _energy(place: Place, series: str, until: dt.date) -> Past | None:
    from energy import queries  # noqa: PLC0415 only where the room is there

    community = queries.community_of(place)
    if community is None:
        return None
    from energy.queries import public  # noqa: PLC0415 as above

    version = public.version(community, None)
    name = ENERGY[Ahead.Series(series)]
    if version is not None and version.first_day < until <= version.last_day + dt.timedelta(days=1):
        import numpy as np  # noqa: PLC0415 a worker's

        from energy.engine import forecast as engine  # noqa: PLC0415 as above

        shown = public.curves(version, None, "load", name)
        if "load" not in shown or not any(shown.get(name, ())):
            return None
        zone = ZoneInfo(version.timezone)
        first, days = engine.by_local_day(np.array(shown[name]), version.start, version.step_minutes, zone)
        found = Past(first, until, _hourly(days[: max((until - first).days, 0)]), community.name)
        return _lately(found, _told(found, community.pk, name, version.pk))
    return _metered(community, name, until)


def _metered(community: "object", name: str, until: dt.date) -> Past | None:
    """What its meters measured, where so many are in it that everybody may see the sum."""
    from energy import policies  # noqa: PLC0415 as above
    from energy.models import Community  # noqa: PLC0415 as above
    from energy.services import past as history  # noqa: PLC0415 as above

    assert isinstance(community, Community)  # noqa: S101 for the types
    measured = history.of_meters(community, until)
    if measured is None or name not in measured.days:
        return None
    if not policies.may_see_sum(AnonymousUser(), community, measured.participants, measured.largest_share):
        return None
    found = Past(measured.first_day, until, _hourly(measured.days[name]), community.name)
    return _lately(found, _told(found, community.pk, name, None))


def _hourly(days: "Floats") -> "Floats":
    """Days by the hour, whatever their step; an hour of which a part is unknown is unknown."""
    import numpy as np  # noqa: PLC0415 a worker's

    count, steps = days.shape
    if steps % 24:
        return np.full((count, 24), np.nan)
    return np.asarray(days.reshape(count, 24, steps // 24).sum(axis=2))


def _told(found: Past, community: int, name: str, version: int | None) -> "Floats | None":
    """What the community's own forecasts said of the first day of each issue, as they were kept."""
    import numpy as np  # noqa: PLC0415 a worker's

    from energy import series as packed  # noqa: PLC0415 as above
    from energy.models import Forecast  # noqa: PLC0415 as above

    out = np.full((len(found.days) + 1, 48), np.nan)
    rows = Forecast.objects.filter(community=community, series=name, day__lte=found.until, card__version=version)
    for day, middle in rows.values_list("day", "middle"):
        at = (day - found.first_day).days
        values = np.array(packed.unpack(middle))
        if 0 <= at < len(out) and len(values) % 24 == 0:
            out[at, :24] = values.reshape(24, -1).sum(axis=1)
    lately = ~np.isnan(out[:, 0])
    return out if lately[-29:].sum() >= 28 else None


# --- machines -----------------------------------------------------------------------------------------------
def _machines(place: Place, until: dt.date) -> Past | None:
    """Machine hours of jobs in the labs of a place, and what was booked."""
    import numpy as np  # noqa: PLC0415 a worker's
    from django.db.models import Q  # noqa: PLC0415 with the rooms

    from labs.models import Booking, Job  # noqa: PLC0415 only where the room is there
    from labs.queries.catalogue import of_place  # noqa: PLC0415 as above

    zone = clock(place)
    end = midnight(until, zone)
    since = end - dt.timedelta(days=MOST_DAYS)
    jobs = Job.objects.filter(of_place(place, "machine__lab__"), started_at__gte=since, started_at__lt=end)
    spans = [(a, min(b or end, end)) for a, b in jobs.values_list("started_at", "finished_at")]
    if not spans:
        return None
    first = min(a for a, _b in spans).astimezone(zone).date() + dt.timedelta(days=1)
    count = (until - first).days
    if count < 1:
        return None
    days = np.zeros((count + 2, 24))
    for start, stop in spans:
        _spread(days, first, zone, start, stop)
    planned = Booking.objects.filter(
        of_place(place, "machine__lab__"),
        kind=Booking.Kind.USE,
        start__lt=end + dt.timedelta(days=2),
        end__gt=midnight(first, zone),
        created_at__lt=end,
    ).exclude(Q(status=Booking.Status.DECLINED))
    booked = np.zeros((count + 1, 48))
    for made, gone, start, stop in planned.values_list("created_at", "cancelled_at", "start", "end"):
        line = np.zeros((count + 3, 24))
        _spread(line, first, zone, start, stop)
        touched = np.flatnonzero(line.any(axis=1))
        for issue in {int(d) - k for d in touched for k in (0, 1)}:
            if 0 <= issue <= count:
                at = midnight(first + dt.timedelta(days=issue), zone)
                if made < at and (gone is None or gone >= at):
                    booked[issue] += line[issue : issue + 2].ravel()
    return Past(first, until, days[:count], place.name, booked=booked)


def _spread(days: "Floats", first: dt.date, zone: ZoneInfo, start: dt.datetime, stop: dt.datetime) -> None:
    """Lay the hours of a span into their local days and hours."""
    at = start
    while at < stop:
        whole = at.replace(minute=0, second=0, microsecond=0) + HOUR
        until = min(whole, stop)
        local = at.astimezone(zone)
        day = (local.date() - first).days
        if 0 <= day < len(days):
            days[day, local.hour] += (until - at) / HOUR
        at = until


def _lately(found: Past, told: "Floats | None") -> Past | None:
    """The newest days alone, from the first that was measured on."""
    import numpy as np  # noqa: PLC0415 a worker's

    known = np.flatnonzero(~np.isnan(found.days).all(axis=1))
    if not len(known):
        return None
    cut = max(int(known[0]), len(found.days) - MOST_DAYS)
    first = found.first_day + dt.timedelta(days=cut)
    return Past(first, found.until, found.days[cut:], found.source, told=told[cut:] if told is not None else None)
