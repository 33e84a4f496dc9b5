"""`manage.py sbom [FILE]`."""

import tomllib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from commons.errors import BadInput
from commons.web.commands import CityCommand
from livingcity.supply import locks
from livingcity.supply import sbom as bom


def read_locks() -> list[locks.Package]:
    """Every locked package. Raises BadInput for a lock that cannot be read."""
    try:
        return locks.packages(settings.ROOT)
    except (OSError, ValueError, KeyError) as fault:
        raise BadInput(f"The locks cannot be read: {fault}. Make them anew with `make lock`.") from None


class Command(CityCommand):
    """Write down what the city is made of."""

    help = "Writes the software bill of materials (CycloneDX 1.6, JSON) of all locks."
    needs_services = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=Path("sbom.cdx.json"), help="where to")

    def run(self, **options: Any) -> dict[str, Any]:
        found = read_locks()
        file: Path = options["file"]
        file.write_text(bom.written(found, _version()))
        scopes = {scope: sum(one.scope == scope for one in found) for scope in ("required", "optional", "excluded")}
        unknown = [one.purl for one in found if not one.licence and one.scope == "required"]
        return {"file": str(file), "components": len(found), **scopes, "without_licence": unknown}


def _version() -> str:
    project: dict[str, str] = tomllib.loads((settings.ROOT / "pyproject.toml").read_text())["project"]
    return project["version"]
