"""Keep what others plan to use, and work out what will be spare of the local sun. That loads numpy: for workers."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from energy import queries, series
from energy.models import Community, CommunityVersion, Forecast, Outlook, PlannedLoad
from energy.queries import measured, public

if TYPE_CHECKING:
    from energy.engine.community import Floats
    from energy.engine.surplus import Band, Storage

ENGINE = "surplus 1"
DAYS = 9
"""How many local days from today on."""
LATELY_DAYS, LATELY_AGE, SEASON_DAYS = 28, 7, 14
LEAST_DAYS = 5
CARRIED_WIDER = 2.0
MINUTES = 24 * 60


@transaction.atomic
def plan(
    *,
    community: Community,
    source: str,
    name: str,
    start: dt.datetime,
    step_minutes: int,
    kwh: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    member: str = "",
    url: str = "",
    bookings: int = 0,
    demo: bool = False,
    now: dt.datetime | None = None,
) -> bool:
    """Keep what a source plans to use, in place of what it said before; whether that changed anything."""
    packed = [series.pack(values) for values in (kwh, low, high)]
    parts = [source, member, start.isoformat(), str(step_minutes), *(hashlib.sha256(p).hexdigest() for p in packed)]
    digest = hashlib.sha256("|".join(parts).encode()).hexdigest()
    Community.objects.select_for_update(no_key=True).only("pk").get(pk=community.pk)
    known = PlannedLoad.objects.filter(community=community, source=source).first()
    if known is not None and known.sha256 == digest:
        return False
    facts = {
        "name": name, "member": member, "url": url, "start": start, "step_minutes": step_minutes, "steps": len(kwh),
        "kwh": packed[0], "low": packed[1], "high": packed[2], "bookings": bookings, "sha256": digest, "demo": demo,
        "made_at": now or timezone.now(),
    }  # fmt: skip
    PlannedLoad.objects.update_or_create(community=community, source=source, defaults=facts)
    return True


def forget_plans(*, source: str, keep: Iterable[int] = ()) -> int:
    """Take away the plans of a source in all communities but these; how many."""
    gone, _rows = PlannedLoad.objects.filter(source=source).exclude(community__in=list(keep)).delete()
    return gone


def make_all(*, now: dt.datetime) -> int:
    """Work out the outlook of every public community; how many changed."""
    return sum(make(community=community, now=now) for community in Community.objects.filter(public=True))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a community's days, as everybody may see it: made less used by local day, kWh a step."""

    version: CommunityVersion | None
    zone: ZoneInfo
    step_minutes: int
    first_day: dt.date
    net: "Floats | None"
    extra: "Floats | None"
    """What members that plan use beyond their least; it is in the net, and their plans stand for it."""
    storage: "Storage"

    @property
    def steps(self) -> int:
        """Steps of a day of 24 hours."""
        return MINUTES // self.step_minutes


def make(*, community: Community, now: dt.datetime) -> bool:
    """Work out what will be spare in the coming days and keep it; whether it changed. Loads numpy.

    Made of what everybody may see alone. A community of which nothing may be seen loses its outlook.
    """
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine import surplus as engine  # noqa: PLC0415 as above

    plans = list(community.planned_loads.all())
    known = _known(community, plans)
    today = now.astimezone(known.zone).date()
    start = measured.midnight(today, known.zone)
    step = dt.timedelta(minutes=known.step_minutes)
    days: list[tuple[str, str]] = []
    bands: list[Band] = []
    carried: Band | None = None
    for nth in range(DAYS):
        day = today + dt.timedelta(days=nth)
        found, basis, carried = _day(community, known, day, today, carried)
        if found is None:
            break
        days.append((day.isoformat(), basis))
        bands.append(_by_clock(found, day, known))
    if not bands:
        Outlook.objects.filter(community=community).delete()
        return False
    net = engine.Band(*(np.concatenate([getattr(b, n) for b in bands]) for n in ("low", "middle", "high")))
    planned = _planned(plans, start, step, len(net.middle))
    foreseen = net.plus(planned, -1.0)
    hours = known.step_minutes / 60
    spare = engine.outlook(foreseen, known.storage, hours, steps_of_day=known.steps)
    return _keep(community, known, start, days, spare, planned.middle / hours, now)


