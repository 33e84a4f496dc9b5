"""What the page of traffic shows, put together."""

from typing import Any

from twin import queries
from twin.assumptions import FIELDS
from twin.models import DistrictVersion
from twin.models.traffic import Traffic

BUSIEST = 15
LATE = 8


def traffic_page(of: DistrictVersion, asked: str) -> dict[str, Any]:
    """The chosen answer with its tables, and the others of this version."""
    shown = queries.chosen_traffic(of, asked)
    answers = list(queries.traffic_answers(of)[:20])
    context: dict[str, Any] = {
        "answer": shown,
        "others": [
            row for row in answers if row.method == Traffic.Method.EQUILIBRIUM and (not shown or row.pk != shown.pk)
        ],
        "runs": queries.open_traffic_runs(of.district.slug),
    }
    if shown is None:
        return context
    same = [row for row in answers if row.assumptions_sha256 == shown.assumptions_sha256]
    summary = shown.summary
    return context | {
        "summary": summary,
        "busiest": busiest(shown.streets),
        "late": late(shown.zones),
        "assumed": _assumed(shown),
        "modes": summary["person_trips"],
        "counted": [
            {"key": key, "count": row[0], "flow": row[1], "geh": row[2]}
            for key, row in ((summary["fit"] or {}).get("counts", {})).items()
        ],
        "size": {"width": summary["picture"][0], "height": summary["picture"][1]},
        "seeds": next((row for row in same if row.method == Traffic.Method.SEEDS), None),
        "deep": next((row for row in same if row.method == Traffic.Method.DEEP), None),
    }


def busiest(streets: dict[str, list[Any]], most: int = BUSIEST) -> list[dict[str, Any]]:
    """The fullest piece of each street, by flow; pieces without a name are left to the picture."""
    found: dict[str, dict[str, Any]] = {}
    names = list(streets)
    for row in zip(*streets.values(), strict=True):
        piece = dict(zip(names, row, strict=True))
        best = found.get(piece["name"])
        if piece["name"] and (best is None or piece["flow"] > best["flow"]):
            found[piece["name"]] = piece
    return sorted(found.values(), key=lambda piece: (-piece["flow"], piece["name"]))[:most]


def late(zones: list[dict[str, Any]], most: int = LATE) -> list[dict[str, Any]]:
    """The zones whose drivers lose most time on average; stations at the rim are nobody's home."""
    homes = [zone for zone in zones if not zone["station"] and zone["cars"] > 0]
    return sorted(homes, key=lambda zone: -zone["delay_min"])[:most]


def _assumed(shown: Traffic) -> list[dict[str, Any]]:
    """Each assumption with its value here, ours, and where it comes from."""
    return [
        {
            "field": field,
            "value": shown.assumptions.get(field.name, field.default),
            "ours": field.name not in shown.assumptions,
        }
        for field in FIELDS
    ]
