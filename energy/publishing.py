"""When a version of a community may take the place of the one that the public sees: differencing is closed here.

Whoever holds two published sums holds their difference. So a version is published only when the households in which it
differs from *each* version published before it, over the time that both have, are none or at least `LEAST_CHANGED`.
Until then it waits, and public figures stay those of the version before; members and stewards see the new one at once.
Works on packed series, without numpy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from energy import policies, series
from energy.models import CommunityVersion, Publication

SAME_KWH = 1e-6


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
            if 0 < len(changed(mine, _data(before))) < policies.LEAST_CHANGED:
                return False
    Publication.objects.create(version=version)
    return True


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
    first = max(a.start * a.step_minutes, b.start * b.step_minutes)
    until = min((a.start + a.steps) * a.step_minutes, (b.start + b.steps) * b.step_minutes)
    if until <= first:
        return set()
    common = max(a.step_minutes, b.step_minutes)
    spans = _span(a, first, until, common), _span(b, first, until, common)
    alone = set(a.members) ^ set(b.members)
    both = set(a.members) & set(b.members)
    return alone | {key for key in both if _differ(a.members[key], b.members[key], spans)}


@dataclass(frozen=True, slots=True)
class _Span:
    """Steps of a series from `first` until `until`, `together` of them added up."""

    first: int
    until: int
    together: int


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
