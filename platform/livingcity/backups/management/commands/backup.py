"""`manage.py backup`: keep the whole city a second time."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandParser

from commons.web.commands import CityCommand
from livingcity.backups import making, shelf
from livingcity.backups.telling import Teller, summary


class Command(CityCommand):
    """Makes a backup, or lists those that there are."""

    help = "Keep database and files of the city in a folder; what is as it was takes no room again."

    needs_worker: ClassVar[bool | tuple[str, ...]] = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, how many stay, and whether with the secret."""
        parser.add_argument("--to", default="", metavar="FOLDER", help="where backups are kept (default: BACKUP_TO)")
        parser.add_argument("--keep", type=int, default=settings.BACKUP_KEEP, metavar="N", help="how many stay")
        parser.add_argument("--with-secret", action="store_true", help="put the site's SECRET_KEY in as well")
        parser.add_argument("--list", action="store_true", help="only say which there are")

    def run(self, **options: Any) -> dict[str, Any]:
        """Make one."""
        folder = shelf.chosen(options["to"])
        if options["list"]:
            return {"folder": str(folder), "backups": [summary(backup) for backup in shelf.backups(folder)]}
        made, gone = making.make(folder, keep=options["keep"], with_secret=options["with_secret"], say=Teller(self.say))
        return {"folder": str(made.folder), **summary(made), "removed": gone}
