"""`manage.py import_community DIR [--slug S] [--place P] --json`."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from commons.places import queries as places
from commons.web.commands import CityCommand
from energy import services


class Command(CityCommand):
    """Read a community folder into the database."""

    help = "Reads a community folder; the same slug again is a new version of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder",
            type=Path,
            help="holds community.toml, members.csv, load_kwh.csv, pv_kwh.csv, prices.csv",
        )
        parser.add_argument("--slug", help="its address; the folder's name by default")
        parser.add_argument("--place", help="slug of the place it belongs to; without one it enters no figure")

    def run(self, **options: Any) -> dict[str, Any]:
        where = places.place(options["place"]) if options["place"] else None
        version = services.import_folder(folder=options["folder"], slug=options["slug"], place=where)
        return {
            "slug": version.community.slug,
            "name": version.community.name,
            "version": version.number,
            "content_sha256": version.content_sha256,
            "members": version.members.count(),
            "steps": version.steps,
            "step_minutes": version.step_minutes,
            "start": version.start,
            "end": version.end,
            "load_kwh": version.load_kwh,
            "pv_kwh": version.pv_kwh,
            "place": where.slug if where else None,
        }
