"""The district's access beside walking minutes: the 5-, 10- and 15-minute city, the bicycle, and who gained or lost
since the version before. Read from what is kept: no engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commons.shelf import Shelf, Stamp
from twin import queries
from twin.models import Access, DistrictVersion
from twin.words import KINDS, word

EVERYDAY = ("grocery", "school", "pharmacy", "library", "health", "transit", "park")
LIMITS = (5, 10, 15)
NOTICED_MIN = 0.5

Minutes = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted over all buildings: the share of them by minutes on foot, and what changed by kind."""

    walked: Mapping[int, float | None]
    since: Sequence[Mapping[str, Any]]


# By the version's access and that of the version before, with their stamps.
_counted: Shelf[Counted] = Shelf(200)


def counted(of: DistrictVersion, kept: Access) -> Counted:
    """What is counted of a version's access (`access_in_short`), and of what changed since the version before."""
    rows = Access.objects.filter(version__district_id=of.district_id, version__number=of.number - 1)
    before = rows.defer("keys", "minutes").annotate(stamp=Stamp(Access)).first()
    return _counted.get((_name(kept), _name(before)), lambda: _count(kept, before))


def _name(kept: Access | None) -> tuple[int, str] | None:
    return None if kept is None else (kept.pk, kept.stamp)  # type: ignore[attr-defined]  # annotated


def _count(kept: Access, before: Access | None) -> Counted:
    for one in (kept, before):
        if one is not None:
            one.refresh_from_db(fields=["keys", "minutes"])
    return Counted(shares(kept.minutes), since(kept, before))


def access_card(of: DistrictVersion, kept: Access | None) -> dict[str, Any]:
    """What the card shows beside its table."""
    if kept is None:
        return {}
    answer, known = queries.reckoning_in_short(of, "risk"), counted(of, kept)
    ridden: Mapping[str, Any] = answer.summary.get("bicycle", {}) if answer else {}
    walked = known.walked
    return {
        "city": [
            {"limit": limit, "foot": walked[limit], "bicycle": ridden.get("city", {}).get(str(limit))}
            for limit in LIMITS
        ]
        if walked[LIMITS[0]] is not None
        else [],
        "rides": bool(ridden),
        "since": [{"title": word(KINDS, row["kind"]), **row} for row in known.since],
    }


def shares(minutes: Minutes) -> dict[int, float | None]:
    """The share of buildings with all seven everyday kinds within 5, 10 and 15 minutes; None where one is missing."""
    columns = [minutes[kind] for kind in EVERYDAY if kind in minutes]
    if len(columns) < len(EVERYDAY) or not columns[0]:
        return dict.fromkeys(LIMITS)
    worst = [max(row) for row in zip(*columns, strict=True)]
    return {limit: sum(far <= limit for far in worst) / len(worst) for limit in LIMITS}


def since(kept: Access, before: Access | None) -> list[dict[str, Any]]:
    """By kind, how many buildings came nearer or got farther than in the version before; only kinds that changed."""
    if before is None or (before.keys == kept.keys and before.minutes == kept.minutes):
        return []
    place = {key: i for i, key in enumerate(before.keys)}
    both = [(place[key], i) for i, key in enumerate(kept.keys) if key in place]
    rows = []
    for kind in (*EVERYDAY, *(kind for kind in KINDS if kind not in EVERYDAY)):
        was, now = before.minutes.get(kind), kept.minutes.get(kind)
        if was is None or now is None:
            continue
        change = [now[i] - was[j] for j, i in both]
        nearer, farther = sum(c < -NOTICED_MIN for c in change), sum(c > NOTICED_MIN for c in change)
        if nearer or farther:
            row = {"kind": kind, "nearer": nearer, "farther": farther}
            rows.append(row | {"best": -min(change), "worst": max(change)})
    return rows
