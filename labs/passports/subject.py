"""What a passport says to everybody, as one JSON object: INTERFACER's fields, and ours for what they have no field for.

Pure: from the entries' facts to the object. No person is in it: entries hold none, and designers are named only where
their licence asks for it, in the attribution that they published themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from labs.passports import fields

#: Entries whose facts are laid over those before them, key by key.
LAID_OVER = ("made", "energy", "design", "corrected")
SECTION_OF = {
    "repaired": "repairInformation", "refurbished": "refurbishmentInformation", "recycled": "recyclingInformation",
}  # fmt: skip


def merged(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What holds now: each entry's facts over those of the ones before."""
    facts: dict[str, Any] = {}
    for entry in entries:
        if entry["kind"] in LAID_OVER:
            facts |= entry["facts"]
    return facts


def redacted(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a design that is not everybody's to see any more: of it only its licence stays."""
    design = facts.get("design") or {}
    kept = {name: design[name] for name in ("licence", "open", "reasons") if name in design}
    left = {**kept, "withdrawn": True} if kept else {}
    return {**facts, "name": "", "summary": "", "attribution": [], "design": left}


def of(url: str, entries: Sequence[Mapping[str, Any]], *, design_shown: bool) -> dict[str, Any]:
    """The object. `entries` are {"number", "kind", "at", "facts", "hidden"} in order."""
    imported = next((e["facts"] for e in entries if e["kind"] == "imported"), None)
    facts = merged(entries)
    if not design_shown and facts.get("design"):
        facts = redacted(facts)
    told: dict[str, Any] = {"id": url, "type": "ProductPassport"}
    if imported is not None:
        told |= imported.get("fields", {})
        told["statedBy"] = imported.get("source", "")
    else:
        told |= _theirs(facts) | _ours(facts)
    for entry in entries:
        section = SECTION_OF.get(entry["kind"])
        if section and not entry.get("hidden"):
            told[section] = {name: fields.text(str(value)) for name, value in entry["facts"].items() if value}
    told["entries"] = [_entry(entry) for entry in entries]
    return told


def _theirs(facts: Mapping[str, Any]) -> dict[str, Any]:
    lab, energy, material = facts.get("lab", {}), facts.get("energy") or {}, facts.get("material") or {}
    design = facts.get("design") or {}
    overview = {
        "productName": facts.get("name"),
        "productDescription": facts.get("summary"),
        "brandName": lab.get("name"),
        "modelName": design.get("release") or (design.get("commit") or "")[:12],
    }
    told: dict[str, Any] = {name: fields.text(str(value)) for name, value in overview.items() if value}
    if material.get("mass_g") is not None:
        told["netWeight"] = fields.number(material["mass_g"], "g")
    found: dict[str, Any] = {"productOverview": told} if told else {}
    impact: dict[str, Any] = {}
    if energy.get("kwh") is not None:
        impact["energyConsumptionPerUnit"] = fields.number(energy["kwh"], "kWh")
    if energy.get("co2_g") is not None:
        impact["co2eEmissionsPerUnit"] = fields.number(energy["co2_g"] / 1000, "kg CO2e")
    if impact:
        found["environmentalImpact"] = impact
    if material.get("name"):
        found["recyclability"] = {"materialComposition": fields.text(material["name"])}
    names = {"companyName": "name", "addressLine1": "address", "contactInformation": "url"}
    operator = {theirs: lab.get(ours) for theirs, ours in names.items()}
    found["economicOperator"] = {name: fields.text(str(value)) for name, value in operator.items() if value}
    return found


def _ours(facts: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"make": _clean(facts.get("make") or {})}
    for name in ("design", "energy"):
        if facts.get(name):
            told[name] = _clean(facts[name])
    if facts.get("attribution"):
        told["attribution"] = [_clean(link) for link in facts["attribution"]]
    return told


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    told = {"number": entry["number"], "kind": entry["kind"], "at": entry["at"], "hidden": bool(entry.get("hidden"))}
    if entry["kind"] in SECTION_OF and not told["hidden"]:
        told["says"] = {name: value for name, value in entry["facts"].items() if value}
    return told


def _clean(value: Any) -> Any:
    """Numbers as every JSON reader writes them; nothing that is not known."""
    if isinstance(value, Mapping):
        return {str(name): _clean(one) for name, one in value.items() if one is not None and one not in ("", [], {})}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    if isinstance(value, float):
        return fields.plain(value)
    return value
