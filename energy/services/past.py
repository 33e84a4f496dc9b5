"""What is known of a community when it is forecast: its data, or what the meters of its members measured; and what the
weather said of each day. Loads numpy: for workers.
"""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from energy import policies, queries
from energy.models import Asset, Community, CommunityVersion, ForecastCard, MeterPoint, WeatherReport
from energy.queries import live, measured, public

if TYPE_CHECKING:
    from energy.engine.community import Floats
    from energy.engine.pv import Roof

MOST_DAYS = 430
LEAST_DAYS = 168
HOUR_MIN = 60
#: A step of which less than this share is known (by the mean of those who lack) is not known.
LEAST_KNOWN = 0.9
#: Guesses repeat hours of a week ago: so long the circle must have stood before others hear of it.
SETTLED = dt.timedelta(days=8)
FEED, CLEAR = "feed", "clear sky"
FEED_RATIO_DAYS, CLEAR_RATIO_DAYS = 14, 1


@dataclass(frozen=True)
class Past:
    """Whole local days of each series, days x steps of 24 hours, from `first_day`; of how many households they are, and
    how much of their use is one's (all of it, as far as others may know, while it would show who came or went).
    """

    first_day: dt.date
    step_minutes: int
    days: "Mapping[str, Floats]"
    participants: int = 0
    largest_share: float = 0.0


def of_version(version: CommunityVersion, today: dt.date) -> Past:
    """The past in a version's data, up to the day before. Where its hours are published, as they are published: what is
    learned from that tells no more than it, also when the guess that is served is yesterday as it was.
    """
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine import forecast as engine  # noqa: PLC0415 as above

    found: dict[str, Floats] = {}
    first = version.first_day
    curves = {} if version.demo else public.curves(version, None, *ForecastCard.Series.values)
    if "load" not in curves or not hasattr(version, "publication"):
        curves = queries.of_version(version, *ForecastCard.Series.values)
    for name, curve in curves.items():
        if not any(curve):
            continue
        first, days = engine.by_local_day(
            np.array(curve), version.start, version.step_minutes, ZoneInfo(version.timezone)
        )
        found[name] = days[: max((today - first).days, 0)]
    return Past(first, version.step_minutes, found)


def of_meters(community: Community, today: dt.date) -> Past | None:
    """What the meters measured of those who belong today and did half a year ago; None where that is nobody.

    A member that is missing in a step is replaced by its share of the others, as long as nine tenths are known: for the
    sums that are learned from alone.
    """
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine import forecast as engine  # noqa: PLC0415 as above

    start = today - dt.timedelta(days=MOST_DAYS)
    claimed = MeterPoint.Proof.CLAIMED
    people = [
        person
        for person in community.participants.filter(joined_on__lte=today - dt.timedelta(days=LEAST_DAYS))
        .exclude(left_on__lte=today)
        .order_by("pk")
        if person.meters.exclude(proof=claimed).filter(days__current=True).exists()
    ]
    counted = _counted(community, today)
    settled = False
    if counted:
        people = [person for person in people if person.kind in policies.OPEN_KINDS or person.pk in counted]
        there = {person.pk for person in people} & counted
        settled = there == counted == _counted(community, today - SETTLED)
    if not people:
        return None
    start = max(start, *(person.joined_on for person in people))
    found = measured.curves(community, start=start, end=today, participants=people, step_minutes=HOUR_MIN)
    use, sun = [], []
    for person in people:
        drawn, fed, made = (
            np.array(curves[person.pk]) for curves in (found.use_kwh, found.feed_in_kwh, found.solar_kwh)
        )
        metered = bool(np.nansum(made) > 0)
        use.append(np.maximum(drawn + made - fed, 0.0) if metered else drawn)
        sun.append(made if metered else fed)
    private = np.array([person.kind not in policies.OPEN_KINDS for person in people])
    means = np.array([np.nanmean(row) if np.isfinite(row).any() else 0.0 for row in use])[private]
    sums = {"load": _together(np.array(use)), "pv": _together(np.array(sun))}
    zone = measured.zone(community)
    days: dict[str, Floats] = {}
    first = start
    for name, values in sums.items():
        if np.nansum(values) > 0:
            first, whole = engine.by_local_day(values, found.start, HOUR_MIN, zone)
            days[name] = whole[_first_known(whole) :]
            first += dt.timedelta(days=_first_known(whole))
    if not days:
        return None
    shortest = min(len(rows) for rows in days.values())
    days = {name: rows[len(rows) - shortest :] for name, rows in days.items()}
    share = float(means.max() / means.sum()) if settled and means.sum() > 0 else 1.0
    return Past(today - dt.timedelta(days=shortest), HOUR_MIN, days, len(means), share)


def _counted(community: Community, today: dt.date) -> frozenset[int]:
    """The households that a sum is learned of: who comes or goes waits until five do (`live.settled`). An hour that was
    said once with others in it would else give them away."""
    learned = dt.timedelta(days=LEAST_DAYS)
    rows = community.participants.exclude(kind__in=policies.OPEN_KINDS).values_list("pk", "joined_on", "left_on")
    spells = [(pk, joined + learned, left) for pk, joined, left in rows if left is None or left > joined + learned]
    return live.settled(spells, today.replace(day=1))


def _first_known(days: "Floats") -> int:
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    known = np.flatnonzero(~np.isnan(days).all(axis=1))
    return int(known[0]) if len(known) else len(days)


