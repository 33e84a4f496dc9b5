"""Read a file of a utility in from the shell."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from commons.people.models import User
from energy.models import Community, Participant
from energy.services import meter_files


class Command(BaseCommand):
    """`import_meter_csv COMMUNITY FILE --by NAME`: CSV or Green Button, whole or not at all."""

    help = "Read meter readings (CSV or Green Button) into a community, whole or not at all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What it is told."""
        parser.add_argument("community", help="address of the community")
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", required=True, help="account in whose name it is done: a steward, or the household")
        parser.add_argument("--participant", type=int, help="number of the participant; else by the meter numbers")
        parser.add_argument("--mapping", type=Path, help="JSON that says what the columns mean; else as remembered")
        parser.add_argument("--utility", default="", help="remember the mapping under this name")
        parser.add_argument("--guess", action="store_true", help="print the mapping that we would guess, read nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Refusals name lines and what to do."""
        community = Community.objects.select_related("place").filter(slug=options["community"]).first()
        by = User.objects.filter(username=options["by"]).first()
        if community is None or by is None:
            raise CommandError("There is no such community, or nobody of that name.")
        owner = None
        if options["participant"] is not None:
            owner = Participant.objects.filter(community=community, pk=options["participant"]).first()
            if owner is None:
                raise CommandError("There is no such participant in this community.")
        path: Path = options["file"]
        try:
            data = path.read_bytes()
            mapping = json.loads(options["mapping"].read_text(encoding="utf-8")) if options["mapping"] else None
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from None
        try:
            if options["guess"]:
                self.stdout.write(json.dumps(meter_files.guess(data), indent=2, ensure_ascii=False))
                return
            kept = meter_files.bring(
                community=community,
                by=by,
                name=path.name,
                data=data,
                participant=owner,
                mapping=mapping,
                utility=options["utility"],
            )
        except CityError as error:
            lines = [f"  line {b['line']}: {b['wrong']}" for b in error.data.get("lines", [])]
            raise CommandError("\n".join([str(error.sentence), *lines])) from None
        days = kept.report["days"]
        self.stdout.write(
            f"{path.name}: {days['new']} days new, {days['revised']} corrected, {days['same']} as before; "
            f"{kept.report['missing_steps']} steps missing"
        )