def _keep(  # noqa: PLR0917 one row in its parts
    community: Community,
    known: Known,
    start: dt.datetime,
    days: Sequence[tuple[str, str]],
    spare: "Band",
    planned_kw: "Floats",
    now: dt.datetime,
) -> bool:
    packed = {name: series.pack(getattr(spare, name).tolist()) for name in ("low", "middle", "high")}
    packed["planned"] = series.pack(planned_kw.tolist())
    told = [ENGINE, start.isoformat(), str(known.step_minutes), str(days), *(str(packed[n]) for n in sorted(packed))]
    digest = hashlib.sha256("|".join(told).encode()).hexdigest()
    with transaction.atomic():
        Community.objects.select_for_update(no_key=True).only("pk").get(pk=community.pk)
        row = Outlook.objects.filter(community=community).first() or Outlook(community=community, number=0)
        if row.inputs_sha256 == digest:
            return False
        row.start, row.step_minutes, row.steps = start, known.step_minutes, len(spare.middle)
        row.low, row.middle, row.high, row.planned = (packed[n] for n in ("low", "middle", "high", "planned"))
        row.basis = {"zone": known.zone.key, "days": [list(day) for day in days]}
        row.storage_kwh, row.engine_version, row.inputs_sha256 = known.storage.kwh, ENGINE, digest
        row.number, row.made_at = row.number + 1, now
        row.save()
    return True


def _known(community: Community, plans: Sequence[PlannedLoad]) -> Known:
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine import forecast, surplus  # noqa: PLC0415 as above

    version = public.version(community, None)
    none = Known(None, measured.zone(community), 60, dt.date.min, None, None, surplus.NONE)
    if version is None:
        return none
    curves = public.curves(version, None, "load", "pv")
    if "load" not in curves:
        return none
    zone = ZoneInfo(version.timezone)

    def by_day(values: "Iterable[float]") -> "tuple[dt.date, Floats]":
        return forecast.by_local_day(np.array(list(values)), version.start, version.step_minutes, zone)

    first, load = by_day(curves["load"])
    made = by_day(curves["pv"])[1] if "pv" in curves else np.zeros_like(load)
    extra = np.zeros_like(load)
    keys = [plan.member for plan in plans if plan.member]
    for row in public.open_members(version):
        if row.key in keys:
            used = by_day(series.unpack(row.load))[1]
            extra += used - np.nanmin(used, axis=1, keepdims=True)
    storage = _storage(version) if public.standing(version, None).storage else surplus.NONE
    return Known(version, zone, version.step_minutes, first, made - load, extra, storage)


def _storage(version: CommunityVersion) -> "Storage":
    from energy.engine import surplus  # noqa: PLC0415 numpy is loaded by workers alone

    rows = [*version.members.values_list("battery_kwh", "battery_kw", "battery_efficiency")]
    rows.append((version.battery_kwh, version.battery_kw, version.battery_efficiency))
    owned = [(kwh, kw, 0.9 if part is None else part) for kwh, kw, part in rows if kwh and kw]
    if not owned:
        return surplus.NONE
    kwh = sum(size for size, _kw, _part in owned)
    both_ways = sum(size * part for size, _kw, part in owned) / kwh
    return surplus.Storage(kwh, sum(kw for _size, kw, _part in owned), both_ways**0.5)


def _day(
    community: Community, known: Known, day: dt.date, today: dt.date, carried: "Band | None"
) -> "tuple[Band | None, str, Band | None]":
    """Made less used of a day (steps of 24 hours), what that comes from, and the forecast to carry on from."""
    from energy.engine import surplus  # noqa: PLC0415 numpy is loaded by workers alone

    forecast = _forecast(community, known, day, today)
    if forecast is not None:
        return forecast, "forecast", forecast
    rows, basis = _alike(known, day, today)
    if rows is not None:
        return surplus.typical(rows), basis, carried
    if carried is None:
        return None, "", None
    wider = surplus.Band(
        carried.middle - CARRIED_WIDER * (carried.middle - carried.low),
        carried.middle,
        carried.middle + CARRIED_WIDER * (carried.high - carried.middle),
    )
    return wider, "carried", carried


