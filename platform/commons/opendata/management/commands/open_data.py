"""`manage.py open_data DIR`: every public dataset with a DCAT-AP catalogue."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from commons.opendata import writing
from commons.web.commands import CityCommand


class Command(CityCommand):
    """Writes what the weekly files hold into a folder of one's own."""

    help = "Write every public dataset with licence, attribution and a DCAT-AP catalogue into a new folder."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, and of what."""
        parser.add_argument("folder", metavar="DIR", type=Path, help="a folder that is new or empty")
        parser.add_argument("--district", default="", metavar="SLUG", help="only the data of this district")

    def run(self, **options: Any) -> dict[str, Any]:
        """Write them."""
        folder: Path = options["folder"].resolve()
        index = writing.write(folder, part=options["district"], say=lambda _share, words: self.say(words))
        files = [file for data in index["datasets"] for file in data["files"]]
        return {
            "folder": str(folder),
            "datasets": len(index["datasets"]),
            "files": len(files),
            "bytes": sum(file["bytes"] for file in files),
            "catalogue": index["catalogue"],
        }
