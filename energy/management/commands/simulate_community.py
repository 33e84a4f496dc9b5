"""`manage.py simulate_community SLUG --control … [--horizon-hours H] [--sharing …] --json [--inline]`."""

import json
from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from energy import queries, services
from energy.models import Community


class Command(BaseCommand):
    """Simulate a community's newest version through a worker and print the result."""

    help = "Simulates a community and prints totals, members, sharing and how it was computed."
    needs_worker: ClassVar[bool] = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--control", choices=services.CONTROLS, required=True)
        parser.add_argument("--sharing", choices=services.SHARING_RULES, help="how the saving is shared")
        parser.add_argument("--horizon-hours", type=float, help="look ahead so far instead of over the whole period")
        parser.add_argument("--inline", action="store_true", help="compute in this process instead of a worker")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument("--timeout", type=float, default=3600, help="seconds to wait for the worker")

    def handle(self, *args: Any, **options: Any) -> None:
        community = Community.objects.filter(slug=options["slug"]).first()
        version = queries.latest(community) if community else None
        if version is None:
            raise CommandError(f"There is no community “{options['slug']}” with data; import one with import_community.")
        try:
            run = services.start_simulation(
                version=version,
                control=options["control"],
                sharing=options["sharing"],
                horizon_hours=options["horizon_hours"],
                full=True,
            )
            self._finish(run, inline=options["inline"], timeout_s=options["timeout"])
        except CityError as refusal:
            raise CommandError(str(refusal.sentence)) from None
        run.refresh_from_db()
        if run.status != Run.Status.DONE or run.result is None:
            raise CommandError(run.error or f"The simulation ended as “{run.get_status_display()}”.")
        self._print(run.result, as_json=options["json"])

    def _finish(self, run: Run, *, inline: bool, timeout_s: float) -> None:
        """Compute here, or wait for a worker; a run that a worker took meanwhile is waited for."""
        if not (inline and do(run.pk)):
            runs.wait(run=run, timeout_s=timeout_s)

    def _print(self, result: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        totals, sharing = result["totals"], result["sharing"]
        self.stdout.write(
            f"{totals['load_kwh']:,.1f} kWh used, {totals['pv_kwh']:,.1f} made, {totals['import_kwh']:,.1f} from the grid, "
            f"{totals['export_kwh']:,.1f} sent on; cost {totals['cost']:,.2f}, together {sharing['total_saving']:,.2f} less than each alone."
        )