def _forecast(community: Community, known: Known, day: dt.date, today: dt.date) -> "Band | None":
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine import surplus  # noqa: PLC0415 as above

    told: Mapping[str, queries.Told] = {}
    if Forecast.objects.filter(community=community, day=day).exists():
        told = queries.told(known.version, day) if known.version else {}
        told = told or queries.told_of_meters(community, day, None)
    if "load" not in told:
        return None

    def band(one: queries.Told) -> "Band":
        rows = (one.low_kwh, one.middle_kwh, one.high_kwh)
        return surplus.Band(*(_stepped(np.array(row), known.steps) for row in rows))

    use = band(told["load"])
    nothing = np.zeros(known.steps)
    made = band(told["pv"]) if "pv" in told else surplus.Band(nothing, nothing, nothing)
    net = made.plus(use, -1.0)
    rows, _basis = _alike(known, day, today, name="extra")
    return net if rows is None else net.less(-np.nanmedian(rows, axis=0))


def _stepped(day: "Floats", steps: int) -> "Floats":
    """A day in other steps: quarters share an hour evenly, hours are the sum of their quarters."""
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    if len(day) < steps:
        by = steps // len(day)
        return np.asarray(np.repeat(day / by, by))
    return np.asarray(day.reshape(steps, -1).sum(axis=1))


def _alike(known: Known, day: dt.date, today: dt.date, name: str = "net") -> "tuple[Floats | None, str]":
    """Days like that one: the last four weeks where they are known, else the same weeks of the data's year."""
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    if known.net is None or known.extra is None:
        return None, ""
    rows = known.net + known.extra if name == "net" else known.extra
    count = len(rows)
    whole = np.asarray(~np.isnan(rows).all(axis=1))
    last = known.first_day + dt.timedelta(days=count - 1)
    if dt.timedelta() <= today - last <= dt.timedelta(days=LATELY_AGE) or known.first_day < today <= last:
        end = min((today - known.first_day).days, count)
        picked = np.flatnonzero(whole[max(end - LATELY_DAYS, 0) : end]) + max(end - LATELY_DAYS, 0)
        if len(picked) >= LEAST_DAYS:
            return rows[picked], "lately"
    dates = [known.first_day + dt.timedelta(days=nth) for nth in range(count)]
    near = np.array([_apart(date, day) <= SEASON_DAYS for date in dates], dtype=bool) & whole
    return (rows[near], "season") if near.any() else (None, "")


def _apart(one: dt.date, other: dt.date) -> int:
    """How many days lie between two dates, whatever their years."""
    apart = abs(one.timetuple().tm_yday - other.timetuple().tm_yday)
    return min(apart, 365 - apart) if apart <= 365 else 0


def _by_clock(band: "Band", day: dt.date, known: Known) -> "Band":
    """A day of 24 hours as it really is: the hour that is left out in spring goes, the one in autumn comes twice."""
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine import surplus  # noqa: PLC0415 as above

    at, end = measured.midnight(day, known.zone), measured.midnight(day + dt.timedelta(days=1), known.zone)
    step, where = dt.timedelta(minutes=known.step_minutes), []
    while at < end:
        there = at.astimezone(known.zone)
        where.append((there.hour * 60 + there.minute) // known.step_minutes)
        at += step
    return surplus.Band(*(np.nan_to_num(getattr(band, name)[where]) for name in ("low", "middle", "high")))


def _planned(plans: Sequence[PlannedLoad], start: dt.datetime, step: dt.timedelta, steps: int) -> "Band":
    """All plans together on these steps, kWh."""
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    from energy.engine import surplus  # noqa: PLC0415 as above

    sums = {name: np.zeros(steps) for name in ("low", "kwh", "high")}
    for plan_ in plans:
        fine = dt.timedelta(minutes=plan_.step_minutes)
        for name, into in sums.items():
            for nth, value in enumerate(series.unpack(getattr(plan_, name))):
                where = (plan_.start + nth * fine - start) // step
                if value and 0 <= where < steps:
                    into[where] += value
    return surplus.Band(sums["low"], sums["kwh"], sums["high"])
