"""`manage.py make_statements COMMUNITY MONTH [--check] [--inline] --json`."""

import sys
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from commons.web.commands import CityCommand
from energy.errors import CommunityNotFound, StatementNotFound
from energy.models import Community
from energy.services import statements


class Command(CityCommand):
    """Make a month's statements, or check those that were made."""

    help = "Makes the statements of a month that are new or correct another; --check works the kept ones out again."
    needs_worker: ClassVar[bool] = "--inline" not in sys.argv

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("community", help="its slug")
        parser.add_argument("month", help="such as 2026-03")
        parser.add_argument("--check", action="store_true", help="compare the month's settlements with their readings")
        parser.add_argument("--inline", action="store_true", help="compute in this process instead of a worker")
        parser.add_argument("--timeout", type=float, default=3600.0, help="seconds to wait for the worker")

    def run(self, **options: Any) -> dict[str, Any]:
        community = Community.objects.select_related("place").filter(slug=options["community"]).first()
        if community is None:
            raise CommunityNotFound(f"There is no community “{options['community']}”.")
        if not options["check"]:
            return self._done(statements.ask_statements(community=community, month=options["month"]), options)
        first, until = statements.month_of(options["month"])
        found = list(community.settlements.filter(first_day__gte=first, first_day__lt=until).order_by("number"))
        if not found:
            raise StatementNotFound(f"{community.name} has no settlement of {options['month']}.")
        told = [self._done(statements.ask_check(settlement=one), options) for one in found]
        return {"same": all(one["same"] for one in told), "settlements": told}

    def _done(self, run: Run, options: dict[str, Any]) -> dict[str, Any]:
        if not (options["inline"] and do(run.pk)):
            runs.wait(run=run, timeout_s=options["timeout"])
        run.refresh_from_db()
        if run.status != Run.Status.DONE or run.result is None:
            raise CommandError(run.error or f"The run ended as “{run.get_status_display()}”.")
        return dict(run.result)
