"""The field names of INTERFACER's passport, and reading and writing documents that use them. Pure.

The names are those of `interfacer-dpp` (internal/model/model.go) and of the form that fills it in `interfacer-gui`
(components/partials/create/project/steps/DPPStep/schema.ts). A value is {"type", "value", "units"}; older files hold
plain text instead, which is read as well.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_TEXT, MOST_PARTS = 4000, 200
VALUE_MEMBERS = {"type", "value", "units"}


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: Section → its fields.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "productOverview": _names(
        "brandName productImage globalProductClassificationCode countryOfSale productDescription productName netWeight "
        "gtin color countryOfOrigin dimensions modelName taricCode conditionOfTheProduct netContent nominalMaximumRPM "
        "maximumDrillingDiameter numberOfGears torque warrantyDuration safetyInstructions consumerUnit "
        "netContentAndUnitOfMeasure yearOfSale"
    ),
    "reparability": _names("serviceAndRepairInstructions availabilityOfSpareParts"),
    "environmentalImpact": _names(
        "waterConsumptionPerUnit chemicalConsumptionPerUnit co2eEmissionsPerUnit energyConsumptionPerUnit "
        "cleaningPerformanceAtLowTemperature minimumContentOfMaterialWithSustainabilityCertification"
    ),
    "complianceAndStandards": _names("ceMarking rohsCompliance"),
    "certificates": _names("nameOfCertificate"),
    "recyclability": _names("recyclingInstructions materialComposition substancesOfConcern"),
    "energyUseAndEfficiency": _names(
        "batteryType batteryChargingTime batteryLife chargerType maximumElectricalPower maximumVoltage maximumCurrent "
        "powerRating dcVoltage"
    ),
    "economicOperator": _names("companyName gln eoriNumber addressLine1 addressLine2 contactInformation"),
    "repairInformation": _names("reasonForRepair performedAction materialsUsed dateOfRepair"),
    "refurbishmentInformation": _names("performedAction materialsUsed dateOfRefurbishment"),
    "recyclingInformation": _names("performedAction dateOfRecycling"),
    "consumerInformation": _names("marketingClaim"),
    "dosageInstructions": _names("usageAndDisposalInfo"),
    "ingredients": _names(
        "ingredientList minimumContentOfBiodegradableSubstances presenceOfNonBiodegradableMicroplastics"
    ),
    "packaging": _names("disposalInstructions minimumRecycledContent recyclablePackaging"),
}
COMPONENT = _names("componentDescription componentGTIN linkToDPP")
CHEMICALS = _names("amount ingredient")
#: What a record of theirs carries besides, which is of their database and not of the thing.
THEIR_OWN = {"_id", "id"}


@dataclass(frozen=True, slots=True)
class Left:
    """A part of a document that was not taken, and why."""

    path: str
    why: str


@dataclass(slots=True)
class Read:
    """What a document says in INTERFACER's fields, and what could not be taken."""

    fields: dict[str, Any] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the thing is called."""
        told = self.fields.get("productOverview", {}).get("productName", {}).get("value", "")
        return str(told)


def text(value: str) -> dict[str, Any]:
    """A value that is words."""
    return {"type": "Text", "value": value}


def number(value: float, units: str) -> dict[str, Any]:
    """A value with its unit; six decimals, and whole numbers without any, so that every JSON reader sees the same."""
    return {"type": "Number", "value": plain(value), "units": units}


def plain(value: float) -> float | int:
    """A number that Python and JavaScript write alike."""
    rounded = round(float(value), 6)
    return int(rounded) if rounded == int(rounded) else rounded


def read(document: Any) -> Read:
    """What INTERFACER's document says. Never raises: whatever it is not is listed."""
    found = Read()
    if not isinstance(document, Mapping):
        found.left.append(Left("", "this is no JSON object"))
        return found
    for name, value in document.items():
        if name in THEIR_OWN:
            found.left.append(Left(name, "the number in their database; ours gets its own"))
        elif name == "components":
            _components(value, found)
        elif name in SECTIONS:
            _section(name, value, found)
        else:
            found.left.append(Left(str(name)[:80], "no field of this passport"))
    return found


def _section(name: str, value: Any, found: Read) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping):
        found.left.append(Left(name, "it holds no fields"))
        return
    taken = dict(_taken(name, value, SECTIONS[name], found))
    if name == "packaging" and isinstance(value.get("chemicalConsumption"), Mapping):
        inner = dict(_taken(f"{name}.chemicalConsumption", value["chemicalConsumption"], CHEMICALS, found))
        if inner:
            taken["chemicalConsumption"] = inner
    if taken:
        found.fields[name] = taken


def _taken(path: str, value: Mapping[str, Any], names: tuple[str, ...], found: Read) -> Iterator[tuple[str, Any]]:
    for name, raw in value.items():
        here = f"{path}.{name}"[:160]
        if name not in names:
            if not (path == "packaging" and name == "chemicalConsumption"):
                found.left.append(Left(here, "no field of this passport"))
            continue
        if raw is None or (isinstance(raw, Mapping) and raw.get("value") is None):
            continue
        told = _value(raw)
        if told is None:
            found.left.append(Left(here, "its value is neither words nor a number"))
        elif name == "contactInformation" and "@" in str(told["value"]):
            found.left.append(Left(here, "an e-mail address may be a person's; a passport names nobody"))
        else:
            yield name, told


def _value(raw: Any) -> dict[str, Any] | None:
    """As {"type", "value", "units"}."""
    if not isinstance(raw, Mapping):
        raw = {"value": raw}
    value, units = raw.get("value"), raw.get("units")
    if isinstance(value, bool):
        told: Any = value
    elif isinstance(value, int | float) and abs(value) < 1e15:
        told = plain(value)
    elif isinstance(value, str) and len(value) <= MOST_TEXT:
        told = value
    else:
        return None
    kind = raw.get("type")
    known = kind if isinstance(kind, str) and kind and len(kind) <= 40 and kind.isalnum() else ""
    default = "Text" if isinstance(told, str) else "Number" if not isinstance(told, bool) else "Boolean"
    found = {"type": known or default, "value": told}
    return {**found, "units": units[:40]} if isinstance(units, str) and units else found


def _components(value: Any, found: Read) -> None:
    if value is None:
        return
    if not isinstance(value, list):
        found.left.append(Left("components", "it is no list"))
        return
    taken = []
    for nth, one in enumerate(value[:MOST_PARTS]):
        if isinstance(one, Mapping):
            part = dict(_taken(f"components.{nth}", one, COMPONENT, found))
            if part:
                taken.append(part)
        else:
            found.left.append(Left(f"components.{nth}", "it holds no fields"))
    if len(value) > MOST_PARTS:
        found.left.append(Left("components", f"only the first {MOST_PARTS} parts"))
    if taken:
        found.fields["components"] = taken


def written(subject: Mapping[str, Any]) -> dict[str, Any]:
    """INTERFACER's document out of what a passport of ours says: their fields alone."""
    return {name: subject[name] for name in (*SECTIONS, "components") if subject.get(name)}


def day(moment: str) -> str:
    """The UTC day of a time, as their dates are written."""
    return f"{dt.datetime.fromisoformat(moment).astimezone(dt.UTC):%Y-%m-%dT00:00:00Z}"
