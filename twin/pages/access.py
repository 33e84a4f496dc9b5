"""The district's access beside walking minutes: the 5-, 10- and 15-minute city, the bicycle, and who gained or lost
since the version before. Read from what is kept: no engine.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from twin import queries
from twin.models import Access, DistrictVersion
from twin.words import KINDS, word

EVERYDAY = ("grocery", "school", "pharmacy", "library", "health", "transit", "park")
LIMITS = (5, 10, 15)
NOTICED_MIN = 0.5

Minutes = Mapping[str, Sequence[float]]


def access_card(of: DistrictVersion, kept: Access | None) -> dict[str, Any]:
    """What the card shows beside its table."""
    if kept is None:
        return {}
    answer = queries.reckoning(of, "risk")
    ridden: Mapping[str, Any] = answer.summary.get("bicycle", {}) if answer else {}
    walked = shares(kept.minutes)
    return {
        "city": [
            {"limit": limit, "foot": walked[limit], "bicycle": ridden.get("city", {}).get(str(limit))}
            for limit in LIMITS
        ]
        if walked[LIMITS[0]] is not None
        else [],
        "rides": bool(ridden),
        "since": since(of, kept),
    }


def shares(minutes: Minutes) -> dict[int, float | None]:
    """The share of buildings with all seven everyday kinds within 5, 10 and 15 minutes; None where one is missing."""
    columns = [minutes[kind] for kind in EVERYDAY if kind in minutes]
    if len(columns) < len(EVERYDAY) or not columns[0]:
        return dict.fromkeys(LIMITS)
    worst = [max(row) for row in zip(*columns, strict=True)]
    return {limit: sum(far <= limit for far in worst) / len(worst) for limit in LIMITS}


def since(of: DistrictVersion, kept: Access) -> list[dict[str, Any]]:
    """By kind, how many buildings came nearer or got farther than in the version before; only kinds that changed."""
    before = Access.objects.filter(version__district_id=of.district_id, version__number=of.number - 1).first()
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
            row = {"title": word(KINDS, kind), "nearer": nearer, "farther": farther}
            rows.append(row | {"best": -min(change), "worst": max(change)})
    return rows
