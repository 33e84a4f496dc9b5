"""`manage.py import_okw FILE [--lab LAB] [--owner NAME] [--dry-run] --json`."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from commons.people.models import User
from labs import okw
from labs.queries import catalogue
from labs.services import okw as services


class Command(BaseCommand):
    """Take labs over from an Open Know-Where document."""

    help = "Takes labs and machines over from an Open Know-Where document (YAML or JSON): all of it or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--lab", default="", help="bring this lab up to date instead of opening new ones")
        parser.add_argument("--owner", default="", help="the account that becomes the owner of new labs")
        parser.add_argument("--dry-run", action="store_true", help="only say what is found")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            raw = options["file"].read_bytes()
        except OSError as fault:
            raise CommandError(f"{options['file']} cannot be read: {fault.strerror}.") from None
        reading = okw.read(raw)
        out = sys.stderr if options["json"] else sys.stdout
        for one in reading.findings:
            where = f"{one.where}: " if one.where else ""
            out.write(f"{options['file']}:{one.line}: {one.level}: {where}{one.sentence}\n")
        taken: list[services.Taken] = []
        if reading.ok and not options["dry_run"]:
            owner = User.objects.filter(username=options["owner"].lower()).first() if options["owner"] else None
            if options["owner"] and owner is None:
                raise CommandError(f"There is nobody called {options['owner']!r}.")
            try:
                lab = catalogue.find_lab(options["lab"]) if options["lab"] else None
                taken = services.take_over(facilities=reading.facilities, by=owner, lab=lab)
            except CityError as refusal:
                raise CommandError(str(refusal.sentence)) from None
        told = [{"lab": one.lab.slug, "new": one.new, "made": one.made, "changed": one.changed} for one in taken]
        if options["json"]:
            document = {"findings": [asdict(one) for one in reading.findings], "taken": told}
            self.stdout.write(json.dumps(document, ensure_ascii=False))
        for done in taken:
            out.write(f"{done.lab.slug}: {len(done.made)} machines made, {len(done.changed)} brought up to date\n")
        if not reading.ok:
            raise CommandError("Nothing was taken over; mend the errors first.")
