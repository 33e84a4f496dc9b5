"""`manage.py demo`: seeds or refreshes the demo city; `demo --remove` takes it away whole."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandParser
from django.db import connection

from commons import sockets
from commons.errors import CityError, Conflict
from commons.web.commands import CityCommand

log = logging.getLogger(__name__)

#: The key of the advisory lock: one demo command at a time in a city.
LOCK = 0x11C_DE30


class Command(CityCommand):
    """Runs the demo's parts in order; a part that fails is named and the others go on."""

    help = "Seed or refresh the demo city, or take it away with --remove."
    needs_worker = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Seed, or remove."""
        parser.add_argument("--remove", action="store_true", help="take the demo away whole")
        parser.add_argument("--part", action="append", metavar="SLUG", help="only this part; may stand several times")

    def run(self, **options: Any) -> dict[str, Any]:
        """Seed in order, or remove in reverse; under a lock, so that two commands never mix."""
        parts = [p for p in sockets.demo_parts if not options["part"] or p.slug in options["part"]]
        if options["remove"]:
            parts.reverse()
        with one_at_a_time():
            done = [self._do(part, remove=options["remove"]) for part in parts]
        return {"removed": options["remove"], "ok": all(d["ok"] for d in done), "parts": done}

    def _do(self, part: sockets.DemoPart, *, remove: bool) -> dict[str, Any]:
        began = time.monotonic()
        error = ""
        try:
            (part.remove if remove else part.seed)(lambda line: self.say(f"demo {part.slug}: {line}"))
        except CityError as refusal:
            error = str(refusal.sentence)
        except Exception as fault:
            log.exception("the demo part %s failed", part.slug)
            error = f"{type(fault).__name__}: {fault}"
        if error:
            self.say(f"demo {part.slug}: this part did not work: {error}")
        return {
            "part": part.slug,
            "ok": not error,
            "seconds": round(time.monotonic() - began, 2),
            "error": error or None,
        }

    def show(self, answer: dict[str, Any]) -> None:
        """One line; the parts have spoken already."""
        good = sum(part["ok"] for part in answer["parts"])
        what = "taken away" if answer["removed"] else "seeded"
        self.stdout.write(f"Demo city: {good} of {len(answer['parts'])} parts {what}.")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the demo's advisory lock of PostgreSQL; raises Conflict when another command has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        row = cursor.fetchone()
    if not (row and row[0]):
        raise Conflict("Another demo command is at work; wait until it has ended.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
