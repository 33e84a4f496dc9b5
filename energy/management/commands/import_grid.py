"""`manage.py import_grid DIR --community SLUG | --place SLUG [--check CONTROL] --json`."""

import datetime as dt
import sys
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from commons.places import queries as places
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from commons.web.commands import CityCommand
from energy import queries
from energy.queries import grids as found
from energy.services import grids


class Command(CityCommand):
    """Read a low-voltage grid in the CSV form of SimBench."""

    help = "Reads the grid of a community or place; the same one again is a new version of it."
    needs_worker: ClassVar[bool] = "--check" in sys.argv and "--inline" not in sys.argv

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="holds Node.csv, ExternalNet.csv, Line.csv, LineType.csv, …")
        parser.add_argument("--community", help="slug of the community whose grid it is")
        parser.add_argument("--place", help="slug of the place whose grid it is")
        parser.add_argument("--name", default="", help="what people call it; the folder's name by default")
        parser.add_argument("--from", dest="valid_from", type=dt.date.fromisoformat, help="first day, as 2026-05-31")
        parser.add_argument("--source", default="", help="where the data come from, in words")
        parser.add_argument("--check", choices=found.CONTROLS, help="then check the newest data on it")
        parser.add_argument("--inline", action="store_true", help="check in this process instead of a worker")
        parser.add_argument("--timeout", type=float, default=3600.0, help="seconds to wait for the worker")

    def run(self, **options: Any) -> dict[str, Any]:
        version = queries.newest(options["community"]) if options["community"] else None
        grid = grids.import_grid(
            folder=options["folder"],
            community=version.community if version else None,
            place=places.place(options["place"]) if options["place"] else None,
            name=options["name"],
            valid_from=options["valid_from"],
            source=options["source"],
        )
        answer: dict[str, Any] = {
            "name": grid.grid.name,
            "version": grid.number,
            "valid_from": grid.valid_from,
            "content_sha256": grid.content_sha256,
            "nodes": grid.nodes,
            "lines": len(grid.network["lines"]),
            "transformers": len(grid.network["transformers"]),
            "radial": grid.radial,
        }
        if version is not None:
            rows = found.placed(grid, version)
            answer["connected"] = {known: sum(row.known == known for row in rows) for known in {r.known for r in rows}}
        if options["check"]:
            if version is None:
                raise CommandError("A check needs the data of a community; name it with --community.")
            run = grids.start_check(version=version, grid_version=grid, control=options["check"])
            if not (options["inline"] and do(run.pk)):
                runs.wait(run=run, timeout_s=options["timeout"])
            run.refresh_from_db()
            if run.status != Run.Status.DONE or run.result is None:
                raise CommandError(run.error or f"The check ended as “{run.get_status_display()}”.")
            answer["check"] = run.result
        return answer
