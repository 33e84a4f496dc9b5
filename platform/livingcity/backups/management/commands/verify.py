"""`manage.py verify FROM`: is a backup worth its name?"""

from typing import Any, ClassVar

from django.core.management.base import CommandParser

from commons.web.commands import CityCommand
from livingcity.backups import drills, restoring, shelf
from livingcity.backups.telling import Teller


class Command(CityCommand):
    """Restores a backup into a throw-away city and looks at what came back."""

    help = "Restore a backup into a throw-away city and compare every row, file and commit."
    needs_services: ClassVar[bool] = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Which one."""
        parser.add_argument(
            "source", metavar="FROM", nargs="?", default="", help="a backup, or a folder of them (default: BACKUP_TO)"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        """Drill it."""
        backup = restoring.opened(options["source"] or str(shelf.chosen()))
        return drills.drill(backup, say=Teller(self.say))