def _together(rows: "Floats") -> "Floats":
    """The sum over members (members by steps), scaled up for the few that are missing; NaN where too many are."""
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    known = ~np.isnan(rows)
    means = np.array([row[k].mean() if k.any() else 0.0 for row, k in zip(rows, known, strict=True)])
    whole = means.sum()
    share = (known * means[:, None]).sum(axis=0) / whole if whole > 0 else np.ones(rows.shape[1])
    total = np.where(known, rows, 0.0).sum(axis=0)
    enough = share >= LEAST_KNOWN
    return np.where(enough, total / np.where(enough, share, 1.0), math.nan)


# --- what the weather said ------------------------------------------------------------------------------


def told(community: Community, past: Past, zone: ZoneInfo) -> "tuple[Floats, str] | None":
    """What the weather says of the solar of each day and the day after the last, in proportion to what was made, and
    whether by the feed or by the clear sky; None where nothing is known of the place.
    """
    from energy.engine import forecast as engine  # noqa: PLC0415 numpy is loaded by workers alone

    made = past.days.get("pv")
    if made is None or community.place is None:
        return None
    roofs = _roofs(community)
    raw = _of_feed(community, past, roofs, zone, made.shape)
    if raw is not None:
        return engine.by_ratio(raw, made, over=FEED_RATIO_DAYS), FEED
    raw = _of_clear_sky(community, past, roofs, zone, made.shape)
    return None if raw is None else (engine.by_ratio(raw, made, over=CLEAR_RATIO_DAYS), CLEAR)


def _roofs(community: Community) -> "list[Roof]":
    """Its members' roofs; three faces of an ordinary one where nobody said."""
    from energy.engine.pv import Roof  # noqa: PLC0415 numpy is loaded by workers alone

    rows = Asset.objects.filter(participant__community=community, kind=Asset.Kind.SOLAR, kwp__gt=0)
    owned = [
        Roof(
            a.kwp or 0.0,
            30.0 if a.tilt_deg is None else a.tilt_deg,
            180.0 if a.azimuth_deg is None else a.azimuth_deg,
        )
        for a in rows
    ]
    return owned or [Roof(1.0, 30.0, face) for face in (90.0, 180.0, 270.0)]


def _of_feed(
    community: Community, past: Past, roofs: "list[Roof]", zone: ZoneInfo, shape: tuple[int, ...]
) -> "Floats | None":
    """Of each day what the newest report said that was issued before its midnight; None unless the last eight weeks and
    the coming day are known.
    """
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine import forecast as engine  # noqa: PLC0415 as above
    from energy.engine import pv  # noqa: PLC0415 as above
    from energy.services import weather  # noqa: PLC0415 as above

    reports = list(
        WeatherReport.objects.filter(place=community.place, typical=False).order_by("issued_at").only(
            "pk", "issued_at", "start", "step_minutes", "steps"
        )
    )  # fmt: skip
    out = np.full((shape[0] + 1, shape[1]), np.nan)
    opened: dict[int, tuple[dt.date, Floats]] = {}
    for i in range(len(out)):
        day = past.first_day + dt.timedelta(days=i)
        begins = measured.midnight(day, zone)
        ends = measured.midnight(day + dt.timedelta(days=1), zone)
        one = next(
            (
                r
                for r in reversed(reports)
                if r.issued_at <= begins
                and r.start <= begins
                and r.start + dt.timedelta(minutes=r.step_minutes * r.steps) >= ends
            ),
            None,
        )
        if one is None:
            continue
        if one.pk not in opened:
            found = weather.of_report(WeatherReport.objects.get(pk=one.pk))
            kwh = pv.year(roofs, found).sum(axis=0)
            opened[one.pk] = engine.by_local_day(kwh, found.start, found.step_minutes, zone)
        first, days = opened[one.pk]
        if 0 <= (day - first).days < len(days):
            out[i] = _stepped(days[(day - first).days], shape[1])
    lately = out[-(engine.BAND_DAYS + 1) :]
    return None if np.isnan(lately).any() else out


def _of_clear_sky(
    community: Community, past: Past, roofs: "list[Roof]", zone: ZoneInfo, shape: tuple[int, ...]
) -> "Floats | None":
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine import forecast as engine  # noqa: PLC0415 as above
    from energy.engine import pv  # noqa: PLC0415 as above
    from energy.engine import weather as skies  # noqa: PLC0415 as above
    from energy.services import weather  # noqa: PLC0415 as above

    where = weather.middle(community.place)
    if where is None:
        return None
    start = measured.midnight(past.first_day, zone)
    end = measured.midnight(past.first_day + dt.timedelta(days=shape[0] + 1), zone)
    steps = (end - start) // dt.timedelta(minutes=past.step_minutes)
    clear = skies.clear(start, past.step_minutes, steps, *where)
    _first, days = engine.by_local_day(pv.year(roofs, clear).sum(axis=0), start, past.step_minutes, zone)
    return np.nan_to_num(days) if len(days) == shape[0] + 1 else None


def _stepped(day: "Floats", steps: int) -> "Floats":
    """A day in other steps: quarters share an hour evenly, hours are the sum of their quarters."""
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    day = np.nan_to_num(day)
    if len(day) < steps:
        by = steps // len(day)
        return np.asarray(np.repeat(day / by, by))
    return np.asarray(day.reshape(steps, -1).sum(axis=1))
