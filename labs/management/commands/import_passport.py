"""`manage.py import_passport FILE --lab LAB [--dry-run] --json`."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from labs.passports import fields
from labs.queries import catalogue, passports
from labs.services import passports as services


class Command(BaseCommand):
    """Take a product passport over from INTERFACER's fields."""

    help = "Takes product passports over from a file in INTERFACER's fields, and lists what is left out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--lab", required=True, help="the lab that keeps them")
        parser.add_argument("--source", default="", help="where they come from, in words")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be taken")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            document = json.loads(options["file"].read_bytes())
        except OSError as fault:
            raise CommandError(f"{options['file']} cannot be read: {fault.strerror}.") from None
        except ValueError:
            raise CommandError(f"{options['file']} is no JSON.") from None
        try:
            lab = catalogue.find_lab(options["lab"])
        except CityError as refusal:
            raise CommandError(str(refusal.sentence)) from None
        out, told, refused = sys.stderr if options["json"] else sys.stdout, [], 0
        for nth, one in enumerate(document if isinstance(document, list) else [document], 1):
            read = fields.read(one)
            for left in read.left:
                out.write(f"{nth}: left out: {left.path}: {left.why}\n")
            url = None
            if not read.fields:
                refused += 1
            elif not options["dry_run"]:
                made = services.bring(lab=lab, document=one, by=None, source=options["source"])
                url = passports.url_of(made)
                out.write(f"{nth}: {read.name or 'a thing'}: {url}\n")
            told.append({
                "name": read.name, "url": url, "taken": read.fields,
                "left": [{"path": left.path, "why": left.why} for left in read.left],
            })  # fmt: skip
        if options["json"]:
            self.stdout.write(json.dumps({"passports": told}, ensure_ascii=False))
        if refused:
            raise CommandError(f"Nothing could be taken of {refused} of them.")
