"""The software bill of materials: CycloneDX 1.6 as JSON, the same bytes for the same locks."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from livingcity.supply.locks import Package

SPEC = "http://cyclonedx.org/schema/bom-1.6.schema.json"
CITY = "pkg:generic/livingcity"


def document(packages: Sequence[Package], version: str) -> dict[str, Any]:
    """The BOM. It has no time of its own: the locks say of when it is."""
    city = f"{CITY}@{version}"
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": city,
                "name": "livingcity",
                "version": version,
                "purl": city,
                "licenses": [{"license": {"id": "AGPL-3.0-or-later"}}],
            }
        },
        "components": [_component(package) for package in packages],
    }
    name = json.dumps(body, sort_keys=True)
    return {"$schema": SPEC, "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, name).urn} | body


def _component(package: Package) -> dict[str, Any]:
    group, _slash, name = package.name.rpartition("/")
    said: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": name,
        "version": package.version,
        "scope": package.scope,
        "purl": package.purl,
        "hashes": [{"alg": algorithm, "content": content} for algorithm, content in package.hashes],
    }
    if group:
        said["group"] = group
    if package.licence:
        said["licenses"] = [{"license": {"name": package.licence}}]
    return said


def written(packages: Sequence[Package], version: str) -> str:
    """The BOM as text."""
    return json.dumps(document(packages, version), indent=1, ensure_ascii=False) + "\n"
