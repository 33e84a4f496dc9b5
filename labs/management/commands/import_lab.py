"""`manage.py import_lab LAB --members m.csv --machines x.csv --bookings b.csv | --nemo f.json [--dry-run] --json`."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.web.commands import CityCommand
from labs.errors.imports import BadImport
from labs.imports.dates import DAYS
from labs.imports.tables import MAX_BYTES
from labs.imports.words import REASONS, sentence
from labs.queries import catalogue
from labs.services import imports

KINDS = (*imports.CSV_KINDS, "nemo")


class Command(CityCommand):
    """Take over members, machines and bookings."""

    help = "Takes over members, machines and bookings of a lab from tables, or from a fixture of NEMO."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lab", help="the lab's name in addresses")
        for kind in imports.CSV_KINDS:
            parser.add_argument(f"--{kind}", metavar="CSV", help=f"a table of {kind}")
        parser.add_argument("--nemo", metavar="JSON", help="a fixture of NEMO, instead of tables")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be taken over")
        parser.add_argument("--leave-out", action="store_true", help="take the rest over where lines cannot be")
        parser.add_argument("--no-letters", action="store_true", help="send no sign-in links to new people")
        parser.add_argument("--source", default="", help="a name for where it comes from (default: csv or nemo)")
        parser.add_argument("--zone", default="", help="the time zone of the bookings (default: the lab's)")
        parser.add_argument("--dates", default="", choices=("", *DAYS), help="the form of dates, where it is open")
        parser.add_argument("--by", default="", help="the account in whose name badges and bookings are given")

    def run(self, **options: Any) -> dict[str, Any]:
        lab = catalogue.find_lab(options["lab"])
        files = {kind: _file(options[kind]) for kind in KINDS if options[kind]}
        if "nemo" in files and len(files) > 1:
            raise BadImport(_("Give a fixture or tables, not both."))
        source = (options["source"] or ("nemo" if "nemo" in files else "csv"))[:40]
        reading = imports.read(lab, files, zone=options["zone"], days=options["dates"])
        if options["dry_run"]:
            return {"dry_run": True, "lab": lab.slug, **imports.check(lab, source, reading)}
        report = imports.carry_out(
            lab,
            source,
            reading,
            by=_person(options["by"]),
            leave_out=options["leave_out"],
            letters=not options["no_letters"],
        )
        return {"dry_run": False, "lab": lab.slug, **report}

    def show(self, answer: dict[str, Any]) -> None:
        """The messages by line, then the sums."""
        for message in answer["messages"]:
            what, todo = sentence(message)
            where = f"{message['file']}:{message['line']}" if message["line"] else message["file"]
            self.stdout.write(f"{message['weight']:4} {where} {message['column']}: {what} {todo}")
        for left in answer["not_taken"]:
            self.stdout.write(f"left {left['count']} × {left['model']}: {REASONS[left['why']]}")
        for kind, counts in answer["counts"].items():
            self.stdout.write(f"{kind}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
        if answer["dry_run"]:
            self.stdout.write("Nothing was changed.")


def _file(path: str) -> tuple[str, bytes]:
    file = Path(path)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise BadImport(_("%(file)s is larger than %(most)s MB.") % {"file": path, "most": MAX_BYTES // 1_000_000})
        return file.name, file.read_bytes()
    except OSError as fault:
        raise BadImport(_("%(file)s cannot be read: %(why)s") % {"file": path, "why": fault.strerror}) from None


def _person(name: str) -> User | None:
    if not name:
        return None
    found = User.objects.filter(username=name.lower(), is_active=True).first()
    if found is None:
        raise BadImport(_("There is no account called “%(name)s”.") % {"name": name})
    return found
