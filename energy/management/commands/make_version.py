"""`manage.py make_version SLUG --from DAY --to DAY [--fill week|zero|model] [--import-price P --export-price P]`."""

import datetime as dt
from typing import Any

from django.core.management.base import CommandError, CommandParser

from commons.web.commands import CityCommand
from energy.models import Community
from energy.services import measured


class Command(CityCommand):
    """Make a version of a community's data of what its meters measured."""

    help = "Makes a version of what the meters of a community measured; members without are modelled with --fill model."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--from", dest="start", type=dt.date.fromisoformat, required=True, help="the first day")
        parser.add_argument("--to", dest="last", type=dt.date.fromisoformat, required=True, help="the last day")
        parser.add_argument(
            "--fill", choices=("", *measured.FILLS), default="", help="what to do where nothing is known"
        )
        parser.add_argument("--import-price", type=float, help="what a kWh costs; else the prices of the newest data")
        parser.add_argument("--export-price", type=float, help="what a kWh earns")

    def run(self, **options: Any) -> dict[str, Any]:
        community = Community.objects.select_related("place__parent").filter(slug=options["slug"]).first()
        if community is None:
            raise CommandError(f"There is no community “{options['slug']}”.")
        made = measured.version(
            community,
            start=options["start"],
            end=options["last"] + dt.timedelta(days=1),
            fill=options["fill"],
            import_price=options["import_price"],
            export_price=options["export_price"],
        )
        members = list(made.members.values_list("name", "modelled"))
        return {
            "community": community.slug,
            "version": made.number,
            "source": made.source,
            "members": len(members),
            "modelled": [name for name, guess in members if guess],
        }

    def show(self, answer: dict[str, Any]) -> None:
        modelled = f", {len(answer['modelled'])} of them modelled" if answer["modelled"] else ""
        self.stdout.write(f"version {answer['version']}: {answer['members']} members{modelled}. {answer['source']}")
