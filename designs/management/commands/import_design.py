"""`manage.py import_design SOURCE --owner NAME [--slug S] [--follow HOURS] [--wait] --json`."""

from typing import Any

from django.core.management.base import CommandParser

from commons.web.commands import CityCommand
from designs.api.shapes import of_design, of_file
from designs.queries.files import files_at
from designs.queries.owners import owner_called
from designs.services import import_design


class Command(CityCommand):
    """Bring a design in with its whole history."""

    help = "Imports a design: an https git address, a local repository or folder, or a .zip; all history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source")
        parser.add_argument("--owner", required=True, help="the handle of a person or an organisation")
        parser.add_argument("--slug", default="", help="the word of its address; from the source without it")
        parser.add_argument("--name", default="")
        parser.add_argument("--licence", default="", help="SPDX; read from the source's own text without it")
        parser.add_argument("--follow", type=int, default=0, metavar="HOURS", help="keep following an https address")
        parser.add_argument("--wait", action="store_true", help="until the previews are there too")

    def run(self, **options: Any) -> dict[str, Any]:
        asked = {name: options[name] for name in ("source", "slug", "name", "licence", "wait")}
        owner = owner_called(options["owner"])
        design = import_design(owner=owner, by=None, follow_hours=options["follow"], **asked)
        files = [of_file(design, file) for file in files_at(design, design.head)]
        return {**of_design(design), "files": files}

    def show(self, answer: dict[str, Any]) -> None:
        """The address, and how much there is."""
        head = (answer["head"] or "")[:10]
        self.stdout.write(f"{answer['owner']}/{answer['slug']}: {len(answer['files'])} files at {head}")
