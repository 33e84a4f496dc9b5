"""When a version of a community may take the place of the one that the public sees: differencing is closed here.

Whoever holds two published sums holds their difference. So a version is published only when the households in which it
differs from *each* version published before it, over the time that both have, are none or at least `LEAST_CHANGED`.
Until then it waits, and public figures stay those of the version before; members and stewards see the new one at once.
Works on packed series, without numpy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from energy import policies, series, veil
from energy.models import CommunityVersion, Publication, VersionSeries

SAME_KWH = 1e-6
#: A mark beside a version's series: all that was ever said of its time was of the very households that it has.
SAME_HOUSEHOLDS = "same"
STORES = ("battery_kwh", "battery_kw", "ev_kwh", "ev_kwh_per_day", "heat_pump_kw", "tank_kwh")


@dataclass(frozen=True, slots=True)
class _Data:
    """The protected members of a version, packed, and where its time lies in steps of its own since 1970."""

    start: int
    steps: int
    step_minutes: int
    members: Mapping[str, tuple[bytes, bytes]]


def publish(version: CommunityVersion) -> bool:
    """Publish a version if it may be; whether it is public now."""
    if Publication.objects.filter(version=version).exists():
        return True
    if not version.demo:
        mine = _data(version)
        if 0 < _come_or_go(mine) < policies.LEAST_CHANGED:
            return False
        for before in _published(version):
            earlier = _data(before)
            differ = changed(mine, earlier)
            if 0 < len(differ) < policies.LEAST_CHANGED or one_shows(mine, earlier, differ):
                return False
        if not veil.lay(version):
            return False
        if _is_the_same(version):
            VersionSeries.objects.create(version=version, name=SAME_HOUSEHOLDS, packed=b"")
    Publication.objects.create(version=version)
    return True


def _is_the_same(version: CommunityVersion) -> bool:
    """Whether what the ledger says of the version's time is of its own households, with the use that they have."""
    mine = _data(version)
    layers = set(veil.laid_by(version)) - {version.pk}
    others = {pk for pk in layers if pk is not None}
    if others != layers:
        return False
    owned = _owned(version)
    laid = CommunityVersion.objects.filter(pk__in=others)
    return all(not changed(mine, _data(before)) and _owned(before) == owned for before in laid)


def _owned(version: CommunityVersion) -> "set[tuple[Any, ...]]":
    """What households have to shift their use with: who gets a battery alone would show in what is drawn."""
    rows = version.members.exclude(kind__in=policies.OPEN_KINDS)
    return set(rows.values_list("key", *STORES))


def of_same_households(version: CommunityVersion) -> bool:
    """Whether more than the ledger may be told of its hours: else one hour would have two sums, of two groups."""
    if set(veil.laid_by(version)) <= {version.pk}:
        return True
    return version.series.filter(name=SAME_HOUSEHOLDS).exists()


def _come_or_go(data: _Data) -> int:
    """How many households are not there on the whole of the first or the last day: members are those of the first day
    of a month, and whoever comes or goes within a version would show in the step of its sum.
    """
    day = 1440 // data.step_minutes
    if data.steps < 2 * day:
        return 0
    found = 0
    for packed, _made in data.members.values():
        use = series.unpack(packed)
        found += any(use) and not (any(use[:day]) and any(use[-day:]))
    return found


def _published(version: CommunityVersion) -> "QuerySet[CommunityVersion]":
    others = CommunityVersion.objects.filter(community=version.community_id, publication__isnull=False)
    return others.exclude(pk=version.pk).order_by("-number")


def _data(version: CommunityVersion) -> _Data:
    rows = version.members.exclude(kind__in=policies.OPEN_KINDS).values_list("key", "load", "pv")
    start = int(version.start.timestamp()) // (60 * version.step_minutes)
    members = {key: (bytes(load), bytes(pv)) for key, load, pv in rows}
    return _Data(start, version.steps, version.step_minutes, members)


def changed(a: _Data, b: _Data) -> set[str]:
    """Households that are in one of the two alone, or whose use or solar differ in the time that both have."""
    spans = _both(a, b)
    if spans is None:
        return set()
    alone = set(a.members) ^ set(b.members)
    both = set(a.members) & set(b.members)
    return alone | {key for key in both if _differ(a.members[key], b.members[key], spans)}


def one_shows(a: _Data, b: _Data, differ: Iterable[str]) -> bool:
    """Whether among households in which two versions differ one is more than its share of the difference, or the
    difference of the two sums is nearly one's own: where four of five use next to nothing, five hide nobody.
    """
    spans = _both(a, b)
    if spans is None:
        return False
    for column in (0, 1):
        change = [_used(a, key, column, spans[0]) - _used(b, key, column, spans[1]) for key in differ]
        whole, net = sum(map(abs, change)), sum(change)
        if any(abs(one) > policies.LARGEST_SHARE_OF_CHANGE * whole for one in change):
            return True
        if any(abs(net - one) <= policies.NEARLY * abs(one) for one in change if abs(one) > SAME_KWH):
            return True
    return False


def _used(data: _Data, key: str, column: int, span: "_Span") -> float:
    return sum(_cut(data.members[key][column], span)) if key in data.members else 0.0


@dataclass(frozen=True, slots=True)
class _Span:
    """Steps of a series from `first` until `until`, `together` of them added up."""

    first: int
    until: int
    together: int


def _both(a: _Data, b: _Data) -> "tuple[_Span, _Span] | None":
    """The time that both have, in steps of each; None where there is none."""
    first = max(a.start * a.step_minutes, b.start * b.step_minutes)
    until = min((a.start + a.steps) * a.step_minutes, (b.start + b.steps) * b.step_minutes)
    if until <= first:
        return None
    common = max(a.step_minutes, b.step_minutes)
    return _span(a, first, until, common), _span(b, first, until, common)


def _span(data: _Data, first_min: int, until_min: int, common_min: int) -> _Span:
    first, until = (minute // data.step_minutes - data.start for minute in (first_min, until_min))
    return _Span(first, until, common_min // data.step_minutes)


def _differ(a: Iterable[bytes], b: Iterable[bytes], spans: tuple[_Span, _Span]) -> bool:
    for mine, theirs in zip(a, b, strict=True):
        if mine == theirs and spans[0] == spans[1]:
            continue
        pairs = zip(_cut(mine, spans[0]), _cut(theirs, spans[1]), strict=False)
        if any(abs(one - other) > SAME_KWH for one, other in pairs):
            return True
    return False


def _cut(packed: bytes, span: _Span) -> list[float]:
    values = series.unpack(packed)[span.first : span.until]
    return [sum(values[i : i + span.together]) for i in range(0, len(values), span.together)]
