"""`manage.py import_weather PLACE FILE`."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from commons.places.models import Place
from commons.web.commands import CityCommand
from energy.services import weather


class Command(CityCommand):
    """Keep a file of weather for a place."""

    help = "Reads a file of weather (TMY3, EPW, German TRY, PVGIS, Open-Meteo) and keeps it for a place."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("place")
        parser.add_argument("file", type=Path)

    def run(self, **options: Any) -> dict[str, Any]:
        place = Place.objects.filter(slug=options["place"]).first()
        if place is None:
            raise CommandError(f"There is no place “{options['place']}”.")
        if not options["file"].is_file():
            raise CommandError(f"“{options['file']}” is not a file.")
        made = weather.keep(place=place, content=options["file"].read_bytes(), name=options["file"].name)
        return {
            "place": place.slug,
            "format": made.source,
            "station": made.station,
            "typical": made.typical,
            "start": made.start.isoformat(),
            "step_minutes": made.step_minutes,
            "steps": made.steps,
        }

    def show(self, answer: dict[str, Any]) -> None:
        kind = "a typical year" if answer["typical"] else "real weather"
        self.stdout.write(f"{answer['format']}, {answer['station']}: {kind}, {answer['steps']} steps")
