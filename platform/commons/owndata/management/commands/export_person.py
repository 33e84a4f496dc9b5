"""`manage.py export_person NAME FILE`: everything that is kept of a person, as one ZIP."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from commons.errors import BadInput, NotFound
from commons.owndata import archive
from commons.people.models import User
from commons.web.commands import CityCommand


class Command(CityCommand):
    """Write the file that the person could make on “My data”, for who asks by letter."""

    help = "Write everything that is kept of a person into a new ZIP file: JSON and CSV of each table, with a README."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME FILE."""
        parser.add_argument("name", help="the handle")
        parser.add_argument("file", help="the ZIP to write; it must not be there yet")

    def run(self, **options: Any) -> dict[str, Any]:
        """Write it."""
        person = User.objects.filter(username=options["name"].lower()).first()
        if person is None:
            raise NotFound(_("There is no account “%(name)s”.") % {"name": options["name"]})
        target = Path(options["file"])
        if target.exists():
            raise BadInput(_("“%(file)s” is there already. Name a new file.") % {"file": target}, where="file")
        made = archive.write(person, target, lambda _share, stage: self.say(stage))
        return {
            "file": str(target), "tables": made.tables, "rows": made.rows, "bytes": made.bytes, "sha256": made.sha256,
        }  # fmt: skip
