"""`manage.py import_okh FILE|FOLDER --owner NAME [--dry-run] --json`."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from commons.errors import CityError
from commons.people.models import Handle
from commons.web.commands import CityCommand
from designs.queries.owners import owner_called
from designs.services.manifests import Planned, files_in, import_planned, plan


class Command(CityCommand):
    """Make designs of manifests."""

    help = "Makes a design of each OKH manifest, which is its one file; the things' own files stay where they are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", help="a manifest, or a folder of them")
        parser.add_argument("--owner", required=True, help="the handle of a person or an organisation")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be made")

    def run(self, **options: Any) -> dict[str, Any]:
        owner = owner_called(options["owner"])
        planned = plan(files_in(Path(options["source"])))
        results = [_one(item, owner, dry=options["dry_run"]) for item in planned]
        good = sum(not result["fault"] for result in results)
        return {"read": good, "of": len(results), "ok": good == len(results), "results": results}

    def show(self, answer: dict[str, Any]) -> None:
        """A line for each manifest."""
        for result in answer["results"]:
            self.stdout.write(f"{result['status']:8} {result['file']}: {result['fault'] or result['design']}")
        self.stdout.write(f"{answer['read']} of {answer['of']}")


def _one(item: Planned, owner: Handle, *, dry: bool) -> dict[str, Any]:
    status, fault = "would" if dry else "made", item.fault
    if not dry and not fault:
        try:
            _design, new = import_planned(planned=item, owner=owner)
            status = "made" if new else "kept"
        except CityError as refusal:
            fault = str(refusal.sentence)
    return {
        "file": item.source.name, "status": "refused" if fault else status, "fault": fault,
        "design": f"{owner.name}/{item.slug}" if item.slug else "", "name": item.name, "licence": item.licence,
        "written_licence": item.written_licence,
    }  # fmt: skip
