"""What the pages of risk and carbon show, put together."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from twin import queries
from twin.models import DistrictVersion, Reckoning
from twin.pages.districts import picture_size
from twin.words import HEAT, KINDS, word

SUPPLY = {
    "solar": _("panels on every roof"),
    "batteries": _("and a battery of 1 kWh for each kW peak"),
    "cars": _("and cars that give 9 kWh for each home"),
}
PARTS = {
    "buildings": _("Heat of buildings"),
    "electricity": _("Electricity"),
    "mobility": _("Cars of the people who live here"),
    "production": _("Making in the labs, as measured"),
}
DRIVEN = _("Cars that drive in the district")
UNITS = {"kWh": "kWh", "vehicle-km": _("km driven")}
STRENGTH = {0: 0.0, 1: 0.35, 2: 0.8}


def risk_page(of: DistrictVersion) -> dict[str, Any]:
    """Power cuts, heat, streets, and rain where a terrain was given."""
    kept = queries.reckoning(of, "risk")
    shared = {"kept": kept, "run": queries.reckoning_run(of, "risk"), "size": picture_size(of)}
    if kept is None:
        return shared
    summary = kept.summary
    outage = summary["outage"]
    rows = [{**row, "title": SUPPLY[row["name"]]} for row in outage["rows"]]
    return shared | {
        "full": [row for row in rows if row["essential"] == 1],
        "little": [row for row in rows if row["essential"] < 1],
        "best": rows[-1],
        "services": [{**row, "title": word(KINDS, row["kind"])} for row in outage["services"]],
        "heat": [
            {**row, "title": HEAT[row["level"]], "share": row["buildings"] / max(summary["buildings"], 1)}
            for row in summary["heat"]["rows"]
        ],
        "people": summary["heat"]["people"],
        "streets": summary["streets"],
        "rain": queries.reckoning(of, "rain"),
    }


def heat_strengths(kept: Reckoning) -> dict[str, float]:
    """How strong the colour of heat is on each roof."""
    return {key: STRENGTH[level] for key, level in zip(kept.keys, kept.columns["heat"], strict=True)}


def carbon_page(of: DistrictVersion) -> dict[str, Any]:
    """The ledger, its factors and its range."""
    kept = queries.reckoning(of, "carbon")
    shared = {"kept": kept, "run": queries.reckoning_run(of, "risk")}
    if kept is None:
        return shared
    total = {name: _two_figures(kg) for name, kg in kept.summary["total"].items()}
    by_traffic = kept.summary.get("driven", {}).get("how") == "traffic"
    people = kept.summary.get("people")
    lines = [
        {
            **line,
            "kg": {name: _two_figures(kg) for name, kg in line["kg"].items()},
            "amount": {name: _two_figures(amount) for name, amount in line["amount"].items()},
            "title": DRIVEN if line["part"] == "mobility" and by_traffic else PARTS[line["part"]],
            "unit_word": UNITS.get(line["unit"], line["unit"]),
            "share": line["kg"]["middle"] / total["middle"] if total["middle"] else 0.0,
        }
        for line in kept.summary["lines"]
    ]
    return shared | {
        "total": total,
        "lines": lines,
        "by_traffic": by_traffic,
        "people": {**people, **{name: _two_figures(people[name]) for name in ("low", "middle", "high")}}
        if people
        else None,
    }


def _two_figures(value: float) -> float:
    """As many figures as such an estimate carries."""
    return float(f"{value:.2g}")
