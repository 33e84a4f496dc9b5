"""`manage.py import_community DIR [--slug S] [--place P] --json`."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from commons.places.models import Place
from energy import services


class Command(BaseCommand):
    """Read a community folder into the database."""

    help = "Reads a community folder (community.toml, members.csv, load_kwh.csv, pv_kwh.csv, prices.csv); the same slug again is a new version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--slug", help="its address; the folder's name by default")
        parser.add_argument("--place", help="slug of the place it belongs to; without one it enters no figure")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        place = None
        if options["place"]:
            place = Place.objects.filter(slug=options["place"]).first()
            if place is None:
                raise CommandError(f"There is no place “{options['place']}”; make it first or leave --place out.")
        try:
            version = services.import_folder(folder=options["folder"], slug=options["slug"], place=place)
        except CityError as refusal:
            raise CommandError(str(refusal.sentence)) from None
        answer = {
            "slug": version.community.slug,
            "name": version.community.name,
            "version": version.number,
            "content_sha256": version.content_sha256,
            "members": version.members.count(),
            "steps": version.steps,
            "step_minutes": version.step_minutes,
            "start": version.start.isoformat().replace("+00:00", "Z"),
            "end": version.end.isoformat().replace("+00:00", "Z"),
            "load_kwh": version.load_kwh,
            "pv_kwh": version.pv_kwh,
            "place": place.slug if place else None,
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        else:
            self.stdout.write(
                f"{answer['name']}: version {answer['version']}, {answer['members']} members, {answer['steps']} steps, "
                f"{version.load_kwh:,.0f} kWh used, {version.pv_kwh:,.0f} kWh made."
            )
