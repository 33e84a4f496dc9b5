"""Write labs as Open Know-Where: the standard's properties in snake case, materials and processes as articles."""

from collections.abc import Sequence
from typing import Any

import yaml

from labs.materials import article
from labs.okw import opening, vocabulary
from labs.okw.facility import Equipment, Facility

ACCESS = {
    "public": "Public", "membership": "Membership", "shared": "Shared space", "restricted": "Restricted",
    "restricted-public-hours": "Restricted with public hours",
}  # fmt: skip
STATUS = {
    "active": "Active", "planned": "Planned", "temporary-closure": "Temporary Closure", "closed": "Closed",
}  # fmt: skip
VERSION = "1.0"


def document(facilities: Sequence[Facility]) -> dict[str, Any]:
    """A document of one facility, or a list of several; plain values, ready for JSON."""
    if len(facilities) == 1:
        return {"okw_version": VERSION, **_facility(facilities[0])}
    return {"okw_version": VERSION, "facilities": [_facility(one) for one in facilities]}


def as_yaml(values: dict[str, Any]) -> str:
    """The document as YAML."""
    return str(yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=120))


def _facility(lab: Facility) -> dict[str, Any]:
    more = {key: value for key, value in lab.more.items() if key not in {"location", "address", "okw_version"}}
    place: dict[str, Any] = {"address": lab.more.get("address") or lab.address or None}
    if lab.lat is not None and lab.lon is not None:
        place["gps_coordinates"] = f"{lab.lat}, {lab.lon}"
    place |= {"directions": lab.directions or None, **lab.more.get("location", {})}
    reach = {"email": lab.email or None, "landline": lab.phone or None}
    contact = {"website": lab.website or None, "languages": list(lab.languages), "contact": _told(reach)}
    processes = dict.fromkeys(vocabulary.process_article(one.process) for one in lab.equipment if one.process)
    materials = dict.fromkeys(_material(word) for one in lab.equipment for word in one.materials)
    agents = {
        part: [_told({"name": agent.name, "website": agent.url or None}) for agent in lab.agents if agent.part == part]
        for part in ("affiliation", "partner", "funder")
    }
    return _told(
        {
            "name": lab.name,
            "facility_status": STATUS.get(lab.status),
            "description": lab.about or None,
            "location": _told(place),
            "owner": {"name": lab.owner} if lab.owner else None,
            "contact": _told(contact),
            "affiliation": agents["affiliation"],
            "partners": agents["partner"],
            "funders": agents["funder"],
            "opening_hours": None if lab.week is None else opening.write(dict(lab.week)),
            "access_type": ACCESS.get(lab.access),
            "wheelchair_accessibility": lab.wheelchair or None,
            "manufacturing_processes": [one for one in processes if one],
            "typical_materials": list(materials),
            "equipment": [_equipment(one) for one in lab.equipment],
            **more,
        }
    )


def _equipment(one: Equipment) -> dict[str, Any]:
    box = {"x": one.x_mm, "y": one.y_mm, "z": one.z_mm}
    return _told(
        {
            "name": one.name,
            "equipment_type": vocabulary.class_article(one.cls) or None,
            "manufacturing_process": vocabulary.process_article(one.process) or None,
            "make": one.make or None,
            "model": one.model or None,
            "notes": one.notes or None,
            "quantity": one.quantity if one.quantity != 1 else None,
            "power_rating": one.power_w,
            "build_volume": _told(box) if one.x_mm and one.y_mm else None,
            "tolerance_mm": one.tolerance_mm,
            "materials_worked": [_material(word) for word in one.materials],
            "condition": None if one.working else "In repair",
            **one.more,
        }
    )


def _material(word: str) -> str:
    """Its article where we know one, which is how the standard names materials; else the word."""
    return article(word) or word


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is not said."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}
