"""`import_district FILE… --slug S [--name N] --json`"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from commons.places.models import Place
from commons.runs.models import Run
from twin import files, queries, services
from twin.engine.model import LAYERS
from twin.forms import names_of
from twin.words import REMARKS, word


class Command(BaseCommand):
    """Make a district of map files, or a new version of it."""

    help = "Read .osm.pbf, .osm, .city.json, .city.jsonl, .geojson or .csv as a district or its next version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--slug", required=True)
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--place",
            default="",
            help="slug of the place that it models; without one it never enters the figures",
        )
        parser.add_argument("--licence", default="", help="SPDX name, where the file does not imply it")
        parser.add_argument("--attribution", default="")
        parser.add_argument(
            "--names",
            action="append",
            default=[],
            metavar="OURS=THEIRS",
            help="what a property is called in the files: population=asukkaita; epsg=3067 for a table in metres",
        )
        parser.add_argument("--keep", action="store_true", help="keep the layers that the files do not hold")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = self._run(options)
        except CityError as refusal:
            raise CommandError(str(refusal.sentence)) from refusal
        if run.status != Run.Status.DONE:
            raise CommandError(run.error or run.get_status_display())
        self._tell(run, as_json=options["json"])

    def _run(self, options: dict[str, Any]) -> Run:
        """Keep the files, start the run, and work on it here unless a worker was quicker."""
        for path in options["files"]:
            if not path.is_file():
                raise CommandError(f"{path}: there is no such file.")
        place = Place.objects.filter(slug=options["place"]).first()
        if options["place"] and place is None:
            raise CommandError(f"There is no place “{options['place']}”.")
        services.check_slug(options["slug"])
        run = services.start_import(
            slug=options["slug"],
            name=options["name"],
            files=[files.keep_path(path) for path in options["files"]],
            place=place,
            licence=options["licence"],
            attribution=options["attribution"],
            names=self._names(options["names"]),
            keep=options["keep"],
        )
        return services.finished(run)

    def _names(self, pairs: list[str]) -> dict[str, str]:
        try:
            return names_of(pairs)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal

    def _tell(self, run: Run, *, as_json: bool) -> None:
        result: dict[str, Any] = run.result or {}
        found = queries.district(result["district"])
        version = queries.version(found, result["version"])
        answer = {**result, "skipped": queries.skipped_in_words(version)}
        if as_json:
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        counts = ", ".join(f"{answer[layer]} {layer}" for layer in LAYERS)
        self.stdout.write(f"{found.name}, version {answer['version']}: {counts}.")
        for row in version.remarks:
            self.stdout.write(f"  {row['where']}: {word(REMARKS, row['code'])}.")
        if answer["conflicts"]:
            self.stdout.write(f"  {answer['conflicts']} corrections are contested; they stand until a steward decides.")
        for row in answer["skipped"]:
            self.stdout.write(f"  left out: {row['count']} x {row['what']}: {row['why']}")
