"""`manage.py import_okh FILE|FOLDER --owner NAME [--dry-run] --json`."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from commons.people.models import Handle
from designs.services.manifests import Planned, files_in, import_planned, plan


class Command(BaseCommand):
    """Make designs of manifests."""

    help = "Makes a design of each OKH manifest, which is its one file; the things' own files stay where they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="a manifest, or a folder of them")
        parser.add_argument("--owner", required=True, help="the handle of a person or an organisation")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be made")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = Handle.objects.filter(name=options["owner"].lower()).first()
        if owner is None:
            raise CommandError(f"There is nobody called {options['owner']!r}; make an account first (create_user).")
        try:
            planned = plan(files_in(Path(options["source"])))
        except CityError as refusal:
            raise CommandError(str(refusal.sentence)) from None
        results = [_one(item, owner, dry=options["dry_run"]) for item in planned]
        good = sum(not result["fault"] for result in results)
        if options["json"]:
            sys.stdout.write(json.dumps({"read": good, "of": len(results), "results": results}) + "\n")
        else:
            for result in results:
                self.stdout.write(f"{result['status']:8} {result['file']}: {result['fault'] or result['design']}")
            self.stdout.write(f"{good} of {len(results)}")
        if good < len(results):
            sys.exit(1)


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
