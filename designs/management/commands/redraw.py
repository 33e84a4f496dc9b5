"""`manage.py redraw [--all] [--failed] [--json]`."""

import time
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from commons.runs.models import Run
from commons.web.commands import CityCommand
from designs.queries.drawn import to_redraw
from designs.services import previews

POLL_S = 1.0


class Command(CityCommand):
    """Draw again what an older engine drew, and say how far it is."""

    help = "Draws pictures, models and facts anew where an older engine made them; old ones stay shown meanwhile."
    needs_worker: ClassVar[bool] = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", dest="everything", help="also what this engine drew")
        parser.add_argument("--failed", action="store_true", help="also what could not be drawn")

    def run(self, **options: Any) -> dict[str, Any]:
        asked = {"everything": options["everything"], "failed": options["failed"]}
        batches = list(to_redraw(**asked))
        total, done, broken = sum(len(blobs) for _design, blobs in batches), 0, 0
        for design, blobs in batches:
            run = previews.start(design=design, blobs=blobs, again=any(asked.values()))
            self._follow(run, done, total)
            done += len(blobs)
            broken += run.status != Run.Status.DONE
        return {"files": total, "runs": len(batches), "runs_that_failed": broken, "ok": not broken}

    def _follow(self, run: Run, done: int, total: int) -> None:
        """Until the run is over, a line whenever it says something new."""
        said = ""
        while not run.is_over:
            time.sleep(POLL_S)
            run.refresh_from_db()
            line = f"{done} of {total} files; {run.title}: {run.stage or run.get_status_display()}"
            if line != said:
                self.say(line)
                said = line
