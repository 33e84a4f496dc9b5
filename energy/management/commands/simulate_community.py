"""`manage.py simulate_community SLUG --control … [--horizon-hours H] [--sharing …] --json [--inline]`."""

import sys
from collections.abc import Sequence
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from commons.web.commands import CityCommand
from energy import queries, services


def _proof(engine: dict[str, Any]) -> list[str]:
    """How near the answer is to the best, and what better knowledge would be worth."""
    said = []
    if "gap" in engine:
        said.append(f"proven to {engine['gap']:.1e} of the best, {engine['classes']} classes of storage")
    if "value_of_forecast" in engine:
        ahead, worth = engine["horizon_hours"], engine["value_of_forecast"]
        said.append(f"by plans {ahead:g} hours ahead; knowing all would save {worth:,.2f} more")
    return said


class Command(CityCommand):
    """Simulate a community's newest version and print the result."""

    help = "Simulates a community: totals, each member alone and together, sharing and how it was computed."
    needs_worker: ClassVar[bool] = "--inline" not in sys.argv

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--control", choices=services.CONTROLS, required=True)
        parser.add_argument("--sharing", choices=services.SHARING_RULES, help="how the saving is shared")
        parser.add_argument("--horizon-hours", type=float, help="look ahead so far instead of over the whole period")
        parser.add_argument("--inline", action="store_true", help="compute in this process instead of a worker")
        parser.add_argument("--timeout", type=float, default=3600.0, help="seconds to wait for the worker")

    def run(self, **options: Any) -> dict[str, Any]:
        run = services.start_simulation(
            version=queries.newest(options["slug"]),
            control=options["control"],
            sharing=options["sharing"],
            horizon_hours=options["horizon_hours"],
            full=True,
        )
        if not (options["inline"] and do(run.pk)):
            runs.wait(run=run, timeout_s=options["timeout"])
        run.refresh_from_db()
        if run.status != Run.Status.DONE or run.result is None:
            raise CommandError(run.error or f"The simulation ended as “{run.get_status_display()}”.")
        return dict(run.result)

    def show(self, answer: dict[str, Any]) -> None:
        totals, sharing = answer["totals"], answer["sharing"]
        lines: Sequence[str] = (
            f"used {totals['load_kwh']:,.1f} kWh, made {totals['pv_kwh']:,.1f} kWh",
            f"from the grid {totals['import_kwh']:,.1f} kWh, sent on {totals['export_kwh']:,.1f} kWh",
            f"cost {totals['cost']:,.2f}, {sharing['total_saving']:,.2f} less than each member alone",
        )
        for line in (*lines, *_proof(answer["engine"])):
            self.stdout.write(line)
