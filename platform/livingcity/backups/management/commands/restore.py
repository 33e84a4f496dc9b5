"""`manage.py restore FROM`: the city from a backup, on a machine that has nothing yet."""

from typing import Any

from django.core.management.base import CommandParser

from commons.web.commands import CityCommand
from livingcity.backups import restoring
from livingcity.backups.telling import Teller


class Command(CityCommand):
    """Brings a backup back into an empty database and data folder."""

    help = "Fill an empty city from a backup. Killed in the middle, it is simply run again."

    def add_arguments(self, parser: CommandParser) -> None:
        """From where, and how much is looked at."""
        parser.add_argument("source", metavar="FROM", help="a backup, or a folder of backups: then the newest")
        parser.add_argument("--unchecked", action="store_true", help="do not compare rows and commits afterwards")
        parser.add_argument("--link", action="store_true", help="files share their bytes with the backup (for drills)")

    def run(self, **options: Any) -> dict[str, Any]:
        """Bring it back."""
        backup = restoring.opened(options["source"])
        restored = restoring.restore(backup, check=not options["unchecked"], link=options["link"], say=Teller(self.say))
        return {"backup": backup.name, **restoring.told(restored)}
