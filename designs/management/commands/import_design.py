"""`manage.py import_design SOURCE --owner NAME [--slug S] [--follow HOURS] [--wait] --json`."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from commons.people.models import Handle
from designs.api.shapes import of_design, of_file
from designs.queries.files import files_at
from designs.services import import_design


class Command(BaseCommand):
    """Bring a design in with its whole history."""

    help = "Imports a design: an https git address, a local repository or folder, or a .zip; all history."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source")
        parser.add_argument("--owner", required=True, help="the handle of a person or an organisation")
        parser.add_argument("--slug", default="", help="the word of its address; from the source without it")
        parser.add_argument("--name", default="")
        parser.add_argument("--licence", default="", help="SPDX; read from the source's own text without it")
        parser.add_argument("--follow", type=int, default=0, metavar="HOURS", help="keep following an https address")
        parser.add_argument("--wait", action="store_true", help="until the previews are there too")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = Handle.objects.filter(name=options["owner"].lower()).first()
        if owner is None:
            raise CommandError(f"There is nobody called {options['owner']!r}; make an account first (create_user).")
        try:
            design = import_design(
                source=options["source"], owner=owner, by=None, slug=options["slug"], name=options["name"],
                licence=options["licence"], wait=options["wait"], follow_hours=options["follow"],
            )  # fmt: skip
        except CityError as refusal:
            raise CommandError(str(refusal.sentence)) from None
        files = [of_file(design, file) for file in files_at(design, design.head)]
        document = {**of_design(design), "files": files}
        if options["json"]:
            sys.stdout.write(json.dumps(document, default=str) + "\n")
        else:
            self.stdout.write(f"{design.owner.name}/{design.slug}: {len(files)} files at {design.head[:10]}")
